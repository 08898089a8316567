#!/bin/bash
# confd-run out of descriptors: it does not spin, says so once, and serves who
# waited when there are some again.
. tests/lib.sh
export CONF_TLS=off
start_kit
run() { meeting-ctl -s "$CONF_RUNDIR/run.sock" call list; }
ok "it answers" run
free=0
while [ -e "/proc/$kit/fd/$free" ]; do free=$((free + 1)); done
soft=$(prlimit --pid "$kit" --nofile --noheadings -o SOFT)
prlimit --pid "$kit" --nofile="$free:"
run >"$T/list" 2>&1 &
caller=$!
tap_pids+=("$caller")
said() { grep -c 'run.sock: cannot accept connections' "$T/kit.err"; }
ok "it says that it is out of them" wait_for 10 said
# utime and stime, in ticks of 10 ms.
ticks() { sed 's/^.*) //' "/proc/$kit/stat" | awk '{ print $12 + $13 }'; }
before=$(ticks)
sleep 2 # what is measured
used=$(($(ticks) - before))
ok "it does not spin: $used of 200 ticks" [ "$used" -lt 10 ]
is "it has said so once" "$(said)" 1
ok "who called waits" kill -0 "$caller"
prlimit --pid "$kit" --nofile="$soft:"
wait "$caller"
is "and is served" "$?" 0
like "with the list" "$(cat "$T/list")" confd-signal
ok "as is the next" run
stop_kit
is "a clean end" "$kit_rc" 0
done_testing
