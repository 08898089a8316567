#!/bin/bash
# conf-relay: what it says to requests that are wrong, and to lines that are
# none.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/relay.sh"

relay_start --media 127.0.0.1:0
ask hello '{"protocol":[1],"agent":"test","role":"client"}'
is "hello is answered, though not needed" "$(jq .result.protocol <<<"$reply")" 1
ask relay.list '{}'
is "there is nothing at first" "$(result)" '{"rooms":[]}'

ask no.such '{}'
is "an unknown method has its code" "$(jq .error.code <<<"$reply")" -32601
ask room.create '{}'
is "a room needs a name" "$(kind)" invalid
like "which is said" "$reply" "'room'"
ask room.create '{"room":"r"}'
is "and an epoch" "$(kind)" invalid
ask room.create '{"room":"r","epoch":-1}'
is "that is no negative number" "$(kind)" invalid
ask room.create "{\"room\":\"$(printf 'x%.0s' {1..100})\",\"epoch\":1}"
is "a name has its length" "$(kind)" invalid
ask room.create '{"room":"r","epoch":3}'
is "a room is made" "$(result)" '{}'
ask room.create '{"room":"r","epoch":3}'
is "twice is once" "$(result)" '{}'
ask room.create '{"room":"r","epoch":2}'
is "an older epoch is refused" "$(kind)" invalid

ask endpoint.grant "{\"room\":\"none\",\"endpoint\":\"e_a\",\"grant\":$grant}"
is "no grant in an unknown room" "$(kind)" not_found
ask endpoint.grant '{"room":"r","endpoint":"e_a"}'
is "nor without one" "$(kind)" invalid
ask endpoint.grant '{"room":"r","endpoint":"e_a","grant":{"publish":["tv"]}}'
is "nor of an unknown source" "$(kind)" invalid
ask endpoint.grant "{\"room\":\"r\",\"endpoint\":\"e_a\",\"grant\":$grant}"
is "a grant is taken" "$(result)" '{}'
ask endpoint.want '{"room":"r","endpoint":"e_x","tracks":[]}'
is "an unknown endpoint wants nothing" "$(kind)" not_found
ask endpoint.want '{"room":"r","endpoint":"e_a","tracks":[{"endpoint":"e_b"}]}'
is "a wish names a source" "$(kind)" invalid
ask endpoint.want '{"room":"r","endpoint":"e_a","tracks":[{"endpoint":"e_b","source":"cam","height":180,"stage":true}]}'
is "a wish is taken" "$(result)" '{}'

base='"room":"r","epoch":3,"endpoint":"e_a","grant":'$grant
ask transport.create "{$base,\"transport\":\"t_1\",\"direction\":\"up\"}"
is "a transport has a direction" "$(kind)" invalid
ask transport.create "{$base,\"transport\":\"t_1\",\"direction\":\"publish\"}"
is "publishing needs an offer" "$(kind)" invalid
ask transport.create "{$base,\"transport\":\"t_1\",\"direction\":\"publish\",\"sdp\":\"nonsense\"}"
is "that is an SDP" "$(kind)" invalid
ask transport.create "{${base/\"epoch\":3/\"epoch\":4},\"transport\":\"t_1\",\"direction\":\"subscribe\"}"
is "of the epoch that is held" "$(kind)" invalid
ask transport.create "{${base/\"r\"/\"none\"},\"transport\":\"t_1\",\"direction\":\"subscribe\"}"
is "in a room that is there" "$(kind)" not_found
ask transport.create "{$base,\"transport\":\"t_1\",\"direction\":\"subscribe\"}"
is "a subscriber gets an offer with nine slots" \
	"$(jq '.result.slots | length' <<<"$reply")" 9
like "of a server on loopback" "$(jq -r .result.sdp <<<"$reply")" \
	'^a=candidate:.* 127.0.0.1 [0-9]+ typ host'
ask transport.create "{$base,\"transport\":\"t_1\",\"direction\":\"subscribe\"}"
is "its name is taken then" "$(kind)" exists
ask transport.answer '{"transport":"t_1","sdp":"v=0"}'
is "an answer is an SDP" "$(kind)" invalid
ask transport.answer '{"transport":"t_9","sdp":"v=0"}'
is "to a transport that is there" "$(kind)" not_found
ask relay.list '{}'
is "the list tells" "$(jq -c '.result.rooms[0] | [.room, .epoch,
	.endpoints[0].transports[0]]' <<<"$reply")" \
	'["r",3,{"transport":"t_1","direction":"subscribe","state":"new"}]'

ask room.sync "{\"room\":\"r\",\"epoch\":3,\"endpoints\":[{\"endpoint\":\"e_b\",\"grant\":$grant}]}"
is "a sync is taken" "$(result)" '{}'
like "who is not in it is dropped" "$(cat "$T/answers")" \
	'"transport.state".*"t_1".*"closed".*"removed"'
ask relay.list '{}'
is "and the others are there" "$(jq -c '[.result.rooms[0].endpoints[].endpoint]' <<<"$reply")" '["e_b"]'
ask room.sync '{"room":"r","epoch":3,"endpoints":[{"endpoint":"e_c"}]}'
is "a sync that is wrong" "$(kind)" invalid
ask relay.list '{}'
is "changes nothing" "$(jq -c '[.result.rooms[0].endpoints[].endpoint]' <<<"$reply")" '["e_b"]'
ask transport.close '{"transport":"t_1"}'
is "what is gone cannot be closed" "$(kind)" not_found
ask room.create '{"room":"r","epoch":4}'
ask relay.list '{}'
is "a higher epoch starts anew" "$(jq -c '.result.rooms[0].endpoints' <<<"$reply")" '[]'
ask room.remove '{"room":"r"}'
is "a room is removed" "$(result)" '{}'
ask room.remove '{"room":"r"}'
is "once" "$(kind)" not_found
# Notifications are carried out and not answered.
before=$(wc -l <"$T/answers")
echo '{"jsonrpc":"2.0","method":"room.create","params":{"room":"q","epoch":1}}' >&9
echo '{"jsonrpc":"2.0","method":"room.create","params":{}}' >&9
ask relay.list '{}'
is "a notification is no request" "$(jq -c '.result.rooms[0].room' <<<"$reply")" '"q"'
is "and has no answer" "$(wc -l <"$T/answers")" $((before + 1))
relay_end; is "after all this it ends well" $? 0
is "and has logged no trouble" "$(grep -c 'warn\|error' "$T/words")" 0

cut_off() # DESC CODE
{
	wait "$relay"; is "$1 ends it with 3" $? 3
	exec 9>&-
	is "after an answer with its code" \
		"$(tail -1 "$T/answers" | jq .error.code)" "$2"
	is "and one line in the log" "$(grep -c 'cut off' "$T/words")" 1
}
relay_start --media 127.0.0.1:0
echo '{"jsonrpc":"2.0","id":1,' >&9
cut_off "a line that is no JSON" -32700
relay_start --media 127.0.0.1:0
echo '[]' >&9
cut_off "a batch" -32600
relay_start --media 127.0.0.1:0
head -c 70000 /dev/zero | tr '\0' x >&9
cut_off "a line without an end" -32600
relay_start --media 127.0.0.1:0
{ printf '{"jsonrpc":"2.0","id":1,"method":"relay.list","params":{"x":"'
	head -c 66000 /dev/zero | tr '\0' x; echo '"}}'; } >&9
cut_off "a line above 64 KiB" -32600

done_testing
