#!/bin/bash
# Another user who is in the socket's group runs meeting-ctl from cron, that
# is with no environment; one who is not is refused by the file mode. In a
# mount namespace with a /run of its own.
. tests/lib.sh

what='another user of the group'
[ "$(id -u)" = 0 ] || { unsupported "$what" 'needs root'; done_testing; }
command -v setpriv >/dev/null || {
	unsupported "$what" 'needs setpriv'; done_testing; }
if [ -z "${in_namespace:-}" ]; then
	unshare -m true 2>/dev/null || {
		unsupported "$what" 'no mount namespaces here'; done_testing; }
	in_namespace=1 exec unshare -m bash "$0"
fi
mount -t tmpfs -o mode=755 none /run || {
	unsupported "$what" 'cannot mount'; done_testing; }

# Any group that is not ours, with a user that it does not name: only what
# the process holds counts, as for the file mode.
read -r group gid < <(getent group | awk -F: '$3 > 0 && $3 < 60000 {
	print $1, $3; exit }')
mkdir /run/bin && cp "$(command -v meeting-ctl)" /run/bin
export CONF_RUNDIR=/run/confkit CONF_STATEDIR=/run/state
echo "[run]
socket-group = $group" >"$T/confkit.conf"
start_kit --config "$T/confkit.conf" || ok 'it starts' false
is 'the directory is for the group' "$(stat -c '%a %G' /run/confkit)" \
	"750 $group"
is 'so is signal.sock' "$(stat -c '%a %G' /run/confkit/signal.sock)" \
	"660 $group"

primary=(setpriv --reuid 54321 --regid "$gid" --clear-groups env -i)
second=(setpriv --reuid 54321 --regid 54321 --groups "54322,$gid" env -i)
neither=(setpriv --reuid 54321 --regid 54321 --groups 54322 env -i)
ctl=/run/bin/meeting-ctl
cd / || exit 1

exits 'his own group: create' 0 "${primary[@]}" $ctl create Cron --id cron
exits 'list' 0 "${primary[@]}" $ctl list
like 'the meeting is there' "$out" 'cron'
exits 'a supplementary group: say' 0 "${second[@]}" $ctl say cron hello \
	--as Cron
exits 'link' 0 "${second[@]}" $ctl link cron
like 'a link' "$out" '^https://.*/m/cron#t='
exits 'events' 0 "${second[@]}" $ctl events cron
like 'it says who' "$out" '"actor":"op:54321"'
exits 'end' 0 "${second[@]}" $ctl end cron

# /run/confkit cannot even be searched.
exits 'outside the group: refused' 3 "${neither[@]}" $ctl list
like 'it says why' "$err" '/run/confkit/signal\.sock: Permission denied'
exits 'also by its path' 3 "${neither[@]}" $ctl \
	-s /run/confkit/signal.sock list

# The group is for signal.sock alone.
for s in worker run; do
	exits "$s.sock is not for the group" 3 "${second[@]}" $ctl \
		-s "/run/confkit/$s.sock" call list
done
exits 'nor is the key' 1 "${second[@]}" cat /run/confkit/worker.key
exits 'nor the log' 2 "${second[@]}" ls /run/state

# Should the file mode fail us, the credentials do not.
chmod 755 /run/confkit && chmod 666 /run/confkit/signal.sock
exits 'a looser mode lets nobody in' 75 "${neither[@]}" $ctl list
like 'the refusal is logged' "$(cat "$T/kit.err")" 'refused uid 54321'
audit=$(tail -n 1 /run/state/audit.log)
is 'and written down' "$(jq -r '[.event, .subject, .verdict, .reason] |
	join(" ")' <<<"$audit")" 'uid.refused uid:54321 refused signal.sock'
is 'where only we read it' "$(stat -c %a /run/state/audit.log)" 600
exits 'and keeps nobody out' 0 "${second[@]}" $ctl list
stop_kit
is 'it ends' "$kit_rc" 0
done_testing
