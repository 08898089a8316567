# Sourced by shell tests: TAP, waiting for conditions, starting the kit.
# Each test has an empty directory $T of its own, and $B, the build.
# Nothing sleeps for a guess: wait_for polls a condition to a deadline.
set -u
tap_n=0 tap_bad=0
tap_pids=()
tap_tmp=
[ -n "${T:-}" ] || { T=$(mktemp -d) && tap_tmp=$T; }
B=${B:-$PWD/.build}
export T B PATH="$B/bin:$B/test:$PATH"

tap_report()
{
	local rc=$1; shift
	tap_n=$((tap_n + 1))
	if [ "$rc" = 0 ]; then echo "ok $tap_n - $*"
	else echo "not ok $tap_n - $*"; tap_bad=$((tap_bad + 1)); fi
	return "$rc"
}
# ok DESC CMD...: the command succeeds.
ok() { local d=$1; shift; "$@" >"$T/.out" 2>&1; local rc=$?
	tap_report $rc "$d" || sed 's/^/# /' "$T/.out"; }
# is DESC GOT WANTED
is() { [ "$2" = "$3" ]; tap_report $? "$1" ||
	printf '# got:    %s\n# wanted: %s\n' "$2" "$3" | sed '/^[^#]/s/^/# /'; }
# like DESC GOT REGEX (extended)
like() { grep -Eq -- "$3" <<<"$2"; tap_report $? "$1" ||
	printf '# got:    %s\n# wanted: %s\n' "$2" "$3"; }
# exits DESC STATUS CMD...: what it printed is in $out and $err then.
exits() { local d=$1 want=$2 rc; shift 2
	"$@" >"$T/.out" 2>"$T/.err"; rc=$?
	out=$(cat "$T/.out"); err=$(cat "$T/.err")
	[ "$rc" = "$want" ]; tap_report $? "$d" ||
	printf '# exit %s, wanted %s\n%s\n' "$rc" "$want" "$err" | sed 's/^[^#]/# &/'; }
# unsupported DESC REASON: named and counted, never passed.
unsupported() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1 # SKIP $2"; }
# wait_for SECONDS CMD...: polls 20 times a second.
wait_for() { local end=$(($(date +%s%N) + $1 * 1000000000)); shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%N)" -lt "$end" ] || return 1; sleep 0.05; done; }
# background CMD...: pid in $!; ended with the test, by pid.
background() { "$@" & tap_pids+=($!); }
# start_kit [OPTION...]: confd-run with directories of its own ($CONF_RUNDIR,
# $CONF_STATEDIR) and free ports on loopback, ready. What it is then: its pid
# in $kit, the addresses in $kit_http and $kit_media, its log in $T/kit.err.
# CONF_* that the test has set are obeyed. Not in a subshell.
start_kit()
{
	local ready=
	export CONF_RUNDIR=${CONF_RUNDIR:-$T/run}
	export CONF_STATEDIR=${CONF_STATEDIR:-$T/state}
	export CONF_HTTP=${CONF_HTTP:-127.0.0.1:0}
	export CONF_MEDIA=${CONF_MEDIA:-127.0.0.1:0}
	rm -f "$T/kit.ready"
	mkfifo "$T/kit.ready"
	confd-run -d 3 "$@" 3>"$T/kit.ready" >"$T/kit.out" 2>>"$T/kit.err" &
	kit=$!
	tap_pids+=("$kit")
	read -r -t 20 ready <"$T/kit.ready"
	[ $? = 0 ] || { sed 's/^/# /' "$T/kit.err"; return 1; }
	kit_http=$(awk -F'\t' '$1 == "http" { print $2; exit }' "$T/kit.out")
	kit_media=$(awk -F'\t' '$1 == "media0" { print $2; exit }' "$T/kit.out")
}
# stop_kit: its exit status is in $kit_rc then.
stop_kit() { kill "$kit" 2>/dev/null; wait "$kit"; kit_rc=$?; }
# kit_pid NAME: the process of a worker, by its name in run.sock's list.
kit_pid() { meeting-ctl -s "$CONF_RUNDIR/run.sock" call list |
	jq -r --arg n "$1" '.workers[] | select(.worker == $n).pid'; }
tap_cleanup()
{
	local p
	for p in "${tap_pids[@]:-}"; do [ -z "$p" ] || kill "$p" 2>/dev/null; done
	for p in "${tap_pids[@]:-}"; do [ -z "$p" ] || wait "$p" 2>/dev/null; done
	[ -z "$tap_tmp" ] || rm -rf "$tap_tmp"
}
trap tap_cleanup EXIT
trap 'exit 143' TERM INT
done_testing() { echo "1..$tap_n"; exit $((tap_bad > 0)); }
