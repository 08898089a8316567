#!/bin/bash
# events: pages, following, an output that is full or has no reader.
. tests/lib.sh
. tests/sh/canned.sh

event() { printf '{"v":1,"seq":%s,"pos":%s,"time":"2026-11-22T09:00:00.000Z","meeting":"hello","type":"chat.said","actor":"op:0","data":{"text":"a\\\\tb"}}' "$1" "$((100 + $1))"; }
told() { printf '>{"jsonrpc":"2.0","method":"event","params":%s}' "$(event "$1")"; }
last="events.read\t{\"events\":[$(event 1),$(event 2)],\"seq\":2,\"more\":false}"

answers "$last"
exits "events of a meeting" 0 mc events hello --since 0
is "are JSON lines" "$(jq -r .seq <<<"$out" | tr '\n' ' ')" '1 2 '
is "asked for by seq, page by page" "$(requests)" \
	'events.read	{"meeting":"hello","since":0,"limit":500}'
exits "events -T" 0 mc -T events hello
is "has columns" "$(head -1 <<<"$out")" $'1\t101\t2026-11-22T09:00:00.000Z\thello\tchat.said\top:0\t{"text":"a\\tb"}'
answers "events.read\t{\"events\":[$(event 1)],\"pos\":101,\"more\":true}"
exits "a server that does not move on is left" 0 mc events --since 101
is "after one page" "$(requests)" \
	'events.read	{"since":101,"limit":500}'

answers "events.follow\t$(told 4)" "events.follow\t{\"seq\":4}" \
	"events.follow\t$(told 5)" "events.follow\tclose"
exits "events -f" 75 mc events hello -f --since 3
is "prints what comes before and after the answer" \
	"$(jq -r .seq <<<"$out" | tr '\n' ' ')" '4 5 '
is "asks from there on" "$(requests)" \
	'events.follow	{"meeting":"hello","since":3}'
like "and tells that the server went away" "$err" 'closed the connection'

answers "events.follow\t{\"seq\":4}"
meeting-ctl -s "$sock" events hello -f >"$T/out" 2>&1 &
pid=$!
wait_for 5 grep -q events.follow "$T/requests"
is "without --since it begins now" "$(requests)" \
	'events.follow	{"meeting":"hello"}'
kill $pid
wait $pid
is "SIGTERM ends it" $? 143

# Nothing arrives, and yet the end of the reader is seen.
began=$(date +%s%N)
(mc events hello -f; echo $? >"$T/rc") | true
is "events -f without a reader ends with 0" "$(cat "$T/rc")" 0
answers "events.follow\t{\"seq\":4}" "events.follow\t$(told 5)"
(mc events hello -f; echo $? >"$T/rc") | head -1 >"$T/line"
is "events -f | head -1 ends with 0" "$(cat "$T/rc")" 0
is "and gave its line" "$(jq .seq "$T/line")" 5
ok "both at once" test $((($(date +%s%N) - began) / 1000000)) -lt 3000

answers "events.follow\t{\"seq\":4}" "events.follow\t$(told 5)"
exits "events -f on a full device is 3" 3 \
	bash -c "meeting-ctl -s '$sock' events hello -f >/dev/full"
like "and says so" "$err" 'cannot write to standard output'
answers "$last" 'meeting.list\t{"meetings":[]}'
exits "events on a full device is 3" 3 \
	bash -c "meeting-ctl -s '$sock' events hello >/dev/full"
exits "list on a full device is 3" 3 \
	bash -c "meeting-ctl -s '$sock' list >/dev/full"
exits "--help on a full device is 3" 3 \
	bash -c "meeting-ctl --help >/dev/full"
exits "list with a closed output is 0" 0 \
	bash -c "meeting-ctl -s '$sock' list >&-"
is "quietly" "$err" ""
(meeting-ctl -s "$sock" list; echo $? >"$T/rc") | true
is "list without a reader is 0" "$(cat "$T/rc")" 0
done_testing
