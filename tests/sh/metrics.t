#!/bin/bash
# The metrics: well formed, as the manual says, true, and of no harm to who
# does not want them.
. tests/lib.sh
export CONF_TLS=off
printf '[signal]\nmetrics = 127.0.0.1:0\n' >"$T/kit.conf"
start_kit --config "$T/kit.conf" -v
sock=$CONF_RUNDIR/signal.sock
addr=$(sed -n 's/.*confd-signal: info: metrics on //p' "$T/kit.err")
get() { curl -s --max-time 10 "$@"; }
scrape() { get --unix-socket "$sock" http://localhost/metrics; }
value() { awk -v k="$1" '$1 == k { print $2 }' <<<"$m"; } # SERIES
# greater SERIES N
greater() { awk -v v="$(value "$1")" -v n="$2" 'BEGIN { exit !(v > n) }'; }

m=$(scrape)
ok "signal.sock answers" test -n "$m"
is "and the address of its own" "$(get "http://$addr/metrics" |
	grep -c '^# TYPE confkit_')" "$(grep -c '^# TYPE confkit_' <<<"$m")"
like "the type of the text" "$(get -D - -o /dev/null "http://$addr/metrics" |
	tr -d '\r')" '^Content-Type: text/plain; version=0.0.4; charset=utf-8$'

# The format, strictly; prints what is wrong.
strict()
{
	awk '
	function bad(why) { print NR ": " why ": " $0 }
	/^# HELP / { name = $3; if (name in helped) bad("twice")
		helped[name] = 1; if (NF < 4) bad("no help"); next }
	/^# TYPE / {
		if ($3 != name) bad("not behind its HELP")
		if ($4 !~ /^(counter|gauge|histogram)$/) bad("type")
		if (NF != 4) bad("words")
		if ($4 == "counter" && $3 !~ /_total$/) bad("name of a counter")
		if ($4 != "counter" && $3 ~ /_total$/) bad("name of no counter")
		type = $4; le = -1; last = -1; next }
	/^#/ || !NF { bad("line"); next }
	{
		if ($0 !~ /^[a-z_]+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? [0-9]+(\.[0-9]+)?$/)
			bad("sample")
		series = $1; base = $1; sub(/\{.*/, "", base)
		if (series in seen) bad("twice")
		seen[series] = 1
		if (type == "histogram") {
			if (base == name "_bucket") {
				l = $1; sub(/.*le="/, "", l); sub(/".*/, "", l)
				l = l == "+Inf" ? 1e300 : l + 0
				if (l <= le || $2 < last) bad("order")
				le = l; last = $2
			} else if (base == name "_count") {
				if (le != 1e300 || $2 != last) bad("count")
			} else if (base != name "_sum") bad("part")
		} else if (base != name) bad("not behind its TYPE")
	}
	END { if (!NR) print "nothing" }'
}
is "it is well formed" "$(strict <<<"$m")" ""
is "it ends with a line" "$(scrape | tail -c1 | od -An -c | tr -d ' ')" '\n'
if command -v promtool >/dev/null; then
	ok "promtool has nothing to say" promtool check metrics <<<"$m"
fi

# NAME TYPE HELP, by the manual and by what is told.
manual() { sed -n '/^\.Sh METRICS/,/^\.El/p' man/man7/conf-metrics.7 | awk '
	/^\.It Li confkit_/ { if (k) print k h; k = $3 " " $5; h = ""; next }
	/^\.El/ { print k h }
	/^[^.]/ { h = h " " $0 }'; }
told() { awk '/^# HELP/ { k = $3; h = $0; sub(/^# HELP [^ ]+/, "", h) }
	/^# TYPE/ { print k " " $4 h }' <<<"$m"; }
is "the manual has each of them, with its type and what it is" \
	"$(manual)" "$(told)"
reasons() { sed -n 's/.*dropped_total{.*why="\([a-z_]*\)".*/\1/p' <<<"$m" |
	sort; }
is "and each reason of a drop" "$(sed -n '/^\.Li why/,/^\.El/p' \
	man/man7/conf-metrics.7 | sed -n 's/^\.It Li //p' | tr -d ',' |
	tr -s ' ' '\n' | sort)" "$(reasons)"

# Whether they are true.
is "no meeting yet" "$(value confkit_meetings)" 0
like "a start" "$(value confkit_start_time_seconds)" "^$(date +%s | cut -c1-7)"
is "the relay answers" "$(value 'confkit_relay_up{relay="relay-0"}')" 1
like "its start" "$(value 'confkit_relay_start_time_seconds{relay="relay-0"}')" \
	"^$(date +%s | cut -c1-7)"
is "a worker" "$(value 'confkit_connections{kind="worker"}')" 1
is "a refusal to come" "$(value \
	'confkit_requests_total{method="meeting.show",outcome="not_found"}')" ""
meeting-ctl -q create one
meeting-ctl -q create two
meeting-ctl -q say one hello
meeting-ctl -q end two
meeting-ctl -q show none 2>/dev/null
meeting-ctl -q call no.such 2>/dev/null
meeting-ctl events one -f --since 0 >"$T/events" &
tap_pids+=($!)
ok "somebody follows" wait_for 10 test -s "$T/events"
m=$(scrape)
is "one meeting" "$(value confkit_meetings)" 1
is "four events" "$(value confkit_log_events_total)" 4
ok "in commits" greater 'confkit_log_commits_total{outcome="ok"}' 0
is "none failed" "$(value 'confkit_log_commits_total{outcome="failed"}')" 0
is "which were timed" "$(value confkit_log_commit_seconds_count)" \
	"$(value 'confkit_log_commits_total{outcome="ok"}')"
ok "and took their time" greater confkit_log_commit_seconds_sum 0
is "requests" "$(value \
	'confkit_requests_total{method="meeting.create",outcome="ok"}')" 2
is "a refusal" "$(value \
	'confkit_requests_total{method="meeting.show",outcome="not_found"}')" 1
is "of what we do not know" "$(value \
	'confkit_requests_total{method="unknown",outcome="invalid"}')" 1
is "followers" "$(value 'confkit_followers{state="live"}')" 1
is "who is an operator" "$(value 'confkit_connections{kind="operator"}')" 1
ok "operators so far" greater 'confkit_connections_total{kind="operator"}' 6
is "who lags nothing" "$(value confkit_event_lag_events)" 0
ok "processor time" greater confkit_cpu_seconds_total 0
ok "of the relay, too" greater 'confkit_relay_cpu_seconds_total{relay="relay-0"}' 0
is "nothing malformed" "$(value confkit_malformed_total)" 0
is "nothing is refused" "$(value confkit_log_refusing)" 0
is "it is well formed still" "$(strict <<<"$m")" ""

# A user: a WebSocket that joins and stays; then a datagram for nobody.
link=$(meeting-ctl link one)
node - "$kit_http" "${link#*#t=}" >"$T/joined" <<'NODE' &
const {createRequire} = require('node:module');
const WebSocket = createRequire(`${process.cwd()}/.build/node/package.json`)('ws');
const [host, token] = process.argv.slice(2);
const ws = new WebSocket(`ws://${host}/ws`);
const ask = (id, method, params) => ws.send(JSON.stringify({jsonrpc: '2.0',
	id, method, params}));
ws.on('open', () => ask(1, 'hello', {protocol: [1], agent: 'x', role: 'client',
	token}));
ws.on('message', (m) => {
	const {id, result} = JSON.parse(m);
	if (id === 1) ask(2, 'user.join', {name: 'Ada'});
	if (id === 2 && result) console.log('joined');
});
NODE
user=$!
tap_pids+=($user)
ok "a user joins" wait_for 20 grep -q joined "$T/joined"
printf 'xxxx' >"/dev/udp/${kit_media%:*}/${kit_media##*:}"
dropped='confkit_relay_dropped_total{relay="relay-0",why="malformed"}'
has() { m=$(scrape); [ "$(value "$1")" = "$2" ]; }
ok "a datagram that is none" wait_for 10 has "$dropped" 1
is "the user is here" "$(value 'confkit_users{state="here"}')" 1
is "by a WebSocket" "$(value 'confkit_connections{kind="user"}')" 1
is "with a session" "$(value confkit_sessions)" 1
kill "$user"
ok "and away" wait_for 10 has 'confkit_users{state="away"}' 1

# What is not asked for rightly.
code() { get -o /dev/null -w '%{http_code}' "$@"; }
is "elsewhere is nothing" "$(code "http://$addr/")" 404
is "nor the page" "$(code "http://$addr/m/one")" 404
is "POST is not for it" "$(code -d x "http://$addr/metrics")" 405
like "HEAD has the length" "$(get -I "http://$addr/metrics" | tr -d '\r')" \
	'^Content-Length: [0-9]{4}'
is "and no more" "$(get -I "http://$addr/metrics" | grep -c confkit_)" 0
is "a header without an end" "$(code -H "X: $(printf 'a%.0s' {1..9000})" \
	"http://$addr/metrics")" 400
raw() { exec 7<>"/dev/tcp/${addr%:*}/${addr##*:}"; printf "$1" >&7
	timeout 10 head -1 <&7 | tr -d '\r'; exec 7>&-; }
is "no HTTP" "$(raw 'hello\n\n')" "HTTP/1.1 400 Bad Request"
is "a NUL" "$(raw 'GET /metrics HTTP/1.1\r\nX: \0\r\n\r\n')" \
	"HTTP/1.1 400 Bad Request"
is "not on the page's address" "$(code "http://$kit_http/metrics")" 404
for i in {1..40}; do exec {fd}<>"/dev/tcp/${addr%:*}/${addr##*:}"
	held+=($fd); done
ok "many that say nothing are over soon" wait_for 10 get -f \
	"http://$addr/metrics"
for fd in "${held[@]}"; do exec {fd}>&-; done
is "signal.sock speaks lines as before" "$(meeting-ctl list -T | wc -l)" 1

# A relay that stands still delays it by 2 s, no more, and only its numbers.
relay=$(kit_pid relay-0)
kill -STOP "$relay"
m=$(scrape)
is "the relay does not answer" "$(value 'confkit_relay_up{relay="relay-0"}')" 0
is "its numbers are left out" "$(value "$dropped")" ""
is "all others are there" "$(value confkit_meetings)" 1
is "well formed" "$(strict <<<"$m")" ""
kill -CONT "$relay"
ok "it does again" wait_for 10 has 'confkit_relay_up{relay="relay-0"}' 1
started=$(value 'confkit_relay_start_time_seconds{relay="relay-0"}')
kill -9 "$relay"
new_start() { has 'confkit_relay_up{relay="relay-0"}' 1 && [ "$(value \
	'confkit_relay_start_time_seconds{relay="relay-0"}')" != "$started" ]; }
ok "a restart shows" wait_for 15 new_start
stop_kit
is "a clean end" "$kit_rc" 0
exits "--metrics of no address" 2 confd-signal --metrics nowhere \
	--rundir "$T/r" --statedir "$T/s" --listen 127.0.0.1:0
like "naming it" "$err" "not an address for metrics: 'nowhere'"
ok "before anything is made" test ! -e "$T/r" -a ! -e "$T/s"
done_testing
