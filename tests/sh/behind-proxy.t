#!/bin/bash
# Below a path, and behind a proxy: what is where, who is believed about whom,
# and whose page may connect. curl is the proxy here.
. tests/lib.sh
export CONF_TLS=off
start() # FILE: confkit.conf
{
	start_kit --config "$1" -v
	u=http://$kit_http
}
kit_conf() { printf '[signal]\n' >"$T/kit.conf"
	printf '%s\n' "$@" >>"$T/kit.conf"; start "$T/kit.conf"; }
get() { curl -s --max-time 5 --path-as-is "$@"; }
code() { get -o /dev/null -w '%{http_code}' "$@"; }
head_of() { get -D - -o /dev/null "$@" | tr -d '\r'; }
ws() { code -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
	-H 'Sec-WebSocket-Version: 13' \
	-H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' --max-time 1 "$@"; }

kit_conf 'base-path = /conf' 'trust-proxy = 127.0.0.1 2001:db8::/32'
is "the page" "$(code "$u/conf/m/hello")" 200
is "the page without a meeting" "$(code "$u/conf/m/")" 200
is "a file" "$(code "$u/conf/main.js")" 200
is "health" "$(get "$u/conf/healthz")" ok
for p in /conf /conf/; do
	like "$p leads to the page" "$(head_of "$u$p")" '^Location: /conf/m/$'
	is "$p, permanently" "$(code "$u$p")" 308
done
for p in / /m/hello /main.js /healthz /ws /confer/main.js /conf.js \
	/conf/../main.js /conf//main.js /%63onf/main.js /conf/conf/main.js; do
	is "nothing at $p" "$(code "$u$p")" 404
done
is "the WebSocket" "$(ws "$u/conf/ws")" 101
is "and not elsewhere" "$(ws "$u/ws")" 404
meeting-ctl -q create hello
link=$(meeting-ctl link hello)
like "links are below it" "$link" "^http://localhost:[0-9]+/conf/m/hello#t="
like "with another host, too" "$(meeting-ctl link hello --lan)" \
	"^http://.*:[0-9]+/conf/m/hello#t="
self=http://$kit_http/conf/
like "the page may load from below it alone" "$(head_of "$u/conf/m/hello")" \
	"^Content-Security-Policy: default-src 'none'; script-src $self; style-src $self; img-src $self blob:; connect-src $self ws://$kit_http/conf/ws; "

# The proxy says what the browser asked it.
x=(-H 'X-Forwarded-For: 203.0.113.7' -H 'X-Forwarded-Proto: https'
	-H 'X-Forwarded-Host: meet.example')
like "it is believed about host and scheme" \
	"$(head_of "${x[@]}" "$u/conf/m/hello")" \
	"connect-src https://meet.example/conf/ wss://meet.example/conf/ws;"
is "its own page may connect" \
	"$(ws "${x[@]}" -H 'Origin: https://meet.example' "$u/conf/ws")" 101
for o in http://meet.example "http://$kit_http" https://evil.example \
	https://meet.example.evil.example https://meet.example:444; do
	is "and $o may not" "$(ws "${x[@]}" -H "Origin: $o" "$u/conf/ws")" 403
done
is "the same by its Host" "$(ws -H 'X-Forwarded-Proto: https' \
	-H 'Host: meet.example:444' -H 'Origin: https://meet.example:444' \
	"$u/conf/ws")" 101
is "and by Forwarded" "$(ws -H 'Origin: https://meet.example' -H \
	'Forwarded: for=203.0.113.7;proto=https;host=meet.example' \
	"$u/conf/ws")" 101
is "two headers that agree" "$(code "${x[@]}" -H \
	'Forwarded: for="203.0.113.7:9"' "$u/conf/m/hello")" 200
is "two headers that do not" "$(code "${x[@]}" -H 'Forwarded: for=1.1.1.1' \
	"$u/conf/m/hello")" 400
like "which is told" "$(cat "$T/kit.err")" 'refused a request that 127.0.0.1:[0-9]+ forwards: Forwarded and X-Forwarded-For name different clients'
is "a Forwarded that is none" "$(code -H 'Forwarded: for="x' "$u/conf/ws")" 400
is "a host that is none" "$(code -H 'X-Forwarded-Host: a"b' "$u/conf/m/")" 400

# Who says hello, as the log has it.
hello() # HEADER...: with what the log names it
{
	node - "$kit_http" "${link#*#t=}" "$@" <<'NODE'
const {createRequire} = require('node:module');
const WebSocket = createRequire(`${process.cwd()}/.build/node/package.json`)('ws');
const [host, token, ...lines] = process.argv.slice(2);
const headers = {};
for (const l of lines) {
	const [k, v] = l.split(/: (.*)/s);
	headers[k] = headers[k] ? [].concat(headers[k], v) : v;
}
const ws = new WebSocket(`ws://${host}/conf/ws`, {headers});
ws.on('open', () => ws.send(JSON.stringify({jsonrpc: '2.0', id: 1,
	method: 'hello', params: {protocol: [1], agent: 'x', role: 'client',
		token}})));
ws.on('message', (m) => {
	const r = JSON.parse(m).result;
	if (r) console.log(r.user);
	ws.close();
});
ws.on('error', (e) => console.log(String(e)));
setTimeout(() => process.exit(1), 10000).unref();
NODE
}
named() # HEADER...: the address that the log has for it
{
	local user=$(hello "$@")
	sed -n "s/.*websocket \(.*\) is $user in hello\$/\1/p" "$T/kit.err"
}
is "the log has the client's address" \
	"$(named 'X-Forwarded-For: 203.0.113.7')" 203.0.113.7:0
is "not one that it claims" "$(named \
	'X-Forwarded-For: 127.0.0.1, 198.51.100.1, 203.0.113.7')" 203.0.113.7:0
is "nor over two lines" "$(named 'X-Forwarded-For: 198.51.100.1' \
	'X-Forwarded-For: 203.0.113.8:77, 2001:db8::5')" 203.0.113.8:77
is "IPv6" "$(named 'Forwarded: for="[2001:db9::7]:99"')" '[2001:db9::7]:99'
like "none that can be read: the proxy's own" \
	"$(named 'X-Forwarded-For: 203.0.113.7, garbage')" '^127.0.0.1:[0-9]+$'
stop_kit

# Who is not trusted is not believed.
kit_conf 'trust-proxy = 192.0.2.0/24'
x=(-H 'X-Forwarded-For: 1.1.1.1' -H 'X-Forwarded-Proto: https'
	-H 'X-Forwarded-Host: evil.example' -H 'Forwarded: for=2.2.2.2')
like "of a stranger no host is believed" \
	"$(head_of "${x[@]}" "$u/m/hello")" "connect-src 'self' ws://$kit_http;"
is "nor the origin" "$(ws "${x[@]}" -H 'Origin: https://evil.example' "$u/ws")" \
	403
is "nor a Forwarded that is none" "$(code -H 'Forwarded: for="x' "$u/")" 200
is "its own page connects" "$(ws "${x[@]}" -H "Origin: $u" "$u/ws")" 101
stop_kit

# Each client of a proxy has limits of its own, by the address that the proxy
# saw.
kit_conf 'trust-proxy = 127.0.0.1' 'limit-loopback = on' 'limit-requests = 1'
from() { code -H "X-Forwarded-For: $1" "$u/m/hello"; }
until_refused() # FORMAT: of X-Forwarded-For; %d is another each time
{
	local n
	for n in {1..200}; do
		[ "$(from "$(printf "$1" $n)")" = 429 ] && echo refused &&
			return
	done
}
is "a client that asks too often is refused" \
	"$(until_refused '203.0.113.7')" refused
is "another is not" "$(from 203.0.113.8)" 200
is "other claims of its own gain the first nothing" \
	"$(until_refused '198.51.100.%d, 203.0.113.7')" refused
is "nor does it cost whom it names" "$(from 198.51.100.1)" 200
stop_kit

# With --url: its path counts, or else the base path.
kit_conf 'url = https://meet.example' 'base-path = /a/b-c'
like "the base path goes behind --url" "$(meeting-ctl link hello)" \
	'^https://meet.example/a/b-c/m/hello#t='
is "and its origin may connect" \
	"$(ws -H 'Origin: https://meet.example' "$u/a/b-c/ws")" 101
stop_kit
kit_conf 'url = https://meet.example/x' 'base-path = /conf'
like "a path of --url stands" "$(meeting-ctl link hello)" \
	'^https://meet.example/x/m/hello#t='
stop_kit

for bad in conf /conf/ / /a//b /.x '/a b' /%41; do
	exits "--base-path '$bad' is refused" 2 confd-signal --base-path "$bad"
done
for bad in x 10.0.0.1/8 10.0.0.0/33 ::1/129 10.0.0.0/; do
	exits "--trust-proxy '$bad' is refused" 2 confd-signal \
		--trust-proxy "$bad"
	like "naming it" "$err" "not a network: '$bad'"
done
done_testing
