#!/bin/bash
# conf-load in a real meeting: by link, with and without TLS, and through the
# death of either daemon.
. "$(dirname "$0")/../lib.sh"
ctl() { meeting-ctl -s "$CONF_RUNDIR/signal.sock" "$@"; }
of() { jq -r ".$1" <<<"$out"; }
within() { awk -v v="$2" -v lo="$3" -v hi="$4" \
	'BEGIN { exit !(v >= lo && v <= hi) }'; tap_report $? "$1 ($2)"; }

CONF_TLS=off start_kit || exit 1
ctl create Load --id load >/dev/null
link=$(ctl link load)
exits "two publishers, three subscribers" 0 \
	conf-load -q --json -p 2 -n 3 -t 2 --pid "$(kit_pid relay-0)" "$link"
is "all join" "$(of joined)/$(of failed)/$(of transports)" 5/0/5
is "nothing is lost" "$(of lost)" 0
is "everybody sees something" "$(of no_frame)" 0
within "soon" "$(of first_frame_p95_ms)" 1 2000
within "the relay's CPU is told" "$(of cpu_us_per_packet)" 0.001 2000
is "and they leave" "$(ctl users load --json | jq '.users | length')" 0
is "as users who said so" "$(ctl events load |
	jq -r 'select(.type == "user.left").data.reason' | sort | uniq -c |
	tr -s ' ')" ' 5 left'

exits "a link that was changed" 1 conf-load -q -t 1 "${link%?????}AAAAA"
like "is refused with words" "$err" \
	"^conf-load: error: load-0: This link has been changed"
exits "one user too many" 1 bash -c '
	meeting-ctl -s "$CONF_RUNDIR/signal.sock" create Small --id small \
		--set max_users=2 >/dev/null
	conf-load -q --json -n 2 -t 1 "$(meeting-ctl -s \
		"$CONF_RUNDIR/signal.sock" link small)"'
is "is one who failed" "$(of joined)/$(of failed)" 2/1

conf-load --json -n 2 -t 4 "$link" >"$T/json" 2>"$T/words" &
pid=$!; tap_pids+=($pid)
wait_for 10 grep -q measuring "$T/words"
kill -9 "$(kit_pid confd-signal)"
wait "$pid"; is "the death of confd-signal is survived" $? 0
out=$(cat "$T/json")
is "all come back to it" "$(of returns)/$(of resets)/$(of failed)" 3/0/0
within "and media have no gap" "$(of gap_ms)" 1 500

conf-load --json -n 2 -t 4 "$link" >"$T/json" 2>"$T/words" &
pid=$!; tap_pids+=($pid)
wait_for 10 grep -q measuring "$T/words"
kill -9 "$(kit_pid relay-0)"
wait "$pid"; is "so is that of conf-relay" $? 0
out=$(cat "$T/json")
is "all begin media anew" "$(of returns)/$(of resets)/$(of failed)" 0/3/0
within "within 3 s" "$(of gap_ms)" 1 3000

conf-load --json -n 2 -t 4 "$link" >"$T/json" 2>"$T/words" &
pid=$!; tap_pids+=($pid)
wait_for 10 grep -q measuring "$T/words"
kill "$(kit_pid relay-0)"
wait "$pid"; is "so is its orderly end" $? 0
out=$(cat "$T/json")
is "in the same way" "$(of returns)/$(of resets)/$(of failed)" 0/3/0

conf-load -n 1 -t 60 "$link" >"$T/text" 2>"$T/words" &
pid=$!; tap_pids+=($pid)
wait_for 10 grep -q measuring "$T/words"
ctl end load
wait "$pid"; is "the end of the meeting is no success" $? 1
like "and is said" "$(cat "$T/words")" 'load-[01]: the meeting has ended'
exits "a meeting that has ended" 1 conf-load -q -t 1 "$link"
like "is named" "$err" 'this meeting has ended'
stop_kit

unset CONF_HTTP CONF_MEDIA
start_kit || exit 1
ctl create Tls --id tls >/dev/null
exits "TLS with a certificate of its own, on this host" 0 \
	conf-load -q --json -t 1 "$(ctl link tls)"
is "works" "$(of joined)/$(of lost)" 2/0
stop_kit

done_testing
