# confd-signal begins and ends: options, directories, keys, sockets, statuses.
. tests/lib.sh
unset CONF_RUNDIR CONF_STATEDIR LISTEN_FDS LISTEN_FDNAMES
mkdir "$T/www" && echo hello >"$T/www/index.html"
run=$T/run state=$T/state

# start NAME ARGS...: in the background, ready; pid in $pid, port in $port
start()
{
	local name=$1; shift
	mkfifo "$T/$name.ready"
	confd-signal --rundir "$run" --statedir "$state" --www "$T/www" \
		--sync normal "$@" 2>"$T/$name.err" 4>"$T/$name.ready" -d 4 &
	pid=$! tap_pids+=($!)
	timeout 10 head -c1 "$T/$name.ready" >/dev/null
	port=$(sed -n 's/.*https\? on .*:\([0-9]*\)$/\1/p' "$T/$name.err" |
		head -1)
}
stop() { kill "$1"; wait "$1"; }

exits 'help' 0 confd-signal --help
like 'help names the options' "$out" '--socket-group'
exits 'version' 0 confd-signal -V
like 'version' "$out" '^confd-signal 0\.'
exits 'completion' 0 confd-signal --completion
ok 'completion is bash' bash -n <(confd-signal --completion)
exits 'help into a full device' 3 sh -c 'confd-signal --help >/dev/full'

exits 'an unknown option' 2 confd-signal --bogus
exits 'an argument' 2 confd-signal now
exits 'tls maybe' 2 confd-signal --tls maybe
exits 'sync maybe' 2 confd-signal --sync maybe
exits 'no address' 2 confd-signal --rundir "$run" --statedir "$state" \
	--www "$T/www" --listen nowhere
exits 'no client' 2 confd-signal --rundir "$run" --statedir "$state" \
	--www "$T/none" --listen 127.0.0.1:0
exits 'no group' 2 confd-signal --rundir "$run" --statedir "$state" \
	--www "$T/www" --socket-group no-such-group
exits 'no origin' 2 confd-signal --allow-origin https://a/b
for f in https://a/b 'https://a b' 'none self' "self 'none'" '*' '' \
	'https://a;x' '"' 'https://*.a' data:; do
	exits "nobody who may frame: '$f'" 2 confd-signal --frame-ancestors "$f"
done
exits 'no url' 2 confd-signal --url javascript:x
exits 'a key without its certificate' 2 confd-signal --tls-key x
exits 'plain HTTP for everybody' 2 confd-signal --rundir "$run" \
	--statedir "$state" --www "$T/www" --tls off --listen '*:0'
like 'and says why' "$err" 'loopback'

start one --listen 127.0.0.1:0
is 'a page over TLS' "$(curl -sk https://127.0.0.1:$port/)" hello
is 'health' "$(curl -sk https://127.0.0.1:$port/healthz)" ok
is 'mode of signal.sock' "$(stat -c %a "$run/signal.sock")" 600
is 'mode of worker.sock' "$(stat -c %a "$run/worker.sock")" 600
is 'mode of the run directory' "$(stat -c %a "$run")" 700
for f in keys/token.cur tls/key.pem tls/cert.pem log.db; do
	is "mode of $f" "$(stat -c %a "$state/$f")" 600
done
is 'mode of worker.key' "$(stat -c %a "$run/worker.key")" 600
like 'the certificate is for this host' "$(openssl x509 -noout -text \
	-in "$state/tls/cert.pem")" 'DNS:localhost.*IP Address:127.0.0.1'
cert=$(cat "$state/tls/cert.pem") key=$(cat "$state/keys/token.cur")
exits 'the port is in use' 75 confd-signal --rundir "$T/run2" \
	--statedir "$T/state2" --www "$T/www" --listen 127.0.0.1:$port
exits 'the socket is in use' 75 confd-signal --rundir "$run" \
	--statedir "$T/state2" --www "$T/www" --listen 127.0.0.1:0
exits 'the log is in use' 75 confd-signal --rundir "$T/run2" \
	--statedir "$state" --www "$T/www" --listen 127.0.0.1:0
stop $pid; is 'SIGTERM' $? 0
ok 'its sockets are gone' test ! -e "$run/signal.sock" -a \
	! -e "$run/worker.sock"
like 'it said so' "$(cat "$T/one.err")" 'https on 127.0.0.1'

start two --listen 127.0.0.1:0 --listen '[::1]:0' --hsts \
	--url https://conf.example/base/
is 'the certificate is made once' "$(cat "$state/tls/cert.pem")" "$cert"
is 'so is the key' "$(cat "$state/keys/token.cur")" "$key"
like 'HSTS' "$(curl -skI https://127.0.0.1:$port/)" Strict-Transport
hello='{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":[1]}}'
ask() { printf '%s\n' "$hello" "$@" | io-ask "$run/signal.sock" | tail -n +2; }
ask '{"jsonrpc":"2.0","id":2,"method":"meeting.create","params":{"id":"a"}}' \
	>/dev/null
like 'the base of links' "$(ask \
	'{"jsonrpc":"2.0","id":2,"method":"link.create","params":{"meeting":"a"}}')" \
	'"url":"https://conf.example/base/m/a#t='
ws() { curl -sk -o /dev/null -w '%{http_code}' --max-time 1 --http1.1 \
	-H 'Connection: Upgrade' -H 'Upgrade: websocket' \
	-H 'Sec-WebSocket-Version: 13' -H "Origin: $1" \
	-H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' \
	https://127.0.0.1:$port/ws; }
is 'the origin of the base' "$(ws https://conf.example)" 101
is 'our own' "$(ws https://127.0.0.1:$port)" 101
is 'another' "$(ws https://conf.example.evil)" 403
kill -9 $pid; wait $pid 2>/dev/null
ok 'a socket is left behind' test -S "$run/signal.sock"
start three --listen 127.0.0.1:0
like 'and is no hindrance, nor is the log' "$(ask \
	'{"jsonrpc":"2.0","id":2,"method":"meeting.list"}')" '"id":"a"'

# Descriptors: limits, and an unknown peer that says nothing.
exec {quiet}<>/dev/tcp/127.0.0.1/$port
ok 'an idle connection is no hindrance' curl -sk https://127.0.0.1:$port/
exec {quiet}>&-
stop $pid

# A lifeline.
mkfifo "$T/life"
sleep 100 >"$T/life" &
holder=$! tap_pids+=($!)
start four --listen 127.0.0.1:0 --lifeline 5 5<"$T/life"
kill $holder
wait $pid; is 'the end of the lifeline' $? 0

# Keys and certificates that cannot be.
bad() # DESC ARGS...
{
	local d=$1; shift
	exits "$d" 2 confd-signal --rundir "$run" --statedir "$state" \
		--www "$T/www" --listen 127.0.0.1:0 "$@"
}
chmod 644 "$state/keys/token.cur"
bad 'a key that others can read'
like 'and says so' "$err" 'others can read'
chmod 600 "$state/keys/token.cur"
echo junk >"$state/keys/token.prev" && chmod 600 "$state/keys/token.prev"
bad 'a key that is none'
rm "$state/keys/token.prev"
cp "$state/tls/key.pem" "$T/key.pem"
bad 'a certificate that is none' --tls-cert "$T/www/index.html" \
	--tls-key "$T/key.pem"
bad 'a certificate that is not there' --tls-cert "$T/none" \
	--tls-key "$T/key.pem"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$T/other.pem" -out "$T/cert.pem" -subj /CN=x -days 2 \
	2>/dev/null
bad 'a key of another certificate' --tls-cert "$T/cert.pem" \
	--tls-key "$T/key.pem"
chmod 644 "$T/other.pem"
bad 'a TLS key that others can read' --tls-cert "$T/cert.pem" \
	--tls-key "$T/other.pem"
chmod 600 "$T/other.pem"
start five --listen 127.0.0.1:0 --tls-cert "$T/cert.pem" \
	--tls-key "$T/other.pem"
like 'a certificate given' "$(openssl s_client -connect 127.0.0.1:$port \
	</dev/null 2>/dev/null)" 'subject=CN = x'
stop $pid
echo zz >"$run/worker.key"
bad 'a worker key that is none'
rm "$run/worker.key"
mkdir -p "$T/state3/log.db"
exits 'a log that is none' 3 confd-signal --rundir "$T/run3" \
	--statedir "$T/state3" --www "$T/www" --listen 127.0.0.1:0
ok 'no complaint of a sanitizer' bash -c \
	"! grep -El 'runtime error|AddressSanitizer' '$T'/*.err"
done_testing
