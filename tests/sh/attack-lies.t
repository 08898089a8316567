#!/bin/bash
# Packets that lie about themselves, with keys: the relay lives, and hands on
# nothing that is not what it says.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/attack.sh"

judge()
{
	figure "so many lies" packets ">= $1"
	figure "were seen through" malformed_at_relay ">= 50"
	figure "nothing malformed reaches the others" wrong_at_others "== 0"
	figure "no picture that is none" bad_vp8 "== 0"
	figure "who talk on" closed "== 0"
	figure "and hear each other" lost_audio "< 2"
}
calm="lost_audio < 2" attack lies list 20
judge 1000
calm="lost_audio < 2" attack lies corpus "$(dirname "$0")/../fuzz/corpus" 4
figure "the corpora of the fuzz targets" files ">= 100"
figure "offers that lie" offers ">= 50"
judge 3000

done_testing
