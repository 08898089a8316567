# Sourced by tests of confd-run: a directory with confd-run and workers that
# are tests/sh/worker.sh, first in PATH. What a worker is to do stands in
# $CONF_STATEDIR/NAME.do or .early, what it saw in $CONF_STATEDIR/NAME.log.
export CONF_RUNDIR=$T/run CONF_STATEDIR=$T/state
export CONF_HTTP=127.0.0.1:0 CONF_MEDIA=127.0.0.1:0
mkdir -p "$T/bin" "$CONF_STATEDIR"
cp "$(command -v confd-run)" "$T/bin/"
for name in confd-signal conf-relay conf-extra; do
	cp tests/sh/worker.sh "$T/bin/$name"
	chmod 755 "$T/bin/$name"
done
PATH=$T/bin:$PATH
runctl() { meeting-ctl -s "$CONF_RUNDIR/run.sock" call "$@"; }
state_of() { runctl list | jq -r --arg n "$1" \
	'.workers[] | select(.worker == $n).state'; }
starts_of() { grep -c ^start "$CONF_STATEDIR/$1.log"; }
# A zombie is gone: who adopted it may take its time.
gone() { ! grep -q '^State:[^Z]*$' "/proc/$1/status" 2>/dev/null; }
