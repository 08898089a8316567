#!/bin/bash
# A log that was damaged while nobody ran: confd-signal starts with what is
# sound of it, says what is not, and keeps the damaged one.
. tests/lib.sh
unset LISTEN_FDS LISTEN_FDNAMES
export CONF_RUNDIR=$T/run CONF_STATEDIR=$T/state
log=$CONF_STATEDIR/log.db
mkdir "$T/www" && echo hello >"$T/www/index.html"

start() { # NAME: its log is in $T/NAME.err, its pid in $pid
	mkfifo "$T/$1.ready"
	confd-signal --www "$T/www" --listen 127.0.0.1:0 -d 4 \
		2>"$T/$1.err" 4>"$T/$1.ready" &
	pid=$! tap_pids+=($!)
	timeout 20 head -c1 "$T/$1.ready" >/dev/null
}
stop() { kill "$pid"; wait "$pid"; }
crash() { kill -9 "$pid"; wait "$pid" 2>/dev/null; }
texts() { meeting-ctl events "$1" |
	jq -r 'select(.type == "chat.said").data.text' | tr '\n' ' '; }
asides() { find "$CONF_STATEDIR" -name 'log.db.damaged-*Z*' "$@" | wc -l; }
# overwrite FILE TEXT NEW: each TEXT that is there, by as many bytes of NEW
overwrite() { local at; for at in $(grep -abo "$2" "$1" | cut -d: -f1); do
	printf %s "$3" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
	done; }

start one
meeting-ctl create Hello --id hello >/dev/null
meeting-ctl create Other --id other >/dev/null
for text in one two three four; do
	meeting-ctl say hello "$text"
	meeting-ctl say other "o$text"
done
stop
is "nothing was wrong" "$(grep -c 'damaged\|unfinished' "$T/one.err")" 0

overwrite "$log" '"three"' '"threE"'
damaged=$(md5sum <"$log")
start two
is "a changed event ends its meeting" "$(texts hello)" 'one two '
is "others are whole" "$(texts other)" 'oone otwo othree ofour '
like "the damage is told" "$(cat "$T/two.err")" \
	'error: the log was damaged \(event 4 of meeting hello is damaged\): it is kept as log.db.damaged-[0-9]+T[0-9]+Z, and log.db is what could be read of it'
like "and what was lost" "$(cat "$T/two.err")" \
	'error: meeting hello: kept up to event 3; lost 2, unfinished 0'
is "of that meeting alone" "$(grep -c 'kept up to' "$T/two.err")" 1
is "the damaged log is kept" "$(asides) $(md5sum <"$(echo "$log".damaged-*)")" \
	"1 $damaged"
exits "the meeting goes on" 0 meeting-ctl say hello five
is "its events as well" "$(meeting-ctl events hello | jq .seq |
	tr '\n' ' ')" '1 2 3 4 '
crash

# What was being written when the power failed.
wal=$log-wal
truncate -s -100 "$wal"
start three
is "an unfinished transaction is left out" "$(texts hello)" 'one two '
like "and told" "$(cat "$T/three.err")" \
	'warning: the log ended with [0-9]+ bytes of an unfinished transaction'
is "that is no damage" "$(asides)" 1
meeting-ctl say hello six
meeting-ctl say hello seven
crash
overwrite "$wal" '"six"' '"sIx"'
start four
is "damage in the WAL is damage" "$(texts hello) $(asides ! -name '*-wal')" \
	'one two  2'
like "and told as such" "$(cat "$T/four.err")" 'kept up to event 3; lost 2'
stop

head -c 9000 /dev/urandom >"$log"
start five
is "with nothing to be read it starts anew" "$(meeting-ctl -T list) $(asides ! \
	-name '*-wal')" " 3"
stop
rm "$log"
start six
is "so it does without a log" "$(meeting-ctl -T list)" ""
is "in silence" "$(grep -c 'damaged\|kept' "$T/six.err")" 0
stop
is "nothing else is left behind" "$(find "$CONF_STATEDIR" -name 'log*' \
	! -name '*.damaged-*' -printf '%f\n' | sort | tr '\n' ' ')" \
	'log.db log.lock log.reserve '
done_testing
