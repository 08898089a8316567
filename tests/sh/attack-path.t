#!/bin/bash
# Who has no keys gets nothing from a relay that carries a call, and spoils
# nothing: STUN, DTLS, RTP and RTCP of strangers, certificates of others.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/attack.sh"

attack path stun 3600
figure "3,600 requests that are not authentic get no byte" bytes_out "== 0"
figure "of so many sent" bytes_in "> 200000"
figure "nor does he whose address is on them" victim_answers "== 0"
figure "all are counted as refused" refused "== 3600"
figure "the call goes on" closed "== 0"
figure "with its sound" lost_audio "< 0.5"

attack path race 12 400
figure "12 of 12 calls come up among 4,800 ClientHellos" up "== 12"
figure "as they do without" quiet_up "== 12"
figure "which are not answered" answers "== 0"
figure "and were there" hellos ">= 4000"

attack path bleed 20000
figure "no byte of a call bleeds to who sends RTP at it" bled "== 0"
figure "none of his is let in" injected "== 0"
figure "of so many" refused ">= 10000"
figure "the call goes on" closed "== 0"
figure "and something was said in it" got "> 100"

attack path cert
for who in other none two weak weak_alone; do
	figure "a certificate that is not the one announced" $who "== 0"
done
figure "no packet of theirs is taken" accepted "== 0"
figure "others are not disturbed" closed "== 0"
is "each has a line in the log" "$(grep -c 'DTLS failed: ' "$T/words")" 4
like "that says why" "$(cat "$T/words")" 'fingerprint does not match'
like "and the other why" "$(cat "$T/words")" 'did not return a certificate'

done_testing
