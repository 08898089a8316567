#!/bin/bash
# Receivers who ask 50 times a second for a key frame and ten times for the
# last 1,000 packets: the sender is asked once a second at most, and what is
# sent again stays a tenth of the stream.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/attack.sh"

calm="lost_audio < 1" attack storm 30 4
figure "30 receivers ask for key frames" asked "> 1000"
figure "and packets" nacked "> 100000"
figure "the sender is asked once a second" keyframes_per_second "<= 1.25"
figure "a tenth is sent again" rtx_percent "<= 10.5"
figure "but something is" rtx "> 10"
figure "who does not ask loses nothing" lost_audio "< 1"
figure "and nobody is hung up on" closed "== 0"

done_testing
