#!/bin/bash
# The real daemons: killing one touches no other process, and the meeting is
# there when it comes back.
. tests/lib.sh
start_kit || ok "the kit starts" false

meeting-ctl -q create Hello --id hello
meeting-ctl say hello before
signal=$(kit_pid confd-signal)
relay=$(kit_pid relay-0)
inode=$(stat -c %i "$CONF_RUNDIR/signal.sock")
sleep 1 # then a restart is immediate

kill -9 "$signal"
exits "a request sent while confd-signal is away is answered" 0 \
	meeting-ctl -w 10s events hello
is "from the log" "$(grep -c '"before"' <<<"$out")" 1
ok "confd-signal is another process" test "$(kit_pid confd-signal)" != "$signal"
is "conf-relay is the same" "$(kit_pid relay-0)" "$relay"
is "confd-run is the same" "$(kill -0 "$kit" && echo yes)" yes
is "signal.sock is the same" "$(stat -c %i "$CONF_RUNDIR/signal.sock")" "$inode"
exits "the page is served on the same port" 0 \
	curl -skf -m 10 "https://$kit_http/healthz"
ok "the relay registers again" wait_for 5 eval \
	'[ "$(grep -c "relay-0 has registered" "$T/kit.err")" -ge 2 ]'

signal=$(kit_pid confd-signal)
kill -9 "$relay"
ok "conf-relay is started again" wait_for 5 eval \
	'[ "$(kit_pid relay-0)" != '"$relay"' ] && [ "$(kit_pid relay-0)" != null ]'
is "confd-signal is the same" "$(kit_pid confd-signal)" "$signal"
ok "and registers" wait_for 5 eval \
	'[ "$(grep -c "relay-0 has registered" "$T/kit.err")" -ge 3 ]'

pids="$(kit_pid confd-signal) $(kit_pid relay-0)"
began=$(date +%s%N)
stop_kit
is "SIGTERM: status 0" "$kit_rc" 0
ok "within 5 s" test $((($(date +%s%N) - began) / 1000000)) -lt 5000
for p in $pids; do
	ok "process $p is gone" eval \
		"! grep -q '^State:[^Z]*\$' /proc/$p/status"
done
is "the run directory is empty" "$(find "$CONF_RUNDIR" -mindepth 1)" ""

# Killed and started anew at once: what the old workers hold is waited for.
export CONF_HTTP=$kit_http CONF_MEDIA=$kit_media
start_kit
kill -9 "$kit"
wait "$kit" 2>/dev/null
ok "after kill -9 the next one takes over" start_kit
is "on the same port" "$kit_http" "$CONF_HTTP"
exits "with the same meeting" 0 meeting-ctl show hello
stop_kit
is "and ends cleanly" "$kit_rc" 0
is "leaving nothing" "$(find "$CONF_RUNDIR" -mindepth 1)" ""
exits "a bad certificate is 2" 2 confd-run --config <(printf \
	'[signal]\ntls-cert = /dev/null\ntls-key = /dev/null\n')
done_testing
