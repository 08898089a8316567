#!/bin/bash
# Packets with a bad tag, packets again, numbers that wrap, SSRCs of others:
# nobody is hung up on, and nothing is heard but what was said.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/attack.sh"

calm="lost_audio < 0.5" attack media forged 60000 20000
figure "60,000 packets with bad tags at 20,000 a second" rate "> 1000"
figure "are known as such" forged "> 30000"
figure "hang nobody up" closed "== 0"
figure "cost hardly a packet" lost_audio "< 0.5"
figure "of either kind" lost_video "< 0.5"
figure "and nothing false is heard" foreign "== 0"
ok "the log has $(wc -l <"$T/words") lines of it, wanted <= 10" \
	test "$(wc -l <"$T/words")" -le 10

attack media replay 2000
figure "each tenth packet again" again ">= 80"
figure "none is taken" accepted "== 0"
figure "all are known as such" replayed ">= $(fig again) * 0.9"
figure "and from elsewhere are nobody's" from_a_stranger "> 20"
figure "the call goes on" closed "== 0"
figure "as before" lost_audio "< 1"

attack media wrap 140000
figure "numbers wrap with 5 % lost and 64 in any order" wraps ">= 3"
figure "all that came could be decrypted" undecryptable "== 0"
figure "and nearly all was" taken ">= $(fig went) * 0.97"
figure "and is heard" heard ">= $(fig went) * 0.96"
figure "by one who comes then, too" late_heard ">= $(fig late_sent) * 0.9"
figure "as it was said" foreign "== 0"

attack media ssrc
figure "an SSRC that nobody announced reaches nobody" unannounced "== 0"
figure "another's makes nobody him" foreign "== 0"
figure "who has it too is heard as himself" as_himself "> 200"
figure "the other is not heard twice" twice "== 0"
figure "nor less" lost_audio "< 1"
figure "and nobody is hung up on" closed "== 0"

calm="lost_audio < 0.5" attack media deaf 20 4000
figure "20 receivers who read nothing" heard_by_them "== 0"
figure "cost no memory" rss_growth_kib "<= 4096"
figure "nor others a packet" lost_audio "< 0.5"
figure "of either kind" lost_video "< 0.5"

done_testing
