#!/bin/bash
# The socket is looked for in order; every path tried is told.
. tests/lib.sh
. tests/sh/canned.sh
answers 'meeting.list\t{"meetings":[]}'

bin=$(command -v meeting-ctl)
uid=$(id -u)
home=$(getent passwd "$uid" | cut -d: -f6)
if [ "$uid" = 0 ]; then state=/var/lib/confkit
else state=$home/.local/state/confkit; fi
exits "CONF_RUNDIR is the only place" 0 env -i CONF_RUNDIR="$T" "$bin" list
exits "nothing there is 75" 75 env -i CONF_RUNDIR="$T/none" "$bin" list
is "and it is told alone" "$err" "meeting-ctl: list: no server answers; tried:
  $T/none/signal.sock: No such file or directory"
mkdir -p "$T/xdg/confkit"
ln -s "$sock" "$T/xdg/confkit/signal.sock"
if [ -e /run/confkit/signal.sock ]; then
	ok "a kit that runs on this host is found first" \
		env -i "$bin" -w 5s list
else
	exits "XDG_RUNTIME_DIR/confkit is looked at" 0 \
		env -i XDG_RUNTIME_DIR="$T/xdg" "$bin" list
	exits "with the environment of cron it is 75" 75 env -i "$bin" list
	is "and each place is told" "$(sed 's/: [A-Z].*//' <<<"$err")" \
"meeting-ctl: list: no server answers; tried:
  /run/confkit/signal.sock
  /run/user/$uid/confkit/signal.sock
  $state/run/signal.sock"
fi
exits "-s is the only place" 75 env -i CONF_RUNDIR="$T" "$bin" \
	-s "$T/none/signal.sock" list
is "and it is told" "$err" "meeting-ctl: list: cannot connect to '$T/none/signal.sock': No such file or directory"
exits "a path that no socket can have is 2" 2 "$bin" \
	-s "$T/$(printf 'x%.0s' {1..120})" list
: >"$T/file"
exits "a file that is no socket is 75" 75 "$bin" -s "$T/file" list
kill "${tap_pids[0]}"
wait "${tap_pids[0]}" 2>/dev/null
exits "a stale socket is 75" 75 "$bin" -s "$sock" list
like "as refused" "$err" 'Connection refused'
done_testing
