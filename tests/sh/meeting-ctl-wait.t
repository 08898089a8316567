#!/bin/bash
# wait ends when its condition holds, when the time is over, and when it
# never will hold; get and set.
. tests/lib.sh
. tests/sh/people.sh
m=hello
start_kit || { ok "the kit starts" false; done_testing; }
meeting-ctl create Hello --id $m >/dev/null
people

exits "what holds already" 0 meeting-ctl wait $m users == 0
is "prints nothing" "$out" ""
exits "-T" 0 meeting-ctl -T wait $m users '<' 1
is "prints field and number" "$out" "users	0"
exits "--json" 0 meeting-ctl --json wait $m users '<=' 0
is "prints an object" "$out" '{"field":"users","value":0}'
exits "time that is over is 124" 124 meeting-ctl -w 100ms wait $m users '>' 0
like "and said" "$err" '^meeting-ctl: wait: it did not happen in time$'
exits "the same for an event" 124 meeting-ctl -w 100ms wait $m user.joined
exits "another meeting is 1" 1 meeting-ctl wait nothing users '>' 0
exits "its events too" 1 meeting-ctl wait nothing user.joined

begin_wait()
{
	meeting-ctl -w 20s "$@" >"$T/wait.out" 2>"$T/wait.err" &
	waiter=$!
	tap_pids+=($waiter)
}
ends() { wait "$waiter"; is "$1" "$? $(cat "$T/wait.out" "$T/wait.err")" "$2"; }

begin_wait -T wait $m users '>=' 2
joins ann Ann --role moderator
ok "one of two is not enough" kill -0 $waiter
joins ben Ben
ends "the second ends it" "0 users	2"
begin_wait wait $m hands '>' 0
p ask ben user.hand '{"up":true}'
ends "a hand" "0 "
begin_wait -T wait $m moderators '>' 1
meeting-ctl role $m Ben moderator
ends "a moderator" "0 moderators	2"
exits "cameras are none" 0 meeting-ctl wait $m cameras == 0

# An event is waited for from the moment that the server follows; say until.
begin_wait --json wait $m chat.said
until_over() { kill -0 $waiter 2>/dev/null || return 0
	meeting-ctl say $m --as Bot ping; return 1; }
wait_for 10 until_over
wait $waiter
is "an event" "$?" 0
is "is printed with --json" "$(jq -rc '[.type, .data.text]' "$T/wait.out")" \
	'["chat.said","ping"]'
begin_wait wait $m users '>=' 9
begin_wait2=$waiter
meeting-ctl -w 20s wait $m user.held >/dev/null 2>"$T/wait2.err" &
other=$!
tap_pids+=($other)
waiter=$begin_wait2
meeting-ctl end $m
ends "what will not come any more is 1" \
	"1 meeting-ctl: wait: the meeting has ended"
wait $other
is "for an event too" "$? $(cat "$T/wait2.err")" \
	"1 meeting-ctl: wait: the meeting has ended"
exits "after the end" 1 meeting-ctl wait $m users '>=' 1
exits "what holds after the end" 0 meeting-ctl wait $m users == 0
exits "an event after the end" 1 meeting-ctl wait $m user.joined

# SIGKILL of the server ends it, and -w limits also what hangs.
meeting-ctl create Other --id other >/dev/null
begin_wait wait other users '>' 0
wait_for 5 eval 'meeting-ctl -w 1s list'
kill -STOP "$(kit_pid confd-signal)"
exits "a server that hangs is 124" 124 meeting-ctl -w 200ms wait other users '>' 0
kill -CONT "$(kit_pid confd-signal)"

exits "get" 0 meeting-ctl get other
is "prints a table" "$out" "KEY        VALUE
name       Other
audio      auto
empty_ms   600000
max_users  0"
exits "get KEY" 0 meeting-ctl get other name
is "prints the value" "$out" Other
exits "get -T" 0 meeting-ctl -T get other max_users
is "prints key and value" "$out" "max_users	0"
exits "get --json" 0 meeting-ctl --json get other empty_ms
is "is what the server said" "$out" '{"key":"empty_ms","value":600000}'
exits "get of no key is 2" 2 meeting-ctl get other frob
exits "get of no meeting is 1" 1 meeting-ctl get nothing
exits "set" 0 meeting-ctl set other max_users 7
is "sets" "$(meeting-ctl get other max_users)" 7
exits "a name of digits is a name" 0 meeting-ctl set other name 42
is "as text" "$(meeting-ctl --json get other name)" '{"key":"name","value":"42"}'
exits "set of no key is 2" 2 meeting-ctl set other frob 1
exits "set of no value is 2" 2 meeting-ctl set other max_users many
exits "audio without a mixer is 75" 75 meeting-ctl set other audio mix
exits "set of no meeting is 1" 1 meeting-ctl set nothing name x
meeting-ctl set other name $'a\x1b[2J' && exits "get" 0 meeting-ctl get other name
is "escapes nothing that would act" "$(grep -c $'\x1b' <<<"$out")" 0
done_testing
