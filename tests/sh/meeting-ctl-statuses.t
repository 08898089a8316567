#!/bin/bash
# Each verb ends with the exit status that the answer calls for.
# timeout: 400
. tests/lib.sh
. tests/sh/canned.sh

u=u_aaaaaaaaaaaaaaaaaaaaaaaaaa
verbs=(
	"create Name|meeting.create"
	"list|meeting.list"
	"show hello|meeting.show"
	"end hello|meeting.end"
	"users hello|user.list"
	"say hello text|chat.say"
	"mute hello $u|user.mute"
	"mute hello --all|user.mute"
	"unmute hello $u|user.unmute"
	"kick hello $u|user.kick"
	"role hello $u viewer|user.role"
	"hand hello $u down|user.hand"
	"link hello|link.create"
	"links hello|link.list"
	"unlink hello l_aaaaaaaaaaaaaaaaaaaaaaaaaa|link.revoke"
	"keys list|key.list"
	"keys rotate|key.rotate"
	"get hello|meeting.get"
	"get hello name|meeting.get"
	"set hello max_users 5|meeting.set"
	"wait hello users > 5|events.follow"
	"wait hello user.joined|events.follow"
	"events hello|events.read"
	"events hello -f|events.follow"
	"events|events.read"
	"call some.method {}|some.method"
)
for row in "${verbs[@]}"; do
	verb=${row%|*} method=${row#*|}
	for kind in not_found:1 exists:1 ambiguous:1 denied:1 invalid:2 io:3 \
		internal:3 busy:75 limit:75 draining:75 unavailable:75 \
		timeout:124 unheard_of:3; do
		answers "$method\t!${kind%:*} words of the server"
		exits "$verb: ${kind%:*} is ${kind#*:}" "${kind#*:}" mc $verb
		[ "$err" = "meeting-ctl: ${verb%% *}: words of the server" ] ||
			is "$verb says what the server said" "$err" "words"
	done
	answers "$method\tclose"
	exits "$verb: a closed connection is 75" 75 mc $verb
	answers "$method\thang"
	exits "$verb: no answer is 124" 124 mc -w 50ms $verb
	answers "$method\t>nonsense"
	exits "$verb: what is no message is 3" 3 mc $verb
done

answers 'meeting.create\t{"meeting":{"id":"name","name":"Name"},"created":true}'
exits "create: 0" 0 mc create Name
is "create prints the id" "$out" name
exits "create -q: 0" 0 mc -q create Name
is "create -q prints nothing" "$out" ""
for v in end:meeting.end say:chat.say mute:user.mute unmute:user.unmute \
	kick:user.kick hand:user.hand set:meeting.set unlink:link.revoke; do
	answers "${v#*:}\t{\"seq\":7}"
	verb=${v%:*}
	case $verb in
	end) set -- hello ;;
	say) set -- hello text ;;
	hand) set -- hello $u up ;;
	set) set -- hello name 5 ;;
	unlink) set -- hello l_aaaaaaaaaaaaaaaaaaaaaaaaaa ;;
	*) set -- hello $u ;;
	esac
	exits "$verb: 0" 0 mc $verb "$@"
	is "$verb prints nothing" "$out$err" ""
	exits "$verb --json: 0" 0 mc --json $verb "$@"
	is "$verb --json prints the answer" "$out" '{"seq":7}'
done
answers 'user.role\t{"seq":8}'
exits "role: 0" 0 mc role hello $u moderator
answers 'hello\t!denied not you'
exits "a refused hello has its status" 1 mc list
answers 'hello\t{"protocol":2,"actor":"x","rights":[]}'
exits "a server of another protocol is 75" 75 mc list
like "and says so" "$err" "protocol"
answers 'hello\thang'
exits "a hello that is not answered is 124" 124 mc -w 50ms list
done_testing
