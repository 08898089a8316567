#!/bin/bash
# SIGTERM, SIGINT and the end of the lifeline stop everything within 5 s and
# leave nothing behind, even of a worker that does not want to go.
. tests/lib.sh
. tests/sh/fake-kit.sh

left() { find "$CONF_RUNDIR" -mindepth 1; }
stops_by() # SIGNAL SECONDS
{
	local began=$(date +%s%N) pids
	pids="$(kit_pid confd-signal) $(kit_pid relay-0)"
	kill "-$1" "$kit"
	wait "$kit"
	is "SIG$1: status 0" $? 0
	local took=$((($(date +%s%N) - began) / 1000000))
	ok "SIG$1: took $took ms" test "$took" -lt $(($2 * 1000))
	for p in $pids; do ok "SIG$1: process $p is gone" gone "$p"; done
	is "SIG$1: the run directory is empty" "$(left)" ""
}
start_kit
stops_by TERM 2
start_kit
stops_by INT 2

# SIGHUP is another matter, but not when the terminal is gone.
mkfifo "$T/tty.ready"
script -qec "exec confd-run -d 9 9>$T/tty.ready >$T/kit.out" /dev/null \
	</dev/null >"$T/tty.log" 2>&1 &
tty=$!
tap_pids+=($tty)
read -r -t 20 <"$T/tty.ready"
pids="$(kit_pid confd-signal) $(kit_pid relay-0)"
kill -9 "$tty"
for p in $pids; do
	ok "the terminal hung up: process $p is gone" wait_for 10 gone "$p"
done
nothing_left() { [ -z "$(left)" ]; }
ok "the terminal hung up: the run directory is empty" wait_for 10 nothing_left
rm -f "$T/tty.ready"

# One worker ignores SIGTERM and the lifeline, and has a child that does.
cat >"$CONF_STATEDIR/conf-relay.do" <<'EOF'
trap '' TERM
sleep 100 &
echo "child $!" >>"$CONF_STATEDIR/conf-relay.log"
while :; do wait; sleep 0.1; done
EOF
start_kit
wait_for 5 grep -q ^child "$CONF_STATEDIR/conf-relay.log"
child=$(awk '/^child/ { p = $2 } END { print p }' \
	"$CONF_STATEDIR/conf-relay.log")
stops_by TERM 5
ok "the child of the killed worker is gone" gone "$child"
like "that is told" "$(cat "$T/kit.err")" 'relay-0 did not stop, killed'

# A worker that leaves a child behind when it goes.
echo 'sleep 100 & echo "child $!" >>"$CONF_STATEDIR/conf-relay.log"' \
	>"$CONF_STATEDIR/conf-relay.do"
start_kit
wait_for 5 test "$(grep -c ^child "$CONF_STATEDIR/conf-relay.log")" = 2
child=$(awk '/^child/ { p = $2 } END { print p }' \
	"$CONF_STATEDIR/conf-relay.log")
stops_by TERM 5
ok "the child left behind is gone" gone "$child"
rm "$CONF_STATEDIR/conf-relay.do"

# The lifeline: its end is a stop.
mkfifo "$T/life"
exec 9<>"$T/life"
confd-run --lifeline 4 4<"$T/life" 9<&- >"$T/kit.out" 2>"$T/kit.err" &
kit=$!
tap_pids+=($kit)
wait_for 10 grep -q ^worker "$T/kit.out"
exec 9<&-
wait $kit
is "the lifeline ended: status 0" $? 0
is "the lifeline ended: the run directory is empty" "$(left)" ""

# confd-run is killed: the workers see their lifeline end.
start_kit
pids="$(kit_pid confd-signal) $(kit_pid relay-0)"
kill -9 "$kit"
wait "$kit" 2>/dev/null
for p in $pids; do
	ok "kill -9: worker $p follows" wait_for 5 gone "$p"
done
like "by the lifeline" "$(cat "$CONF_STATEDIR/confd-signal.log")" '^lifeline'
start_kit
ok "and the next confd-run starts over what was left" test -n "$kit_http"
is "with a new key" "$(wc -c <"$CONF_RUNDIR/worker.key")" 65
stop_kit
is "the run directory is empty" "$(left)" ""
done_testing
