#!/bin/bash
# timeout: 240
# SIGHUP: certificate and configuration are read again; connections that are
# open stay so; what is bad changes nothing.
. tests/lib.sh
make_cert() # NAME
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$T/new.key" -out "$T/new.pem" -days 2 -subj "/CN=$1" \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	chmod 600 "$T/new.key"
}
use_cert() { mv "$T/new.key" "$T/tls/key.pem"
	mv "$T/new.pem" "$T/tls/cert.pem"; }
mkdir "$T/tls" "$T/other" "$T/etc"
make_cert first
use_cert
conf() # LINE...: behind the certificate in [signal]
{
	{ printf '[signal]\ntls-cert = %s\ntls-key = %s\n' \
		"${cert:-$T/tls/cert.pem}" "${key:-$T/tls/key.pem}"
	printf '%s\n' "$@"; } >"$T/etc/kit.conf"
}
conf 'url = https://one.example' '[template old]' 'argv = sleep 1000'
start_kit --config "$T/etc/kit.conf" -v
signal=$(kit_pid confd-signal) relay=$(kit_pid relay-0)
lines() { grep -c "$1" "$T/kit.err"; }
hup() # WORD: SIGHUP, then a new line with it
{
	local n=$(lines "$1")
	kill -HUP "$kit"
	more() { [ "$(lines "$1")" -gt "$2" ]; }
	wait_for 20 more "$1" "$n"
}
again='confd-signal: info: read again' stays='all stays as it was'
subject() { openssl s_client -connect "$kit_http" </dev/null 2>/dev/null |
	sed -n 's/^subject=CN = //p'; }
get() { curl -sk --max-time 10 "$@"; }
ws() { get -o /dev/null -w '%{http_code}' --http1.1 --max-time 1 \
	-H 'Connection: Upgrade' -H 'Upgrade: websocket' \
	-H 'Sec-WebSocket-Version: 13' -H "Origin: $1" \
	-H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' \
	"https://$kit_http/ws"; }
meeting-ctl -q create hello
is "the first certificate" "$(subject)" first

# A WebSocket that echoes lists of users for lines on standard input, and a
# TLS connection that a second request can follow on.
cat >"$T/ws.mjs" <<'NODE'
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';
const WebSocket = createRequire(`${process.cwd()}/.build/node/package.json`)('ws');
const [host, token] = process.argv.slice(2);
const ws = new WebSocket(`wss://${host}/ws`, {rejectUnauthorized: false});
const ask = (id, method, params) => ws.send(JSON.stringify({jsonrpc: '2.0',
	id, method, params}));
ws.on('open', () => ask(1, 'hello', {protocol: [1], agent: 'x',
	role: 'client', token}));
ws.on('message', (m) => { const r = JSON.parse(m); if (r.id) console.log(r.id); });
ws.on('close', (code) => { console.log(`closed ${code}`); process.exit(); });
createInterface({input: process.stdin}).on('line', (l) =>
	ask(Number(l), 'user.list', {}));
NODE
link=$(meeting-ctl link hello)
like "the first url" "$link" '^https://one.example/m/hello#'
mkfifo "$T/ws.in" "$T/tls.in"
exec 8<>"$T/ws.in" 9<>"$T/tls.in" # neither waits for the other end
node "$T/ws.mjs" "$kit_http" "${link#*#t=}" <"$T/ws.in" >"$T/ws.out" &
tap_pids+=($!)
ok "a WebSocket" wait_for 10 grep -qx 1 "$T/ws.out"
openssl s_client -quiet -connect "$kit_http" <"$T/tls.in" \
	>"$T/tls.out" 2>/dev/null &
tap_pids+=($!)
request() { printf 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n' >&9; }
served() { [ "$(grep -c '^HTTP/1.1 200' "$T/tls.out")" = "$1" ]; }
request
ok "a TLS connection" wait_for 10 served 1

ok "SIGHUP without a change is heard" hup "$again"
heard() { [ "$(lines 'confd-run: info: read again')" -ge 1 ]; }
ok "by confd-run as well" wait_for 10 heard
is "and nothing is told to count later" "$(lines 'counts from the next')" 0

make_cert second
use_cert
conf 'url = https://two.example' 'allow-origin = https://friend.example' \
	"frame-ancestors = 'self' https://friend.example" \
	'www = /nowhere' '[relay]' 'announce = 127.0.0.1' \
	'[template new]' 'argv = sleep 1000'
framers() { get -D - -o /dev/null "https://$kit_http/m/hello" |
	sed -n 's/.*frame-ancestors \([^;]*\)\r$/\1/p'; }
is "nobody may frame the page" "$(framers)" "'none'"
is "a foreign origin before" "$(ws https://friend.example)" 403
ok "SIGHUP is heard" hup "$again"
is "a new connection sees the new certificate" "$(subject)" second
is "the new origin may connect" "$(ws https://friend.example)" 101
is "and frame the page" "$(framers)" "'self' https://friend.example"
is "that of the new url, too" "$(ws https://two.example)" 101
is "that of the old one no more" "$(ws https://one.example)" 403
like "new links have the new url" "$(meeting-ctl link hello)" \
	'^https://two.example/m/hello#'
request
ok "the TLS connection is still there" wait_for 10 served 2
echo 2 >&8
ok "and so is the WebSocket" wait_for 10 grep -qx 2 "$T/ws.out"
is "confd-signal is the same process" "$(kit_pid confd-signal)" "$signal"
is "and so is conf-relay" "$(kit_pid relay-0)" "$relay"
like "which heard it" "$(cat "$T/kit.err")" 'conf-relay: info: SIGHUP'
err=$(cat "$T/kit.err")
like "what cannot count yet is told" "$err" \
	"'www' of .signal. counts from the next start of confd-signal on"
like "of the relay as well" "$err" \
	"'announce' of .relay. counts from the next start of relay-0 on"
ok "but not what counts" bash -c "! grep -q \"'url' of\" '$T/kit.err'"
runctl() { meeting-ctl -s "$CONF_RUNDIR/run.sock" call "$@"; }
like "a new template can be started" \
	"$(runctl start '{"template":"new","instance":"a"}' 2>&1)" \
	'"created": ?true'
exits "an old one is gone" 1 runctl start '{"template":"old","instance":"a"}'
runctl stop '{"template":"new","instance":"a"}' >/dev/null

# Whatever is bad leaves all as it is.
make_cert third
mv "$T/new.pem" "$T/tls/cert.pem"
ok "a certificate of another key" hup "$stays"
echo garbage >"$T/tls/cert.pem"
ok "no certificate at all" hup "$stays"
rm "$T/tls/cert.pem"
ok "no file at all" hup "$stays"
like "its name is told" "$(tail -5 "$T/kit.err")" "tls/cert.pem"
use() { make_cert fourth; use_cert; }
use
chmod 644 "$T/tls/key.pem"
ok "a key that others can read" hup "$stays"
chmod 600 "$T/tls/key.pem"
conf 'url = nonsense' '[template new]' 'argv = sleep 1000'
ok "a url that is none" hup "$stays"
conf 'frame-ancestors = none https://a.example' \
	'[template new]' 'argv = sleep 1000'
ok "nobody and somebody who may frame" hup "$stays"
conf 'trust-proxy = 10.0.0.1/8' '[template new]' 'argv = sleep 1000'
ok "a network that is none" hup "$stays"
printf 'nonsense\n' >"$T/etc/kit.conf"
ok "a configuration that is none" hup "$stays"
like "confd-run keeps its own, too" "$(cat "$T/kit.err")" \
	'the configuration stays as it was before SIGHUP'
rm "$T/etc/kit.conf"
ok "no configuration" hup "$stays"
is "the certificate is the old one" "$(subject)" second
is "and who may frame" "$(framers)" "'self' https://friend.example"
like "and the url" "$(meeting-ctl link hello)" '^https://two.example/'
exits "the template is still there" 0 \
	runctl start '{"template":"new","instance":"b"}'
echo 3 >&8
ok "the WebSocket is still there" wait_for 10 grep -qx 3 "$T/ws.out"

# Elsewhere than before the sandbox lets nothing be read.
conf
make_cert elsewhere
mv "$T/new.pem" "$T/new.key" "$T/other"
cert=$T/other/new.pem key=$T/other/new.key conf
fences=$(confd-signal --sandbox-selftest --statedir "$T/probe" \
	--rundir "$T/proberun" 2>&1)
if ! grep -q SKIP <<<"$fences"; then
	ok "a certificate in another directory is refused" hup "$stays"
else
	unsupported "a certificate in another directory" "no Landlock here"
fi
conf
ok "in the old one it is read" hup "$again"
is "and used" "$(subject)" fourth
stop_kit
is "a clean end" "$kit_rc" 0
like "the WebSocket is closed for that" "$(cat "$T/ws.out")" 'closed 1012'

# A configuration that comes to be later.
export XDG_CONFIG_HOME=$T/home
start_kit -v
mkdir -p "$T/home/confkit"
printf '[signal]\nurl = https://late.example\n' >"$T/home/confkit/confkit.conf"
ok "a new configuration is read" hup 'confd-run: info: read again: /'
ok "that its keys have to wait is told" wait_for 10 grep -q \
	"confkit.conf' was not there at the start: all of .signal. in it counts" \
	"$T/kit.err"
before=$(kit_pid confd-signal)
kill -9 "$before"
late() { meeting-ctl link hello | grep -q '^https://late.example/'; }
ok "a new confd-signal has them" wait_for 20 late
printf '[signal]\nurl = https://later.example\n' \
	>"$T/home/confkit/confkit.conf"
ok "and reads them again" hup "$again"
like "with what is new" "$(meeting-ctl link hello)" '^https://later.example/'
stop_kit
done_testing
