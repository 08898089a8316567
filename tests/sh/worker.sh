#!/bin/bash
# A worker that does nothing: stands in for a daemon in tests of confd-run.
# It notes its start in $CONF_STATEDIR/NAME.log, says that it is ready, then
# does what $CONF_STATEDIR/NAME.do holds, or waits for the lifeline.
name=$(basename "$0")
args=$*
while [ $# -gt 0 ]; do
	case $1 in
	-d) ready=$2; shift ;;
	--lifeline) life=$2; shift ;;
	--secret-fd) read -r -u "$2" secret; shift ;;
	--name) name=$2; shift ;;
	esac
	shift
done
{
	echo "start $(date +%s%N) pid $$ args $args"
	echo "listen ${LISTEN_FDS:-0} ${LISTEN_FDNAMES:-} pid ${LISTEN_PID:-}"
	echo "secret ${secret:-}"
	echo "fds $(cd /proc/$$/fd && echo *)"
	echo "stdin $(readlink /proc/$$/fd/0)"
} >>"$CONF_STATEDIR/$name.log"
[ -e "$CONF_STATEDIR/$name.early" ] && . "$CONF_STATEDIR/$name.early"
echo >&"$ready"
[ -e "$CONF_STATEDIR/$name.do" ] && . "$CONF_STATEDIR/$name.do"
read -r -u "$life"
echo "lifeline $(date +%s%N)" >>"$CONF_STATEDIR/$name.log"
exit 0
