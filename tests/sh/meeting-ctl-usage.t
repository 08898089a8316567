#!/bin/bash
# Wrong command lines are 2 and named; help, version, completion are 0.
. tests/lib.sh
export CONF_RUNDIR=$T/none

wrong()
{
	local words=$1; shift
	exits "2: $*" 2 meeting-ctl "$@"
	like "names what is wrong: $*" "$err" "$words"
}
wrong '^usage: '
wrong "unknown verb 'frob'" frob
wrong "unknown option '-x'" list -x
wrong "unknown option '--frob'" list --frob=1
wrong "'-w' needs a value" list -w
wrong "'--json' takes no value" --json=1 list
wrong "'--qr' is no option" list --qr
wrong "'-f' is no option" say hello text -f
wrong "exclude each other" -T --json list
wrong "no time" -w soon list
wrong "no time" -w 0 list
wrong "^usage: meeting-ctl create" create
wrong "^usage: meeting-ctl create" create two names
wrong "^usage: meeting-ctl list" list hello
for v in show end users link; do
	wrong "^usage: meeting-ctl $v" $v
	wrong "^usage: meeting-ctl $v" $v hello again
	wrong "no meeting's id" $v 'No Id'
	wrong "no meeting's id" $v ../etc
	wrong "no meeting's id" $v -- -rf
	wrong "no meeting's id" $v "$(printf 'x%.0s' {1..65})"
	wrong 'no meeting.s id.*' $v $'a\x1b[2Jb'
	is "escapes what it quotes" "$(grep -c $'\x1b' <<<"$err")" 0
done
wrong "^usage: meeting-ctl say" say hello
wrong "no meeting's id" say Hello text
wrong "the text is empty" say hello ''
wrong "no UTF-8" say hello $'\xff'
wrong "longer than 8000 bytes" say hello "$(printf 'x%.0s' {1..8001})"
for v in mute unmute; do
	wrong "a user or --all" $v hello
	wrong "a user or --all" $v hello Ann --all
	wrong "no meeting's id" $v ? Ann
done
wrong "^usage: meeting-ctl kick" kick hello
wrong "^usage: meeting-ctl role" role hello Ann
wrong "not moderator or viewer" role hello Ann owner
wrong "not moderator or viewer" link hello --role owner
wrong "no time" link hello --ttl never
wrong "no time" link hello --ttl 0
wrong "no http" link hello --url ftp://x
wrong "no http" link hello --url 'https://x/#y'
wrong "not with -T" link hello --qr -T
wrong "not with -T" link hello --qr --json
wrong "not auto, forward or mix" create Name --audio loud
wrong "no meeting's id" create Name --id 'No Id'
wrong "not KEY=VALUE" create Name --set novalue
wrong "not KEY=VALUE" create Name --set =novalue
wrong "no number" events hello --since yesterday
wrong "no number" events hello --since -1
wrong "no meeting's id" events Hello
for v in links get; do
	wrong "^usage: meeting-ctl $v" $v
	wrong "no meeting's id" $v Hello
done
wrong "^usage: meeting-ctl hand" hand hello Ann
wrong "not up or down" hand hello Ann high
wrong "^usage: meeting-ctl set" set hello name
wrong "no meeting's id" set Hello name x
wrong "no UTF-8" set hello name $'\xff'
wrong "^usage: meeting-ctl unlink" unlink hello
wrong "no link's id" unlink hello https://x
wrong "^usage: meeting-ctl keys" keys
wrong "not list or rotate" keys burn
wrong "no time" link hello --from yesterday
wrong "no time" link hello --from 2026-13-01T00:00:00Z
wrong "no number" link hello --uses 0
wrong "no number" link hello --uses many
wrong "^usage: meeting-ctl wait" wait hello
wrong "no type of event" wait hello users
wrong "no type of event" wait hello 'User.Joined'
wrong "three words" wait hello users '>=2'
wrong "not users" wait hello people '>=' 2
wrong "is not >=" wait hello users '=>' 2
wrong "no number" wait hello users '>=' two
wrong "no number" wait hello users '>=' -- -1
wrong "^usage: meeting-ctl call" call
wrong "not JSON" call meeting.list '{'
wrong "no JSON object" call meeting.list '[]'

exits "--help: 0" 0 meeting-ctl --help
for v in create list show end users say mute unmute kick role hand link \
	links unlink keys get set wait events call; do
	like "--help lists $v" "$out" "^  $v "
done
is "--help keeps to 80 columns" "$(awk 'length > 80' <<<"$out")" ""
for v in create link events; do
	is "$v --help too" "$(meeting-ctl $v --help | awk 'length > 80')" ""
done
exits "VERB --help: 0" 0 meeting-ctl link --help
like "and is about the verb" "$out" '^usage: meeting-ctl link MEETING'
exits "-V: 0" 0 meeting-ctl -V
like "-V names tool and version" "$out" '^meeting-ctl [0-9.]+$'
exits "options may stand anywhere and together" 75 \
	meeting-ctl list -Tq -w50ms --
exits "POSIXLY_CORRECT changes nothing" 75 \
	env POSIXLY_CORRECT=1 meeting-ctl say hello text --as Bot
done_testing
