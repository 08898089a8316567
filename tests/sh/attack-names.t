#!/bin/bash
# timeout: 400
# Names and ids that want to be paths, options or commands, on the command
# line, the sockets and HTTP: nothing outside is made, changed or read.
. tests/lib.sh
here=$PWD
m=hello
mkdir -p "$T/cwd/in" "$T/outside"
echo "a secret of others" >"$T/outside/secret"
export CONF_RUNDIR=$T/kit/run CONF_STATEDIR=$T/kit/state
mkdir -p "$T/kit"
start_kit || { ok "the kit starts" false; done_testing; }
meeting-ctl -q create Hello --id $m
cd "$T/cwd/in" || exit 1

long=$(printf 'a%.0s' {1..4096})
names=(../x ../../outside/secret ../../../../../../etc/passwd /etc/passwd
	%2e%2e/x ..%2fx '..\x' a/../../x . .. ./x '~/x' -rf --help -- ''
	"$long" "../$long" $'a\nb' 'a b' '*' '$(touch pwned)' '`touch pwned`'
	';touch pwned' '| touch pwned' '&touch pwned' 'x>pwned' 'a.db' HELLO
	'file:///etc/passwd' $'\x80\xff' 'a,b' '%s%n' '%{x}')
# Everything below $T but what the kit writes by right, and this test.
outside() { find "$T" -path "$T/kit" -prune -o -newer "$T/mark" -type f \
	! -path "$T/.*" ! -path "$T/kit.*" ! -path "$T/said" \
	! -path "$T/asked" ! -path "$T/urls" -print; }
inside() { (cd "$T/kit" && find . ! -name '*-wal' ! -name '*-shm' | sort); }
touch "$T/mark"
before=$(inside)

: >"$T/said"
made=0 tried=0
for name in "${names[@]}"; do
	meeting-ctl -w 5s show -- "$name"
	meeting-ctl -w 5s events -- "$name"
	meeting-ctl -w 5s create --id "$name" X && made=$((made + 1))
	meeting-ctl -w 5s kick $m -- "$name"
	meeting-ctl -w 5s unlink $m -- "$name"
	meeting-ctl -w 5s link $m --name "$name"
	meeting-ctl -w 5s -s "$name" list && made=$((made + 1))
	tried=$((tried + 7))
done </dev/null >"$T/said" 2>&1
ok "$tried commands with ${#names[@]} names" test "$tried" -gt 200
is "no meeting is made with such an id, no such socket found" "$made" 0
is "0 files outside" "$(outside)" ""
is "and none inside" "$(inside)" "$before"
is "nothing secret was printed" "$(grep -c 'secret of\|root:x' "$T/said")" 0

# The sockets, where no shell is in between.
sock() { io-ask -w 20 "$CONF_RUNDIR/$1.sock"; }
hello='{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":[1],"agent":"t","role":"client"}}'
requests() { echo "$hello"; jq -cn --args '$ARGS.positional[] as $n |
	("meeting.create", "meeting.show", "meeting.get", "meeting.set",
	"meeting.end", "user.list", "user.mute", "user.kick", "link.create",
	"link.list", "link.revoke", "events.read", "events.follow",
	"media.subscribe", "chat.say") as $m | {jsonrpc: "2.0", id: 2,
	method: $m, params: {meeting: $n, id: $n, user: $n, link: $n, key: $n,
	value: $n, text: $n, role: $n}}' -- "${names[@]}" $'a\x01b'; }
requests >"$T/asked"
sock signal <"$T/asked" >"$T/said"
is "each request has an answer" "$(wc -l <"$T/said")" "$(wc -l <"$T/asked")"
is "which is no, but to hello" "$(grep -vc '"error"' "$T/said")" 1
is "a NUL in an id is refused" "$(printf '%s\n%s\n' "$hello" \
	'{"jsonrpc":"2.0","id":2,"method":"meeting.create","params":{"id":"a\u0000/../b"}}' |
	sock signal | grep -c '"error"')" 1
{ echo "$hello"; jq -cn --args '$ARGS.positional[] as $n | ({template: $n, instance: $n,
	vars: {($n): $n}}, {template: "relay", instance: $n}) as $p |
	("start", "stop") as $m | {jsonrpc: "2.0", id: 1, method: $m,
	params: ($p + {worker: $n})}' -- "${names[@]}"; } >"$T/asked"
sock run <"$T/asked" >"$T/said"
is "so has each of confd-run" "$(wc -l <"$T/said")" "$(wc -l <"$T/asked")"
is "and it starts nothing" "$(grep -vc '"error"' "$T/said")" 1
is "0 files outside, still" "$(outside)" ""
is "and none inside, still" "$(inside)" "$before"

# HTTP of the running server.
n=0
for name in "${names[@]}" ../../state/keys/token.cur %00 "x%00.js" \
	..%5c..%5cx %252e%252e/x ....//x "..;/x"; do
	[[ $name != *[$' \n"\\{}<>|`']* ]] || continue
	for base in / /m/ /files/ /files/hello/; do
		n=$((n + 1))
		printf 'url = "https://%s%s%s"\noutput = "%s"\n' "$kit_http" \
			"$base" "$name" "$T/kit/got.$n"
	done
done >"$T/urls"
curl -skg --max-time 60 --path-as-is -K "$T/urls" \
	-w '%{http_code} %{filename_effective} %{url}\n' >"$T/said" 2>&1
is "$n addresses are answered" "$(grep -c '^[0-9]' "$T/said")" "$n"
# A meeting's page is the same for every name.
got=$(awk '$1 == 200 { print $2, $3 }' "$T/said" | while read -r file url; do
	cmp -s "$file" "$here/lib/web/www/index.html" || echo "$url"; done
	grep -l 'secret of\|root:x' "$T"/kit/got.* 2>/dev/null)
rm -f "$T"/kit/got.*
is "HTTP gives 0 files of others" "$got" ""
is "0 files outside, at last" "$(outside)" ""
ok "the kit lives" meeting-ctl -q show $m
cd "$here" || exit 1
stop_kit; is "and ends well" "$kit_rc" 0
done_testing
