#!/bin/bash
# conf-relay answers no datagram that is not authenticated, and lives.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/relay.sh"
count=4000 seed=${SEED:-$RANDOM}

relay_start --media 127.0.0.1:0
ask room.create '{"room":"r","epoch":1}'
offer=$(dirname "$0")/../data/sdp/chromium-publish.sdp
ask transport.create "$(jq -Rsc --argjson grant "$grant" '{room: "r", epoch: 1,
	endpoint: "e_a", transport: "t_1", direction: "publish",
	grant: $grant, sdp: .}' "$offer")"
sdp=$(jq -r .result.sdp <<<"$reply")
of() { sed -n 's/\r//; s/^a=ice-ufrag://p' | head -1; }
user=$(of <<<"$sdp"):$(of <"$offer")
port=$(sed -n 's/^a=candidate:.* 127.0.0.1 \([0-9]*\) typ host.*/\1/p' <<<"$sdp" | head -1)
like "the relay offers itself" "$user $port" '^[^ ]{4,}:[^ ]{4,} [0-9]+$'

mkfifo "$T/go"; exec 8<>"$T/go"
ice-strangers "127.0.0.1:$port" "$user" $count $seed <"$T/go" >"$T/said" 8>&- 9>&- &
pid=$!; tap_pids+=($pid)
ok "strangers send (SEED=$seed)" wait_for 30 grep -q "sent $count" "$T/said"
arrived()
{
	ask relay.stats '{}'
	jq -e ".result.dropped | add >= $count * 0.9" <<<"$reply"
}
ok "the relay took them" wait_for 20 arrived
ask relay.stats '{}'
is "and sent nothing" "$(jq -c '[.result.packets_out, .result.bytes_out]' <<<"$reply")" '[0,0]'
like "it counted why" "$(jq -c .result.dropped <<<"$reply")" '"malformed":[1-9]'
for why in unknown unauthentic; do
	like "$why among it" "$(jq -c .result.dropped <<<"$reply")" "\"$why\":[1-9]"
done
exec 8>&-
wait "$pid"
is "no stranger has an answer" "$(grep answers "$T/said")" "answers 0"
ok "and the log has a line for each cause at most" \
	test "$(grep -c dropped "$T/words")" -le 10
relay_end; is "the relay ends well" $? 0

done_testing
