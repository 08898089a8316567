#!/bin/bash
# conf-load at a relay that it runs: what it counts.
. "$(dirname "$0")/../lib.sh"
relay='conf-relay -q --media 127.0.0.1:0'
of() { jq -r ".$1" <<<"$out"; }
within() { awk -v v="$2" -v lo="$3" -v hi="$4" \
	'BEGIN { exit !(v >= lo && v <= hi) }'; tap_report $? "$1 ($2)"; }

exits "two publishers, three subscribers" 0 \
	conf-load -q --json -p 2 -n 3 -t 2 --relay "$relay"
is "all join" "$(of joined)/$(of failed)/$(of transports)" 5/0/5
is "all see something" "$(of no_frame)" 0
within "soon" "$(of first_frame_p95_ms)" 1 2000
is "nothing is lost" "$(of lost)" 0
# 50 of sound and 90 of pictures a second, each publisher, to three.
within "packets are sent at their rate" "$(of sent)" 480 600
within "and received three times" "$(of received)" \
	$(($(of sent) * 3 - 60)) $(($(of sent) * 3 + 60))
within "at the rate of payload" "$(of sent_kbps)" 1100 1450
within "delay is measured" "$(of delay_ms)" 0.001 500
within "so is the relay's CPU" "$(of cpu_us_per_packet)" 0.001 2000
within "and its memory" "$(of rss_kib)" "$(of rss_kib_before)" 1000000

exits "only sound" 0 conf-load -q --json -n 2 -t 1 --video off \
	--relay "$relay"
within "is sound alone" "$(of received)" 80 120
within "and the first of it the first frame" "$(of first_frame_ms)" 0 2000

exits "six who see each other" 0 conf-load -q --json -p 6 -n 0 --both -t 2 \
	--audio off --video 80k --fps 10 --key 60s --relay "$relay"
is "join" "$(of joined)/$(of transports)" 6/12
# More cameras than the four slots of the start; what was sent before the
# measured time and comes in it counts on one side alone.
within "and have all five others" "$(jq '.received / .sent' <<<"$out")" 4.4 5.6
is "without loss" "$(of lost)" 0

exits "packets that are lost" 0 conf-load -q --json -n 2 -t 3 --loss 5 \
	--audio off --video 1M --relay "$relay"
within "are asked for" "$(of nacks_sent)" 5 500
within "come again" "$(of repaired)" 5 500
within "and few stay away" "$(of loss_percent)" 0 1

exits "columns" 0 conf-load -q -T -t 1 --relay "$relay"
columns=$(awk '/^\.It [0-9]+ Ta/ { print $4 }' \
	"$(dirname "$0")/../../man/man1/conf-load.1" | paste -sd ' ')
is "are those of the manual" "$(awk -F'\t' '{ print NF }' <<<"$out")" \
	"$(wc -w <<<"$columns")"
exits "as JSON" 0 conf-load -q --json -t 1 --relay "$relay"
is "they have these names" "$(jq -r 'keys_unsorted | join(" ")' <<<"$out")" \
	"$columns"

conf-load -n 1 -t 60 --relay "$relay" >"$T/text" 2>"$T/words" &
pid=$!; tap_pids+=($pid)
wait_for 10 grep -q measuring "$T/words"
kill -INT "$pid"
wait "$pid"; is "SIGINT ends it early with a report" $? 0
like "for people" "$(cat "$T/text")" '^lost +0 packets'

done_testing
