#!/bin/bash
# Commands from standard input: words as a shell splits them, results in
# order, one connection, the highest status.
. tests/lib.sh
start_kit || { ok "the kit starts" false; done_testing; }
mc() { printf '%s\n' "$1" | meeting-ctl "${@:2}" -; }

exits "three commands" 0 mc "create 'Team A' --id a
# a comment

set a max_users 5
get a max_users"
is "print their results" "$out" "a
5"
exits "a failure ends nothing" 1 mc "get none name
get a name"
is "the next is done" "$out" "Team A"
is "the failure has its line" "$err" \
	"meeting-ctl: line 1: get: there is no such meeting"
exits "the highest status counts" 2 mc "get none name
frob
get a frob
get a name"
is "each failure is told" "$(sort <<<"$err")" \
"meeting-ctl: line 1: get: there is no such meeting
meeting-ctl: line 2: unknown verb 'frob'; see meeting-ctl --help
meeting-ctl: line 3: get: key must be name, audio, empty_ms or max_users"
exits "an open quote is 2" 2 mc "get a 'name
get a name"
is "and the next line is done" "$out" "Team A"
like "and told" "$err" '^meeting-ctl: line 1: an open quote'
exits "wrong arguments" 2 mc "show"
like "are told by line" "$err" '^meeting-ctl: line 1: show: wrong number'
for line in "-" "say a -" "call meeting.list -" "events a -f" \
	"-s $CONF_RUNDIR/signal.sock list"; do
	exits "not among commands: $line" 2 mc "$line"
done
exits "nothing at all" 0 mc ""
exits "a last line without an end" 0 bash -c \
	'printf "get a name" | meeting-ctl -'
is "counts" "$out" "Team A"
exits "a NUL" 2 bash -c 'printf "get a\0b name\nget a name\n" | meeting-ctl -'
is "spoils its line alone" "$out" "Team A"
exits "a line without end" 2 bash -c \
	'head -c 400000 /dev/zero | tr "\0" x | meeting-ctl -'
like "is told" "$err" 'line 1 is longer than'

exits "-T holds for each line" 0 mc "get a name
list" -T
is "as columns" "$(cut -f1,2 <<<"$out")" "name	Team A
a	Team A"
exits "--json" 1 mc "set a name 'Team B'
get none name
list" --json
is "makes a line for each" "$(jq -rc 'keys[0]' <<<"$out" | tr '\n' ' ')" \
	'seq error meetings '
is "a failure with status and line" \
	"$(jq -c 'select(.error).error | [.status, .line]' <<<"$out")" '[1,2]'

# Verbs that ask more than once stand between the others in order.
exits "lists, events and wait" 0 mc "say a --as Bot 'x  y'
events a --since 3
wait a users == 0
get a name
links a
users a" -T
is "are in order" "$(cut -f1 <<<"$out" | tr '\n' ' ')" '4 users name '

# Pipelined, all over one connection, in the order of the lines.
seq 1 2000 | sed 's/.*/say a --as Bot "number &"/' >"$T/many"
before=$(grep -c . "$T/kit.err")
exits "2,000 commands" 0 meeting-ctl - <"$T/many"
is "are in the log in order" "$(meeting-ctl events a --since 4 |
	jq -r '.data.text' | cmp - <(seq 1 2000 | sed 's/^/number /') && echo same)" \
	same
seq 1 2000 | sed 's/.*/call meeting.get {"meeting":"a","key":"name"}/' |
	sed "s/{/'{/; s/}/}'/" >"$T/calls"
exits "2,000 answers" 0 meeting-ctl - <"$T/calls"
is "are as many" "$(sort <<<"$out" | uniq -c | awk '{print $1}')" 2000

# A script that reads an answer before it writes on.
coproc CTL { meeting-ctl - 2>&1; }
ctl_out=${CTL[0]} ctl_in=${CTL[1]} ctl_pid=$CTL_PID
for key in name max_users; do
	echo "get a $key" >&"$ctl_in"
	read -r -t 10 answer <&"$ctl_out"
	is "answers at once: $key" "$answer" "$(meeting-ctl get a $key)"
done
echo "get none x" >&"$ctl_in"
read -r -t 10 answer <&"$ctl_out"
like "failures too" "$answer" 'line 3: get: there is no such meeting'
exec {ctl_in}>&-
wait "$ctl_pid"
is "its status" $? 1

exits "who reads no more is 0" 0 bash -c \
	'set -o pipefail; meeting-ctl - <"$T/calls" | head -1'
is "and quiet" "$err" ""
exits "full output is 3" 3 bash -c 'meeting-ctl - <"$T/calls" >/dev/full'
exits "no server is 75" 75 bash -c \
	'echo list | meeting-ctl -s "$T/none" -'
exits "a server that hangs is 124" 124 bash -c '
	kill -STOP '"$(kit_pid confd-signal)"'
	echo "get a name" | meeting-ctl -w 300ms -; rc=$?
	kill -CONT '"$(kit_pid confd-signal)"'; exit $rc'
(echo "get a name"; sleep 1; kill -KILL "$(kit_pid confd-signal)"
	sleep 1; echo "get a name"; echo "get a name") |
	meeting-ctl - >"$T/cut" 2>&1
is "a server that is killed is 75" "${PIPESTATUS[1]}" 75
is "and told once" "$(cat "$T/cut")" "Team B
meeting-ctl: -: the server closed the connection"
done_testing
