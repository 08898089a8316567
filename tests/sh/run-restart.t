#!/bin/bash
# A worker that ends is started again, a second after its last start at the
# earliest, and no other process is touched.
. tests/lib.sh
. tests/sh/fake-kit.sh

start_kit
relay=$(kit_pid relay-0)
signal=$(kit_pid confd-signal)
inode=$(stat -c %i "$CONF_RUNDIR/signal.sock")
sleep 1 # then it may start at once
began=$(date +%s%N)
kill -9 "$signal"
ok "it is started again" wait_for 5 eval \
	'[ "$(kit_pid confd-signal)" != "'"$signal"'" ] &&
	 [ "$(state_of confd-signal)" = ready ]'
took=$((($(awk '/^start/ { t = $2 } END { print t }' \
	"$CONF_STATEDIR/confd-signal.log") - began) / 1000000))
ok "at once, since it ran for longer ($took ms)" test $took -lt 900
is "the relay still runs" "$(kit_pid relay-0)" "$relay"
ok "as a process" kill -0 "$relay"
is "and was started once" "$(starts_of conf-relay)" 1
is "confd-run is the same" "$(kill -0 "$kit" && echo yes)" yes
is "the socket is the same" "$(stat -c %i "$CONF_RUNDIR/signal.sock")" "$inode"
is "it got the same sockets" \
	"$(grep -c 'listen 3 http:signal:worker' "$CONF_STATEDIR/confd-signal.log")" 2
like "that is told" "$(cat "$T/kit.err")" \
	"confd-signal \(pid $signal\) was ended by signal 9"
signal=$(kit_pid confd-signal)
kill "$relay"
wait_for 5 eval '[ "$(state_of relay-0)" = ready ]'
is "the other way round too" "$(kit_pid confd-signal)" "$signal"

# A crash loop: each start a second after the one before.
echo 'exit 1' >"$CONF_STATEDIR/conf-relay.do"
: >"$CONF_STATEDIR/conf-relay.log"
kill -9 "$(kit_pid relay-0)"
wait_for 10 eval '[ "$(starts_of conf-relay)" -ge 4 ]'
# A worker notes its start a moment after it was started: over four of them
# that moment weighs little.
took=$(awk '/^start/ { if (++n == 1) first = $2; if (n == 4) last = $2 }
	END { print int((last - first) / 1e6) }' "$CONF_STATEDIR/conf-relay.log")
ok "a crash loop waits a second between starts (3 in $took ms)" \
	test "$took" -gt 2600
is "and touches nobody else" "$(kit_pid confd-signal)" "$signal"
stop_kit
is "and stops" "$kit_rc" 0

# A listening connection waits for the daemon that comes back.
rm "$CONF_STATEDIR/conf-relay.do"
start_kit
kill -STOP "$(kit_pid confd-signal)"
exec 8<>"/dev/tcp/${kit_http%:*}/${kit_http##*:}"
is "a connection is taken while the daemon is away" $? 0
exec 8>&-
kill -CONT "$(kit_pid confd-signal)"
stop_kit
done_testing
