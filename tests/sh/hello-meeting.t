#!/bin/bash
# examples/hello-meeting/run: four links, everything up, nothing left behind.
. tests/lib.sh
export CONF_RUNDIR=$T/run CONF_STATEDIR=$T/state CONF_BINDIR=$B/bin
export CONF_HTTP=127.0.0.1:0 CONF_MEDIA=127.0.0.1:0

hello() # starts it; ready when all four lines are there
{
	: >"$T/out"
	"$PWD/examples/hello-meeting/run" >"$T/out" 2>"$T/err" &
	hello=$!
	tap_pids+=($hello)
	wait_for 20 eval '[ "$(wc -l <"$T/out")" -ge 4 ]' ||
		sed 's/^/# /' "$T/err"
}
url() { sed -n "s/^$1\t//p" "$T/out"; }
bye() # SIGNAL
{
	local began=$(date +%s%N)
	pids=$(meeting-ctl -s "$CONF_RUNDIR/run.sock" call list |
		jq '.workers[].pid')
	kill "-$1" $hello
	wait $hello
	is "SIG$1: status 0" $? 0
	local took=$((($(date +%s%N) - began) / 1000000))
	ok "SIG$1: it took $took ms" test $took -lt 5000
	is "SIG$1: nothing is left in the run directory" \
		"$(find "$CONF_RUNDIR" -mindepth 1)" ""
	for p in $pids; do
		ok "SIG$1: process $p is gone" eval "! grep -q \
			'^State:[^Z]*$' /proc/$p/status"
	done
}

hello
is "four links are printed" "$(cut -f1 "$T/out" | tr '\n' ' ')" \
	'moderator viewer moderator-lan viewer-lan '
like "with a real port" "$(url moderator)" \
	'^https://localhost:[1-9][0-9]+/m/hello#t=[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$'
port=$(url viewer | sed 's|.*localhost:\([0-9]*\)/.*|\1|')
like "only that address" "$(url viewer-lan)" "^https://127\.0\.0\.1:$port/"
is "each is a link of its own" "$(cut -f2 "$T/out" | sort -u | wc -l)" 4
like "the warning is explained" "$(cat "$T/err")" 'self-signed'
like "the ports are told" "$(cat "$T/err")" "127.0.0.1:$port \(TCP\)"
like "a QR code is drawn" "$(cat "$T/err")" '██▄▄▄▄▄▄▄█'
exits "the page is served" 0 curl -skf "https://localhost:$port/m/hello"
like "and is the client" "$out" '<script'
exits "the meeting is there" 0 meeting-ctl -T list
like "and never ends by itself" "$out" $'^hello\tHello\topen\t.*\t0\t'
exits "meeting-ctl needs nothing else" 0 meeting-ctl say hello "from a shell"
cert=$(sha256sum <"$CONF_STATEDIR/tls/cert.pem")
bye TERM

hello
is "it starts again with the same certificate" \
	"$(sha256sum <"$CONF_STATEDIR/tls/cert.pem")" "$cert"
exits "and the same meeting" 0 meeting-ctl events hello
is "with its chat" "$(grep -c 'from a shell' <<<"$out")" 1
is "created once" "$(grep -c meeting.created <<<"$out")" 1
exits "a second one beside it is 75" 75 examples/hello-meeting/run
like "and says why" "$err" "another confd-run is using '$CONF_RUNDIR'"
like "and what to do" "$err" 'CONF_HTTP=addr:port'
meeting-ctl end hello
bye INT

export CONF_TLS=off
hello
like "CONF_TLS=off is plain HTTP" "$(url moderator)" \
	'^http://localhost:[0-9]+/m/hello#t='
port=$(url viewer | sed 's|.*localhost:\([0-9]*\)/.*|\1|')
exits "which answers" 0 curl -sf "http://localhost:$port/healthz"
exits "a meeting that was ended is made anew" 0 meeting-ctl show hello
like "and is open" "$out" 'state +open'
bye TERM
unset CONF_TLS

CONF_HTTP=*:0
hello
port=$(url viewer | sed 's|.*localhost:\([0-9]*\)/.*|\1|')
host=$(url viewer-lan | sed 's|https://\(.*\):[0-9]*/m/.*|\1|')
if [ "$host" = localhost ]; then
	like "without a network, that is told" "$(cat "$T/err")" \
		'no network address'
else
	exits "the -lan links answer" 0 curl -skf "https://$host:$port/healthz"
fi
kill -9 $hello
wait $hello 2>/dev/null
ok "killed, it takes all with it" wait_for 6 eval \
	'[ -z "$(find "$CONF_RUNDIR" -mindepth 1)" ]'

exits "plain HTTP on all addresses is refused with 2" 2 \
	env CONF_TLS=off CONF_HTTP=*:0 examples/hello-meeting/run
is "and nothing is left" "$(find "$CONF_RUNDIR" -mindepth 1)" ""

# With the environment of cron, from another directory.
unset CONF_HTTP
(cd / && exec env -i PATH=/usr/bin:/bin CONF_RUNDIR="$CONF_RUNDIR" \
	CONF_STATEDIR="$CONF_STATEDIR" CONF_BINDIR="$B/bin" \
	CONF_HTTP=127.0.0.1:0 CONF_MEDIA=127.0.0.1:0 \
	"$OLDPWD/examples/hello-meeting/run" >"$T/out" 2>"$T/err") &
hello=$!
ok "it starts with no environment" wait_for 20 eval \
	'[ "$(wc -l <"$T/out")" = 4 ]'
bye TERM
done_testing
