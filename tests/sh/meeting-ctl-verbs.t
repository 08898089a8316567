#!/bin/bash
# Every verb against the real daemons, with its exit statuses.
. tests/lib.sh
start_kit || ok "the kit starts" false

exits "create" 0 meeting-ctl create "Team Meeting"
is "makes an id of the name" "$out" team-meeting
exits "create --id" 0 meeting-ctl create Hello --id hello --set empty_ms=0
is "takes the id" "$out" hello
exits "create again" 0 meeting-ctl -T create "Other name" --id hello
is "changes nothing" "$out" $'hello\tHello\t0'
exits "create with the same name" 0 meeting-ctl create "Team Meeting"
is "makes another id" "$out" team-meeting-2
exits "create --audio mix without a mixer is 75" 75 \
	meeting-ctl create Mixed --audio mix
exits "create --set of an unknown key is 2" 2 \
	meeting-ctl create X --set frob=1
exits "create --set of a bad value is 2" 2 \
	meeting-ctl create X --set empty_ms=soon
exits "create of a name that is too long is 2" 2 \
	meeting-ctl create "$(printf 'x%.0s' {1..2000})"
exits "create of an escape sequence" 0 meeting-ctl create $'\x1b[2J' --id esc
exits "list" 0 meeting-ctl list
is "shows none" "$(grep -c $'\x1b' <<<"$out")" 0

exits "list" 0 meeting-ctl -T list
is "lists them" "$(cut -f1,3 <<<"$out" | LC_ALL=C sort | tr '\n\t' ' .')" \
	'esc.open hello.open team-meeting.open team-meeting-2.open '
exits "show" 0 meeting-ctl -T show hello
like "tells all" "$out" $'^hello\tHello\topen\t20.*Z\t\tauto\t0\t'
exits "show of another is 1" 1 meeting-ctl show nothing
exits "users" 0 meeting-ctl -T users hello
is "are none" "$out" ""
exits "users of another is 1" 1 meeting-ctl users nothing

exits "say" 0 meeting-ctl say hello one two
exits "say -" 0 meeting-ctl say hello - --as Bot <<<$'three\nfour'
exits "say into another is 1" 1 meeting-ctl say nothing text
exits "say to nobody is 1" 1 meeting-ctl say hello --to Nobody text
exits "events" 0 meeting-ctl events hello
is "hold what was said, by whom" \
	"$(jq -c 'select(.type == "chat.said").data | [.text, .name]' <<<"$out")" \
"[\"one two\",\"$(id -un)\"]
[\"three\\nfour\",\"Bot\"]"
exits "events --since" 0 meeting-ctl events hello --since \
	"$(jq -s 'map(.seq) | max - 1' <<<"$out")"
is "are the later ones" "$(wc -l <<<"$out")" 1
exits "events of all" 0 meeting-ctl -T events
is "count by pos" "$(cut -f2 <<<"$out" | sort -n | uniq -d)" ""
exits "events of another is 1" 1 meeting-ctl events nothing
exits "events -f of another is 1" 1 meeting-ctl events nothing -f

meeting-ctl events hello -f >"$T/follow" &
tap_pids+=($!)
follower=$!
wait_for 5 eval 'meeting-ctl say hello ping; grep -q ping "$T/follow"'
ok "events -f is live" grep -q ping "$T/follow"
exits "events -f | head -1" 0 bash -c \
	'set -o pipefail; meeting-ctl events hello -f --since 0 | head -1'

exits "link" 0 meeting-ctl link hello --role moderator --ttl 5m
like "is a link" "$out" "^https://localhost:${kit_http##*:}/m/hello#t=ey"
exits "link --name" 0 meeting-ctl -T link hello --name 'A "B" <c>'
like "has an id" "$out" $'\tl_[a-z2-7]{26}\t20..-..-..T'
exits "link to another is 1" 1 meeting-ctl link nothing

u=u_aaaaaaaaaaaaaaaaaaaaaaaaaa
for verb in mute unmute kick; do
	exits "$verb of nobody is 1" 1 meeting-ctl $verb hello $u
	exits "$verb of no such name is 1" 1 meeting-ctl $verb hello Nobody
	exits "$verb in another is 1" 1 meeting-ctl $verb nothing $u
done
exits "role of nobody is 1" 1 meeting-ctl role hello $u viewer
exits "role in another is 1" 1 meeting-ctl role nothing $u viewer
exits "mute --all" 0 meeting-ctl mute hello --all
exits "unmute --all" 0 meeting-ctl unmute hello --all

exits "call" 0 meeting-ctl call meeting.get '{"meeting":"hello","key":"name"}'
exits "call set" 0 meeting-ctl call meeting.set \
	'{"meeting":"hello","key":"name","value":"Bonjour"}'
exits "show after it" 0 meeting-ctl show hello
like "has the new name" "$out" 'name +Bonjour'
exits "call of no method is 2" 2 meeting-ctl call no.such.method
exits "call without what it needs is 2" 2 meeting-ctl call meeting.show

exits "end" 0 meeting-ctl end hello --reason 'time is up'
exits "end again is 1" 1 meeting-ctl end hello
exits "end of another is 1" 1 meeting-ctl end nothing
exits "say into an ended one is 1" 1 meeting-ctl say hello text
exits "list --ended" 0 meeting-ctl -T list --ended
like "shows it" "$out" $'hello\tBonjour\tended\t'

# A server that is stopped does not answer; one that is gone is tried later.
signal=$(kit_pid confd-signal)
kill -STOP "$signal"
exits "a server that hangs is 124" 124 meeting-ctl -w 300ms list
kill -CONT "$signal"
exits "and goes on" 0 meeting-ctl list
kill -0 "$follower"
is "the follower is still there" $? 0
stop_kit
wait "$follower"
is "the follower of a server that ends is 75" $? 75
exits "no server is 75" 75 meeting-ctl list
done_testing
