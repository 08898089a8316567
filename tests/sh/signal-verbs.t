# Every verb that an operator has, as raw lines over signal.sock.
. tests/lib.sh
unset CONF_RUNDIR CONF_STATEDIR LISTEN_FDS LISTEN_FDNAMES
mkdir "$T/www" && echo hello >"$T/www/index.html"
mkfifo "$T/ready"
confd-signal --rundir "$T/run" --statedir "$T/state" --www "$T/www" \
	--sync normal --tls off --listen 127.0.0.1:0 -d 4 \
	2>"$T/err" 4>"$T/ready" &
pid=$! tap_pids+=($!)
timeout 10 head -c1 "$T/ready" >/dev/null
hello='{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":[1]}}'

# lines LINE...: behind a hello; prints the answers to them
lines() { printf '%s\n' "$hello" "$@" | io-ask "$T/run/signal.sock" |
	tail -n +2; }
line() { printf '{"jsonrpc":"2.0","id":2,"method":"%s","params":%s}' "$1" \
	"${2:-"{}"}"; }
# call METHOD PARAMS [JQ]: of the result, or the kind of the error
call() { lines "$(line "$1" "${2:-"{}"}")" |
	jq -rc "if .error then .error.data.kind else .result | ${3:-.} end"; }
words() { lines "$(line "$1" "$2")" | jq -r .error.message; }

# Meetings.
is 'create' "$(call meeting.create '{"id":"a","name":"Team A"}' \
	'[.created, .meeting.id, .meeting.name, .meeting.state]')" \
	'[true,"a","Team A","open"]'
is 'create again' "$(call meeting.create '{"id":"a","name":"Other"}' \
	'[.created, .meeting.name]')" '[false,"Team A"]'
is 'an id of the name' "$(call meeting.create '{"name":"Über Uns!"}' \
	.meeting.id)" 'ber-uns'
is 'the next one' "$(call meeting.create '{"name":"Über  Uns"}' \
	.meeting.id)" 'ber-uns-2'
like 'an id of no name' "$(call meeting.create '{"name":"你好"}' \
	.meeting.id)" '^m-[a-z2-7]{8}$'
is 'an id that is none' "$(call meeting.create '{"id":"A b"}')" invalid
is 'mixing' "$(call meeting.create '{"id":"m","audio":"mix"}')" unavailable
is 'a bad limit' "$(call meeting.create '{"id":"m","max_users":-1}')" invalid
is 'a name that is a number' "$(call meeting.create '{"name":5}')" invalid
is 'list' "$(call meeting.list '{}' '[.meetings[].id] | length')" 4
is 'show' "$(call meeting.show '{"meeting":"a"}' .meeting.seq)" 1
is 'show none' "$(call meeting.show '{"meeting":"none"}')" not_found
is 'no meeting' "$(call meeting.show '{}')" invalid
is 'a meeting by number' "$(call meeting.show '{"meeting":7}')" invalid
is 'a path' "$(call meeting.show '{"meeting":"../a"}')" not_found
is 'get' "$(call meeting.get '{"meeting":"a"}')" \
	'{"name":"Team A","audio":"auto","empty_ms":600000,"max_users":0}'
is 'get one' "$(call meeting.get '{"meeting":"a","key":"name"}' .value)" \
	'Team A'
is 'get none' "$(call meeting.get '{"meeting":"a","key":"x"}')" invalid
is 'set' "$(call meeting.set \
	'{"meeting":"a","key":"max_users","value":2}')" '{"seq":2}'
is 'set as it was' "$(call meeting.set \
	'{"meeting":"a","key":"max_users","value":2}')" '{"seq":2}'
is 'set nonsense' "$(call meeting.set \
	'{"meeting":"a","key":"max_users","value":"x"}')" invalid

# Links.
link=$(call link.create '{"meeting":"a","name":"Ann","role":"moderator"}')
like 'a link' "$(jq -r .url <<<"$link")" \
	'^http://localhost:[0-9]+/m/a#t=ey'
like 'its claims' "$(jq -r .token <<<"$link" | cut -d. -f2 |
	tr _- /+ | base64 -d 2>/dev/null)" \
	'"mtg":"a","role":"moderator","name":"Ann"'
is 'links' "$(call link.list '{"meeting":"a"}' \
	'[.links[] | [.name, .role, .revoked]]')" '[["Ann","moderator",false]]'
is 'revoke' "$(call link.revoke \
	"{\"meeting\":\"a\",\"link\":$(jq .link <<<"$link")}" .seq)" 4
is 'revoke none' "$(call link.revoke '{"meeting":"a","link":"x"}')" not_found
is 'a role that is none' "$(call link.create \
	'{"meeting":"a","role":"king"}')" invalid
is 'a life too short' "$(call link.create '{"meeting":"a","ttl_ms":1}')" \
	invalid

# Chat.
is 'say' "$(call chat.say '{"meeting":"a","text":" hi ","as":"Desk"}' .seq)" 5
is 'say nothing' "$(call chat.say '{"meeting":"a","text":"  "}')" invalid
is 'say much' "$(call chat.say "{\"meeting\":\"a\",\"text\":\"$(
	printf 'x%.0s' {1..8001})\"}")" invalid
is 'say to nobody' "$(call chat.say \
	'{"meeting":"a","text":"x","to":"u_aaaaaaaaaaaaaaaaaaaaaaaaaa"}')" \
	not_found
is 'the event' "$(call events.read '{"meeting":"a","since":4}' \
	'[.seq, .more, (.events[] | [.seq, .type, .actor, .data])]')" \
	"[5,false,[5,\"chat.said\",\"op:$(id -u)\",{\"text\":\"hi\",\"name\":\"Desk\"}]]"

# Users that are not there.
for m in user.kick user.hand user.role user.mute user.unmute; do
	is "$m of nobody" "$(call $m \
		'{"meeting":"a","user":"u_x","up":false,"role":"viewer"}')" \
		not_found
done
is 'mute whom?' "$(call user.mute '{"meeting":"a"}')" invalid
is 'mute all of none' "$(call user.mute '{"meeting":"a","all":true}')" \
	'{"seq":5}'
is 'users' "$(call user.list '{"meeting":"a"}')" '{"users":[],"more":false}'
for m in user.join user.leave media.publish media.check; do
	is "$m is not for operators" "$(call $m \
		'{"meeting":"a","sdp":"x","transports":[]}')" denied
done

# Events.
is 'all events' "$(call events.read '{}' \
	'[.events[].pos] == [range(1; .pos + 1)]')" true
is 'a page' "$(call events.read '{"limit":2}' \
	'[(.events | length), .pos, .more]')" '[2,2,true]'
is 'a limit that is none' "$(call events.read '{"limit":0}')" invalid
is 'of the future' "$(call events.read '{"meeting":"a","since":99}')" invalid
is 'read what was just asked for' "$(lines \
	"$(line chat.say '{"meeting":"a","text":"now"}')" \
	"$(line events.read '{"meeting":"a","since":5}')" |
	tail -1 | jq -c '[.result.events[].data.text]')" '["now"]'
is 'follow from the first' "$(printf '%s\n' "$hello" \
	"$(line events.follow '{"meeting":"a","since":0}')" |
	io-ask -n 8 "$T/run/signal.sock" |
	jq -c 'select(.method) | .params.seq' | tr '\n' ' ')" '1 2 3 4 5 6 '
is 'follow all' "$(printf '%s\n' "$hello" \
	"$(line events.follow '{"since":0}')" |
	io-ask -n 4 "$T/run/signal.sock" |
	jq -c 'select(.method) | .params.pos' | head -2 | tr '\n' ' ')" '1 2 '

# The end, and a new beginning.
is 'end' "$(call meeting.end '{"meeting":"a","reason":"tea"}' .seq)" 7
is 'end again' "$(call meeting.end '{"meeting":"a"}')" not_found
is 'say after the end' "$(call chat.say '{"meeting":"a","text":"x"}')" \
	not_found
is 'list leaves it out' "$(call meeting.list '{}' \
	'[.meetings[].id] | index("a")')" null
is 'list with ended ones' "$(call meeting.list '{"ended":true}' \
	'.meetings[] | select(.id == "a") | .state')" ended
is 'show after the end' "$(call meeting.show '{"meeting":"a"}' \
	.meeting.state)" ended
is 'read after the end' "$(call events.read '{"meeting":"a","since":6}' \
	'.events[0].data.reason')" tea
is 'create anew' "$(call meeting.create '{"id":"a"}' \
	'[.created, .meeting.seq]')" '[true,8]'

# The wire.
is 'no such method' "$(lines "$(line no.such)" | jq -c .error.code)" -32601
is 'params that are no object' "$(lines \
	'{"jsonrpc":"2.0","id":3,"method":"meeting.list","params":[]}' |
	jq -rc .error.data.kind)" invalid
is 'a notification does nothing' "$(printf '%s\n' "$hello" \
	'{"jsonrpc":"2.0","method":"meeting.end","params":{"meeting":"a"}}' \
	"$(line meeting.show '{"meeting":"a"}')" |
	io-ask -n 2 "$T/run/signal.sock" | tail -1 |
	jq -r .result.meeting.state)" open
is 'a request before hello' "$(echo "$(line meeting.list)" |
	io-ask "$T/run/signal.sock" | jq -rc .error.data.kind)" denied
is 'hello twice' "$(lines "$hello" "$(line meeting.list)" |
	jq -rc '[.id, .error.data.kind]')" '[1,"invalid"]'
is 'another version' "$(echo "${hello/\[1\]/[2]}" |
	io-ask "$T/run/signal.sock" | jq -r .error.data.kind)" invalid
is 'junk' "$(printf '%s\nnonsense\n' "$hello" | io-ask "$T/run/signal.sock" |
	tail -1 | jq -c '[.id, .error.code]')" '[null,-32700]'
is 'a batch' "$(lines "[$(line meeting.list)]" | jq -c .error.code)" -32600
is 'an oversized line' "$(printf '%s\n{"x":"%s"}\n' "$hello" \
	"$(head -c 70000 /dev/zero | tr '\0' x)" |
	io-ask "$T/run/signal.sock" | tail -1 | jq -r .error.data.kind)" limit
is 'deep nesting' "$(lines "$(line meeting.list \
	"$(printf '[%.0s' {1..40})$(printf ']%.0s' {1..40})")" |
	jq -c .error.code)" -32700
is 'a repeated key' "$(lines '{"id":1,"id":2}' | jq -c .error.code)" -32700
is 'it lives' "$(call meeting.list '{}' '.meetings | length')" 4
like 'and counted them' "$(cat "$T/err")" 'malformed message, closed \([6-9]'
kill $pid; wait $pid; is 'a clean end' $? 0
done_testing
