#!/bin/bash
# confd-run starts its workers with what they need, and says when all is up.
. tests/lib.sh
. tests/sh/fake-kit.sh

start_kit || ok "it starts" false
log=$CONF_STATEDIR/confd-signal.log
like "confd-signal is told where and how" "$(cat "$log")" \
	"args --rundir $CONF_RUNDIR --statedir $CONF_STATEDIR --tls on "
like "and gets the sockets" "$(cat "$log")" 'listen 3 http:signal:worker '
like "stdin is no stdin of ours" "$(cat "$log")" '^stdin /dev/null$'
log=$CONF_STATEDIR/conf-relay.log
like "conf-relay is told whom to call" "$(cat "$log")" \
	"args --control $CONF_RUNDIR/worker.sock --instance relay-0 "
like "and gets its socket" "$(cat "$log")" 'listen 1 media0 '
secret=$(printf relay/relay-0 | openssl dgst -sha256 -mac HMAC \
	-macopt "hexkey:$(cat "$CONF_RUNDIR/worker.key")" -r)
is "its secret is of worker.key" "$(sed -n 's/^secret //p' "$log")" \
	"${secret%% *}"
for p in "$kit" "$(kit_pid relay-0)" "$(kit_pid confd-signal)"; do
	is "the secret is on no command line and in no environment" \
		"$(cat "/proc/$p/cmdline" "/proc/$p/environ" | tr '\0' '\n' |
			grep -c "${secret%% *}")" 0
done
is "worker.key is ours alone" "$(stat -c %a "$CONF_RUNDIR/worker.key")" 600
for s in run signal worker; do
	is "$s.sock is ours alone" \
		"$(stat -c %a "$CONF_RUNDIR/$s.sock")" 600
done
is "the run directory too" "$(stat -c %a "$CONF_RUNDIR")" 700
is "a table of what is open is printed" "$(sed 's/:[0-9]*$/:N/' "$T/kit.out")" \
"run	$CONF_RUNDIR
state	$CONF_STATEDIR
http	127.0.0.1:N
media0	127.0.0.1:N
signal	$CONF_RUNDIR/signal.sock
worker	$CONF_RUNDIR/worker.sock"
like "the port is a real one" "$kit_http" ':[1-9][0-9]+$'
like "stderr tells addresses" "$(cat "$T/kit.err")" "http on $kit_http"
is "workers lead groups of their own" \
	"$(for n in confd-signal relay-0; do p=$(kit_pid $n)
	   [ "$(ps -o pgid= -p "$p" | tr -d ' ')" = "$p" ] && echo yes; done |
	   tr '\n' ' ')" 'yes yes '
is "list says ready" "$(state_of confd-signal) $(state_of relay-0)" \
	'ready ready'
exits "run.sock knows no other verbs" 2 runctl reboot
stop_kit
is "SIGTERM is 0" "$kit_rc" 0

# A group of operators.
mkdir "$T/shared"
printf '[run]\nsocket-group = %s\n' "$(id -gn)" >"$T/group.conf"
CONF_RUNDIR=$T/shared start_kit --config "$T/group.conf"
is "with socket-group the group may use signal.sock" \
	"$(stat -c '%a %G' "$T/shared/signal.sock")" "660 $(id -gn)"
is "and nothing else" "$(stat -c %a "$T/shared/worker.sock" \
	"$T/shared/run.sock" "$T/shared/worker.key" | sort -u)" 600
like "and confd-signal is told" "$(cat "$CONF_STATEDIR/confd-signal.log")" \
	"--socket-group $(id -gn)"
stop_kit

# A full output is a failure, a closed one is not.
exits "a full standard output is 3" 3 bash -c 'confd-run >/dev/full'
exits "a closed one is none" 124 timeout 2 bash -c \
	'exec confd-run >&- 2>/dev/null & p=$!; sleep 1; kill -0 $p; wait $p'
done_testing
