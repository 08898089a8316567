#!/bin/bash
# conf-load: options and exit statuses.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/relay.sh"

exits "--help is for standard output" 0 conf-load --help
like "it is the usage" "$out" '^usage: conf-load'
exits "-V says the version" 0 conf-load -V
like "as name and number" "$out" '^conf-load [0-9]'
exits "--completion is bash" 0 conf-load --completion
ok "that bash accepts" bash -n <<<"$out"
like "and knows the options" "$out" '--relay'

link=http://127.0.0.1:1/m/x#t=abc
exits "an unknown option is wrong usage" 2 conf-load --nonsense
like "and shows what is right" "$err" '^usage: conf-load'
exits "so is no link" 2 conf-load
exits "so are two" 2 conf-load $link $link
exits "so are -T and --json at once" 2 conf-load -T --json $link
exits "so is a link and a relay" 2 conf-load --relay true $link
for bad in hello http://h/m/x https://h/x#t=a 'http://h:99999/m/x#t=a'; do
	exits "'$bad' is no link" 2 conf-load "$bad"
done
for bad in '-p x' '-n 5001' '-p 0 -n 0' '-t never' '--video 0' '--audio x' \
	'--fps 0' '--fps 241' '--size 640' '--size 0x4' '--payload 1500' \
	'--audio-hz 51' '--loss 91' '--pid x' '--audio off --video off'; do
	# shellcheck disable=SC2086
	exits "'$bad' is refused" 2 conf-load $bad $link
done
exits "a relay without a name is refused" 2 conf-load --relay ' '

exits "a server that is not there is for later" 75 conf-load -t 1 $link
like "and named" "$err" "'127.0.0.1:1': Connection refused"
is "without a report" "$out" ''
exits "but for programs there is one" 75 conf-load -t 1 --json $link
is "that says so" "$(jq -c '[.joined, .failed, .first_frame_ms]' <<<"$out")" \
	'[0,2,null]'
exits "so is a host without address" 75 \
	conf-load -t 1 http://no-such-host.invalid/m/x#t=a
exits "a relay that is not there has a status" 127 \
	conf-load --relay "$T/none" -t 1
exits "one that ends is a failure" 3 conf-load --relay 'sh -c exit' -t 1 -w 2
exits "one that is silent is too late" 124 \
	conf-load --relay 'sleep 60' -t 1 -w 1
like "and whose fault it is" "$err" 'did not (join|answer) in time'
relay_start --media 127.0.0.1:0
wait_for 10 grep -q 'media on' "$T/words"
exits "one whose port is in use is for later" 75 conf-load -q -t 1 \
	--relay "conf-relay --media $(sed -n 's/.*media on //p' "$T/words")"
like "and says so itself" "$err" 'conf-relay: error: cannot listen'
relay_end

done_testing
