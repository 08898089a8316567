#!/bin/bash
# Every tool prints a bash completion; that of meeting-ctl knows verbs,
# options, meetings and users.
. tests/lib.sh
. tests/sh/canned.sh

for tool in "$B"/bin/*; do
	name=$(basename "$tool")
	exits "$name --completion" 0 "$tool" --completion
	echo "$out" >"$T/completion"
	ok "$name: bash reads it" bash -n "$T/completion"
	is "$name: it is for the tool" \
		"$(bash --norc -c ". $T/completion; complete -p $name" |
			grep -c " $name$")" 1
done
meeting-ctl --completion >"$T/completion"
# What is offered for a line whose last word is being typed.
offers() { COMP_LINE=$* bash --norc -c '. "$0"; COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1)); _meeting_ctl; echo "${COMPREPLY[*]}"' \
	"$T/completion" "$@"; }
is "verbs" "$(offers meeting-ctl u)" 'users unmute unlink'
is "verbs behind options" "$(offers meeting-ctl -T -s /x us)" users
is "options" "$(offers meeting-ctl --j)" --json
is "options of a verb" "$(offers meeting-ctl link hello --r)" --role
is "and no other's" "$(offers meeting-ctl list --r)" ''
answers 'meeting.list\t{"meetings":[{"id":"hello"},{"id":"help"},{"id":"$(touch /tmp/x)"}]}' \
	'user.list\t{"users":[{"user":"u_aaaaaaaaaaaaaaaaaaaaaaaaaa","name":"Ann"}]}'
export CONF_RUNDIR=$T
is "meetings" "$(offers meeting-ctl show hel)" 'hello help'
is "nothing that a shell would run" "$(offers meeting-ctl show '')" 'hello help'
is "users" "$(offers meeting-ctl kick hello u_)" u_aaaaaaaaaaaaaaaaaaaaaaaaaa
is "roles" "$(offers meeting-ctl role hello Ann m)" moderator
done_testing
