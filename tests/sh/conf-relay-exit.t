#!/bin/bash
# conf-relay: options, exit statuses, how it ends.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/relay.sh"
here=127.0.0.1:0

exits "--help is for standard output" 0 conf-relay --help
like "it is the usage" "$out" '^usage: conf-relay'
exits "-V says the version" 0 conf-relay -V
like "as name and number" "$out" '^conf-relay [0-9]'
exits "--completion is bash" 0 conf-relay --completion
ok "that bash accepts" bash -n <<<"$out"
like "and knows the options" "$out" '--secret-fd'

exits "an unknown option is wrong usage" 2 conf-relay --nonsense
like "and shows what is right" "$err" '^usage: conf-relay'
exits "so is a word too many" 2 conf-relay --media $here word
for bad in nonsense 127.0.0.1 127.0.0.1:99999 '[::1' name.example:1 ''; do
	exits "--media '$bad' is refused" 2 conf-relay --media "$bad"
done
for bad in nonsense 127.0.0.1:5 '' '*' 1.2.3.4.5; do
	exits "--announce '$bad' is refused" 2 \
		conf-relay --media $here --announce "$bad"
done
exits "three --media are too many" 2 \
	conf-relay --media $here --media '[::1]:0' --media $here
exits "an address of another host is bad configuration" 2 \
	conf-relay --media 192.0.2.1:0
exits "-d wants a number" 2 conf-relay --media $here -d x
exits "--control needs a secret" 2 \
	conf-relay --media $here --control "$T/none.sock"
exits "a secret needs --control" 2 conf-relay --media $here --secret-fd 0
exits "an empty secret is none" 2 conf-relay --media $here \
	--control "$T/none.sock" --secret-fd 0
like "and that is said" "$err" 'cannot read the secret'
exits "a bad instance name is refused" 2 conf-relay --media $here \
	--control "$T/none.sock" --instance 'A B' --secret-fd 5 5<<<abcd

exits "the end of the input is the end" 0 conf-relay --media $here </dev/null
like "its address was said" "$err" '^conf-relay: info: media on 127.0.0.1:[0-9]+'
relay_start --media $here
wait_for 10 grep -q 'media on' "$T/words"
port=$(sed -n 's/.*media on 127.0.0.1://p' "$T/words")
exits "a port in use is for later" 75 conf-relay --media "127.0.0.1:$port"
like "and named" "$err" "cannot listen on '127.0.0.1:$port'"
kill -TERM "$relay"
wait "$relay"; is "SIGTERM ends it with 0" $? 0
exec 9>&-

relay_start --media $here -d 7 7>"$T/ready"
wait_for 10 test -s "$T/ready"
is "-d says when it is ready, with a newline" "$(od -An -c "$T/ready" | tr -d ' ')" '\n'
kill -INT "$relay"
wait "$relay"; is "SIGINT ends it with 0" $? 0
exec 9>&-

mkfifo "$T/life"
relay_start --media $here --lifeline 6 6<>"$T/life"
wait_for 10 grep -q 'media on' "$T/words"
kill -0 "$relay"; is "it lives while its lifeline does" $? 0
kill -TERM "$relay"; wait "$relay"; exec 9>&-

# The lifeline's other end is ours alone.
rm "$T/life"; mkfifo "$T/life"
exec 8<>"$T/life"
mkfifo "$T/asked2"; exec 9<>"$T/asked2"
conf-relay --media $here --lifeline 6 6<"$T/life" <"$T/asked2" \
	>/dev/null 2>"$T/words" 8>&- 9>&- &
pid=$!; tap_pids+=($pid)
wait_for 10 grep -q 'media on' "$T/words"
exec 8>&-
wait "$pid"; is "the end of its lifeline ends it with 0" $? 0
exec 9>&-

exits "a closed output is a quiet end" 0 bash -c '
	{ sleep 0.3; for i in $(seq 50); do
		echo "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"relay.list\"}"
	done; sleep 5; } 2>/dev/null | conf-relay --media '$here' -q | true
	exit ${PIPESTATUS[1]}'
is "without a word" "$err" ""
exits "a full output is a failure" 3 bash -c "conf-relay --media $here -q \
	<<<'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"relay.list\"}' >/dev/full"

done_testing
