#!/bin/bash
# What goes over the bus of a real relay comes out as it went in: IVF and Ogg
# Opus by bus-copy, at the pace of their times; a reader that stops loses
# whole frames and says so, and nobody else does; damage, refusals and a bus
# that dies have their exits.
. "$(dirname "$0")/../lib.sh"

ffmpeg -v error -f lavfi -i testsrc=size=320x240:rate=25:duration=2 \
	-c:v libvpx -b:v 400k -g 10 -f ivf "$T/in.ivf" </dev/null
ffmpeg -v error -f lavfi -i sine=frequency=440:duration=2 -c:a libopus \
	-b:a 48k -f ogg "$T/in.ogg" </dev/null

# The hash of each frame, whatever its time.
frames() { ffmpeg -v error -i "$1" -c copy -f framemd5 - </dev/null |
	awk -F, '!/^#/ { print $NF }'; }
# Two files of sound but for their ends: what a player is to leave out there
# counts for ffmpeg, and is not known on the bus.
inner() { sed '1d; 101,102d; 202d'; }
value() { awk -v k="$2" '$1 == k { print $2 }' "$1"; }
ask() { echo '{"jsonrpc":"2.0","id":1,"method":"'"$1"'","params":'"$2"'}' >&7; }
# How often an endpoint's connection to the bus has had this state.
state() { jq -r --arg e "$1" --arg s "$2" 'select(.method ==
	"transport.state" and .params.endpoint == $e and .params.state == $s) |
	1' "$T/relay.out" 2>/dev/null | wc -l; }
count_is() { [ "$(state "$1" "$2")" = "$3" ]; }
start_relay()
{
	rm -f "$T/relay.in"
	mkfifo "$T/relay.in"
	conf-relay --media 127.0.0.1:0 --bus "$T/bus" "$@" <"$T/relay.in" \
		>"$T/relay.out" 2>"$T/relay.err" &
	relay=$!
	tap_pids+=("$relay")
	exec 7>"$T/relay.in"
	ask room.create '{"room":"hall","epoch":1}'
	wait_for 20 grep -q '"id":1' "$T/relay.out"
}
# reader NAME SOURCE FILE [OPTION...]
reader()
{
	local name=$1 source=$2 file=$3 n
	shift 3
	n=$(($(state "$name" connected) + 1))
	wait_for 20 count_is "$name" closed $((n - 1))
	bus-copy out -s "$T/bus" -r hall -e "$name" -S "$source" -Q 2000 "$@" \
		>"$file" 2>"$T/$name.err" 7>&- &
	pid=$!
	tap_pids+=("$pid")
	wait_for 20 count_is "$name" connected "$n"
}
writer() { wait_for 20 count_is "$1" closed "$(state "$1" connected)"
	bus-copy in -s "$T/bus" -r hall -e "$1" -S "$2" 2>"$T/$1.err" 7>&-; }

start_relay --open-bus

reader e_out cam "$T/out.ivf"
start=$(date +%s%N)
ok "a file of pictures goes in" writer e_in cam <"$T/in.ivf"
took=$((($(date +%s%N) - start) / 1000000))
[ $took -ge 1900 ]
tap_report $? "at its own pace: 2 s took $took ms"
wait $pid
is "and comes out" $? 0
is "every frame" "$(value "$T/e_out.err" frames)" 50
is "with its key frames" "$(value "$T/e_out.err" keys)" 5
is "and nothing lost" "$(value "$T/e_out.err" lost)" 0
is "as it was" "$(frames "$T/out.ivf" | cksum)" \
	"$(frames "$T/in.ivf" | cksum)"

reader e_out mic "$T/out.ogg"
cat "$T/in.ogg" "$T/in.ogg" >"$T/in2.ogg"
ok "two files of sound, one behind the other" writer e_in mic <"$T/in2.ogg"
wait $pid
is "come out" $? 0
is "all of it" "$(value "$T/e_out.err" frames)" 202
is "as it was" "$(frames "$T/out.ogg" | inner | cksum)" \
	"$( (frames "$T/in.ogg"; frames "$T/in.ogg") | inner | cksum)"
is "which is 198 frames without the ends" \
	"$(frames "$T/out.ogg" | inner | wc -l)" 198
is "without a gap" "$(ffmpeg -v warning -i "$T/out.ogg" -f null - 2>&1 \
	</dev/null)" ""

reader e_stop cam "$T/stop.ivf" -Q 200
stopped=$pid
reader e_go cam "$T/go.ivf"
writer e_in cam <"$T/in.ivf" &
wait_for 20 test -s "$T/stop.ivf"
kill -STOP $stopped
sleep 1
kill -CONT $stopped
wait $!
wait $pid
is "another reader's stop is not noticed" \
	"$(value "$T/e_go.err" frames) $(value "$T/e_go.err" dropped)" "50 0"
wait $stopped
frames=$(value "$T/e_stop.err" frames) dropped=$(value "$T/e_stop.err" dropped)
[ "$dropped" -ge 10 ] && [ $((frames + dropped)) = 50 ]
tap_report $? "the one that stopped has $frames frames and lost $dropped"
is "of which each can be shown" "$(ffmpeg -v error -i "$T/stop.ivf" \
	-f null - 2>&1 </dev/null)" ""
ask relay.stats '{}'
dropped_of() { jq -rs 'map(.result.bus_dropped_frames // empty) | .[-1]' \
	"$T/relay.out"; }
wait_for 20 eval '[ "$(dropped_of)" != null ]'
is "as the relay has counted" "$(dropped_of)" "$dropped"

reader e_wait screen "$T/none.ivf" -w 100
wait $pid
is "nothing to read in time" $? 124
exits "a ticket that is none" 1 bus-copy out -s "$T/bus" -t forged -S cam
like "says so" "$err" 'refused: denied: no such ticket'
exits "no such room" 1 bus-copy out -s "$T/bus" -r cellar -e e_x -S cam
like "says so, too" "$err" 'refused: not_found: no such room'
reader e_there cam "$T/none.ivf"
exits "somebody who is there already" 1 bus-copy out -s "$T/bus" -r hall \
	-e e_there -S cam
like "is not to be had twice" "$err" 'refused: exists'
kill $pid
exits "half a file" 3 writer e_in cam < <(head -c 20000 "$T/in.ivf")
exits "no file at all" 3 writer e_in cam </dev/null
exits "another format" 3 writer e_in cam < <(echo "RIFF....")
exits "a source that is none" 1 writer e_in mix <"$T/in.ivf"
exits "pictures for sound" 1 writer e_in mic <"$T/in.ivf"
exits "no bus" 75 bus-copy out -s "$T/nowhere" -t a.b -S cam
exits "no source" 2 bus-copy out -s "$T/bus" -t a.b

reader e_out cam "$T/out.ivf"
kill -9 "$relay"
wait "$relay" 2>/dev/null
wait $pid
is "a bus that dies" $? 75
start_relay
exits "without --open-bus a ticket is needed" 1 bus-copy out -s "$T/bus" \
	-r hall -e e_out -S cam
like "it says so" "$err" 'refused: denied: a ticket is needed'
is "it is back under its name" "$(ls "$T/bus")" "$T/bus"
is "for its user alone" "$(stat -c %a "$T/bus")" 600
exits "two on one path" 75 conf-relay --media 127.0.0.1:0 --bus "$T/bus" \
	</dev/null
exec 7>&-
wait "$relay"
is "and ends when it is told to" $? 0
ok "without its socket" test ! -e "$T/bus"
done_testing
