#!/bin/bash
# timeout: 400
# Escape sequences, turned directions and line breaks in whatever others may
# name: none reaches a terminal or a log.
. tests/lib.sh
. tests/sh/people.sh
export LC_ALL=C.UTF-8
m=hello
start_kit -v || { ok "the kit starts" false; done_testing; }
meeting-ctl -q create Hello --id $m

# raw FILE: lines with a control character other than the end of the line and
# TAB, as a byte or as UTF-8, or with one that turns the direction.
raw() { LC_ALL=C grep -cP \
	'[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]' "$1"; }
clean() { is "$1" "$(raw "$2")" 0; }
printf 'a\033[2J\n' >"$T/probe"; is "the probe finds an escape" "$(raw "$T/probe")" 1
printf 'a\u202eb\u009b\n' >"$T/probe"; is "and a direction" "$(raw "$T/probe")" 1

# What people may say of themselves and to others.
js='\u001b]0;owned\u0007\u001b[2J\u009b1m\u202egnp\u2066\u0085\u2028\r\b\u007f'
people
for i in 1 2 3; do
	p hello e$i token "$(token --role moderator)"
done
p ask e1 user.join "{\"name\":\"A$js\"}"
like "a name comes in" "$got" '"user":"u_'
p ask e2 user.join '{"name":"B\nconf-relay: info: forged"}'
like "one of two lines" "$got" '"user":"u_'
p ask e3 user.join "{\"name\":\"$(printf 'x%.0s' {1..10240})\"}"
is "one of 10 kB is refused" "$got" '!invalid'
p ask e3 user.join '{"name":"C"}'
p ask e1 chat.say '{"text":"to\u202eward \u2066x\u2069 z"}'
like "a text that turns" "$got" 'seq'
p ask e1 chat.say "{\"text\":\"$js\"}"
is "a text with escapes is refused" "$got" '!invalid'
p ask e1 meeting.set "{\"meeting\":\"$m\",\"key\":\"name\",\"value\":\"Room$js\"}"
p ask e1 user.kick "{\"user\":\"C\",\"reason\":\"why$js\"}"
p ask e1 link.create "{\"name\":\"L$js\"}"
for method in "x$js" "meeting.$js" "user.mute\\nforged: line"; do
	p ask e1 unknown.method "{\"a$js\":\"b$js\"}"
	meeting-ctl call "$(printf '%b' "${method//\\n/ }")" >/dev/null 2>&1
done
meeting-ctl create $'N\e[31m\u202ed' --id terminal >/dev/null 2>&1
meeting-ctl say $m $'\e[2Jhi\u202e' --as $'op\e[31m\u202e' >/dev/null 2>&1

for mode in "" -T --json; do
	for what in list "show $m" "users $m" "links $m" "get $m" "events $m" \
		"events" "keys list" "show terminal"; do
		# shellcheck disable=SC2086
		meeting-ctl $mode $what >"$T/said" 2>&1
		[ -s "$T/said" ] || ok "$mode $what says something" false
		clean "meeting-ctl $mode $what" "$T/said"
	done
done

# Every tool, of an argument and a file that it does not like.
evil=$'\e]0;owned\a\e[2J\u202e\u009b'
for tool in confd-run confd-signal conf-relay conf-load meeting-ctl; do
	: >"$T/said"
	for arg in "--$evil" "-$evil" "$evil" "--config=$evil" \
		"--listen=$evil" "--media=$evil" "--relay=$evil"; do
		timeout 10 "$tool" "$arg" </dev/null >>"$T/said" 2>&1
	done
	clean "$tool of its arguments" "$T/said"
done
for verb in show users end links events get keys role mute kick; do
	meeting-ctl $verb "$evil" "$evil" "$evil"
done </dev/null >"$T/said" 2>&1
ok "meeting-ctl complains" test -s "$T/said"
clean "without an escape" "$T/said"

# HTTP and WebSocket: paths, heads, agents.
for head in "User-Agent: x$evil" "Origin: https://x$evil" "Host: x$evil" \
	"Cookie: $evil" "X-Forwarded-For: $evil" "Referer: $evil"; do
	curl -sk --max-time 5 -o /dev/null -H "$head" "https://$kit_http/ws"
done
printf 'GET /%s HTTP/1.1\r\nHost: x\r\n\r\n' "$evil" |
	timeout 5 openssl s_client -quiet -connect "$kit_http" >/dev/null 2>&1
p hello bad token "a.$evil.b"
printf '{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":[1],"agent":"%s","role":"%s","token":"%s"}}\n' \
	"$js" "$js" "$js" | timeout 5 io-ask "$CONF_RUNDIR/signal.sock" >/dev/null
printf '{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":[1],"agent":"%s","role":"relay","instance":"%s","secret":"%s"}}\n' \
	"$js" "$js" "$js" | timeout 5 io-ask "$CONF_RUNDIR/worker.sock" >/dev/null
printf '{"jsonrpc":"2.0","id":1,"method":"start","params":{"template":"%s","instance":"%s","vars":{"%s":"%s"}}}\n' \
	"$js" "$js" "$js" "$js" | timeout 5 io-ask "$CONF_RUNDIR/run.sock" >/dev/null
printf '%s\n' "$evil" | timeout 5 io-ask "$CONF_RUNDIR/run.sock" >/dev/null
stop_kit
like "the logs have lines" "$(wc -l <"$T/kit.err")" '[1-9]'
clean "and no control character: kit.err" "$T/kit.err"
is "nor a line that somebody else wrote" \
	"$(grep -cE '^(conf-relay: info: )?forged' "$T/kit.err")" 0
done_testing
