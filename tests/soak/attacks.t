#!/bin/bash
# timeout: 3000
# The attacks on a relay that carries a call, in full: what tests/sh has of
# them is the same in small.
. tests/lib.sh
. tests/sh/attack.sh

attack path stun 360000
figure "360,000 requests that are not authentic get no byte" bytes_out "== 0"
figure "nor does he whose address is on them" victim_answers "== 0"
figure "the call goes on" closed "== 0"

# Two runs may differ by what else the machine does: the best of three.
ratio() { awk -v a="$(fig p95_ms)" -v b="$(fig quiet_p95_ms)" \
	'BEGIN { printf("%.3f", (b > 0) ? a / b : 99) }'; }
best=99
for i in 1 2 3; do
	attack path race 100 10000
	figure "100 of 100 calls come up among 1,000,000 ClientHellos" up "== 100"
	figure "which are not answered" answers "== 0"
	figure "and were there" hellos ">= 900000"
	best=$(printf '%s\n%s\n' "$best" "$(ratio)" | sort -g | head -1)
	awk -v r="$best" 'BEGIN { exit !(r <= 1.1) }' && break
done
ok "95 of 100 are set up as soon as in a quiet run (x $best, wanted <= 1.1)" \
	awk -v r="$best" 'BEGIN { exit !(r <= 1.1) }'

attack path bleed 300000
figure "no byte of a call bleeds to who sends RTP at it" bled "== 0"
figure "none of his is let in" injected "== 0"

calm="lost_audio < 0.5" attack media forged 1000000 20000
figure "1,000,000 packets with bad tags" forged "> 500000"
figure "hang nobody up" closed "== 0"
figure "cost hardly a packet" lost_audio "< 0.5"
figure "of either kind" lost_video "< 0.5"
ok "the log has $(wc -l <"$T/words") lines of it, wanted <= 10" \
	test "$(wc -l <"$T/words")" -le 10

attack media replay 60000
figure "each tenth packet again: none is taken" accepted "== 0"
attack media wrap 1000000
figure "numbers wrap" wraps ">= 15"
figure "all that came could be decrypted" undecryptable "== 0"
figure "and nearly all was" taken ">= $(fig went) * 0.97"

attack lies list 1000
figure "nothing malformed reaches the others" wrong_at_others "== 0"
figure "no picture that is none" bad_vp8 "== 0"
figure "who talk on" closed "== 0"
attack lies corpus tests/fuzz/corpus 300
figure "nor of the corpora, changed 300 times" wrong_at_others "== 0"
figure "no picture" bad_vp8 "== 0"
figure "they still talk" closed "== 0"

calm="lost_audio < 1" attack storm 100 60
figure "100 receivers storm: the sender is asked once a second" \
	keyframes_per_second "<= 1.02"
figure "a tenth is sent again" rtx_percent "<= 10.1"
figure "who does not ask loses nothing" lost_audio "< 1"

done_testing
