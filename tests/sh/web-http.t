# The HTTP server alone: files, headers, limits, TLS.
. tests/lib.sh
mkdir -p "$T/www/sub/.hidden"
echo '<!doctype html>index' >"$T/www/index.html"
echo 'let a;' >"$T/www/app.js"
echo secret >"$T/outside"
echo secret >"$T/www/.dot"
echo secret >"$T/www/sub/.hidden/x"
ln -s ../outside "$T/www/link.txt"
ln -s .. "$T/www/up"

serve() # FILE [tls]: port in $port
{
	background web-echo "$T/www" ${2:-} >"$T/$1" 2>"$T/$1.err"
	wait_for 5 test -s "$T/$1"
	port=$(cat "$T/$1")
}
serve plain; plain=$port
serve tls tls; tls=$port
u=http://127.0.0.1:$plain s=https://127.0.0.1:$tls
get() { curl -s --max-time 5 --path-as-is "$@"; }
code() { get -o /dev/null -w '%{http_code}' "$@"; }

is 'the root is index.html' "$(get $u/)" '<!doctype html>index'
is 'a meeting is index.html' "$(get $u/m/hello?lang=zh)" '<!doctype html>index'
is 'a file' "$(get $u/app.js)" 'let a;'
is 'a missing file' "$(code $u/no.js)" 404
is 'a folder' "$(code $u/sub)" 404
for p in /../outside /sub/../../outside /%2e%2e/outside /..%2foutside \
	/%2e%2e%2foutside /sub/%2e%2e/%2e%2e/outside '/..\outside' \
	/.dot /sub/.hidden/x /link.txt /up/outside /%00 '/app.js%00.html' \
	//etc/passwd /m/../.dot "/$(printf 'a%.0s' {1..4000})"; do
	is "refused: ${p:0:40}" "$(code "$u$p")" 404
done
ok 'nothing secret came out' bash -c "! grep -rq secret '$T/.out'"

h=$(get -D - -o /dev/null $u/app.js | tr -d '\r')
like 'type' "$h" '^Content-Type: text/javascript; charset=utf-8$'
like 'nosniff' "$h" '^X-Content-Type-Options: nosniff$'
like 'no referrer' "$h" '^Referrer-Policy: no-referrer$'
like 'caches ask first' "$h" '^Cache-Control: no-cache$'
like 'policies' "$h" '^Permissions-Policy: camera=\(self\)'
like 'opener' "$h" '^Cross-Origin-Opener-Policy: same-origin$'
like 'resource' "$h" '^Cross-Origin-Resource-Policy: same-origin$'
is 'content policy' "$(grep -i ^content-security <<<"$h")" \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self' ws://127.0.0.1:$plain; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
is 'no HSTS without TLS' "$(grep -ci ^strict <<<"$h")" 0
tag=$(sed -n 's/^ETag: //p' <<<"$h")
is 'unchanged' "$(code -H "If-None-Match: $tag" $u/app.js)" 304
is 'changed' "$(code -H 'If-None-Match: "x"' $u/app.js)" 200
h=$(get -I $u/app.js | tr -d '\r')
like 'HEAD has the length' "$h" '^Content-Length: 7$'
is 'POST is not for us' "$(code -d x $u/app.js)" 405
like '404 has the headers too' "$(get -D - $u/no | tr -d '\r')" \
	'^Content-Security-Policy: '
is 'health' "$(get $u/healthz)" ok
is 'a bad host' "$(code -H 'Host: a"b' $u/)" 400
is 'a big header' "$(code -H "X: $(printf 'a%.0s' {1..70000})" $u/)" 400
is 'a big body' "$(head -c 70000 /dev/zero |
	code --data-binary @- $u/)" 413
is 'plain GET of the WebSocket' "$(code $u/ws)" 426

ws() { code -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
	-H 'Sec-WebSocket-Version: 13' \
	-H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' --max-time 1 "$@"; }
is 'no origin' "$(ws $u/ws)" 101
is 'own origin' "$(ws -H "Origin: $u" $u/ws)" 101
is 'listed origin' "$(ws -H 'Origin: https://listed.example' $u/ws)" 101
for o in null https://evil.example "https://127.0.0.1:$plain" \
	"http://127.0.0.1:$plain.evil.example" \
	"http://evil127.0.0.1:$plain" http://127.0.0.1; do
	is "foreign origin: $o" "$(ws -H "Origin: $o" $u/ws)" 403
done
ws8() { code -H 'Connection: Upgrade' -H 'Upgrade: websocket' --max-time 1 "$@"; }
is 'another version' "$(ws8 -H 'Sec-WebSocket-Version: 8' \
	-H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' $u/ws)" 426
is 'a bad key' "$(ws8 -H 'Sec-WebSocket-Version: 13' \
	-H 'Sec-WebSocket-Key: x' $u/ws)" 400

ok 'TLS' get -k -o /dev/null $s/app.js
like 'HSTS when asked' "$(get -k -D - -o /dev/null $s/)" \
	'^Strict-Transport-Security: max-age='
is 'a file over TLS' "$(get -k $s/app.js)" 'let a;'
is 'keep-alive' "$(get -k $s/app.js $s/app.js $s/no $s/app.js |
	grep -c 'let a')" 3
like 'TLS 1.3' "$(openssl s_client -connect 127.0.0.1:$tls -tls1_3 \
	</dev/null 2>/dev/null)" 'TLSv1.3'
like 'TLS 1.2' "$(openssl s_client -connect 127.0.0.1:$tls -tls1_2 \
	</dev/null 2>/dev/null)" 'Protocol *: TLSv1.2'
ok 'not TLS 1.1' bash -c "! openssl s_client -connect 127.0.0.1:$tls \
	-tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null"

# A request that takes its time: nothing but the handshake, and a header
# that grows by a line each second.
slow()
{
	local began=$SECONDS
	(printf 'GET / HTTP/1.1\r\n'; for i in {1..20}; do
		printf 'A%s: b\r\n' "$i"; sleep 1; done) |
		openssl s_client -quiet -connect 127.0.0.1:$tls 2>/dev/null
	[ $((SECONDS - began)) -le 14 ]
}
ok 'a slow header ends after 10 s' slow

# Out of descriptors: no spin, and it serves again afterwards.
pid=${tap_pids[0]}
prlimit --pid "$pid" --nofile=24:24
for i in {1..40}; do exec {fd}<>/dev/tcp/127.0.0.1/$plain; held+=($fd); done
sleep 1.5
before=$(awk '{print $14+$15}' /proc/$pid/stat)
sleep 2
used=$(($(awk '{print $14+$15}' /proc/$pid/stat) - before))
ok "does not spin without descriptors ($used ticks)" test $used -lt 10
for fd in "${held[@]}"; do exec {fd}>&-; done
ok 'serves again' wait_for 15 get -f $u/healthz
for p in "${tap_pids[@]}"; do kill "$p"; wait "$p"; is 'a clean end' $? 0; done
tap_pids=()
done_testing
