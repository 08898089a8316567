#!/bin/bash
# What the sandboxes stop and what they leave, a whole meeting inside of
# them, older kernels, and no sandbox at all.
. tests/lib.sh
sanitized= ; case $B in */asan) sanitized='built with a sanitizer' ;; esac

export CONF_RUNDIR=$T/run CONF_STATEDIR=$T/state
for tool in confd-signal conf-relay confd-run; do
	exits "$tool --sandbox-selftest" 0 "$tool" --sandbox-selftest ||
		grep -A1 '^not ok' <<<"$out" | sed 's/^not /# /'
	like "$tool: it has a plan" "$out" '^1\.\.[0-9]+$'
	grep -q '# SKIP' <<<"$out" && unsupported "$tool: all fences" \
		"${sanitized:-$(sed -n 's/.*# SKIP //p' <<<"$out" | head -1)}"
	landlock=$(grep -q 'where anybody.*SKIP' <<<"$out" || echo yes)
done
for tool in confd-signal conf-relay confd-run; do
	exits "$tool --sandbox maybe" 2 "$tool" --sandbox maybe
done
is "nothing is left of it" "$(find "$T/state" /tmp/confkit-?????? \
	-mindepth 1 2>/dev/null)" ''

# A worker of a template, with what confd-run leaves it.
mkdir "$T/bin"
cat >"$T/bin/try" <<'END'
#!/bin/bash
printf '#!/bin/sh\necho ran\n' >"$CONF_STATEDIR/dropped"
chmod 700 "$CONF_STATEDIR/dropped"
"$CONF_STATEDIR/dropped" >"$CONF_STATEDIR/tried" 2>&1
mount -t tmpfs none /mnt >>"$CONF_STATEDIR/tried" 2>&1 && echo mounted \
	>>"$CONF_STATEDIR/tried" && umount /mnt
mkdir -p "$CONF_STATEDIR/elsewhere" &&
	mv "$CONF_STATEDIR/dropped" "$CONF_STATEDIR/elsewhere/" &&
	echo moved >>"$CONF_STATEDIR/tried"
for o; do [ "$last" = -d ] && echo >&"$o"; last=$o; done
sed -n 's/^NoNewPrivs:\t//p' /proc/self/status >"$CONF_STATEDIR/nnp"
exit 0
END
chmod 700 "$T/bin/try"
echo "[template try]
argv = $T/bin/try" >"$T/confkit.conf"

status() { # FIELD: of confd-run, confd-signal and conf-relay
	local p
	for p in "$kit" "$(kit_pid confd-signal)" "$(kit_pid relay-0)"; do
		sed -n "s/^$1:\t//p" "/proc/$p/status"
	done | tr '\n' ' '
}

start_kit --config "$T/confkit.conf" || ok 'the kit starts' false
is 'no new privileges' "$(status NoNewPrivs)" '1 1 1 '
[ -n "$sanitized" ] && unsupported 'seccomp' "$sanitized" ||
	is 'seccomp filters' "$(status Seccomp)" '2 2 2 '
is 'no warning' "$(grep -c warning "$T/kit.err")" 0

exits 'create' 0 meeting-ctl create Sandbox --id box
link=$(meeting-ctl link box --role moderator)
like 'link' "$link" '/m/box#t='
meeting-ctl events box -f >"$T/events" & tap_pids+=($!)
cat >"$T/page.mjs" <<'END'
import {createRequire} from 'node:module';
const WebSocket = createRequire(process.argv[2])('ws');
const url = new URL(process.argv[3]);
const ws = new WebSocket(`wss://${url.host}/ws`, {origin: url.origin,
	rejectUnauthorized: false});
const waiting = [];
ws.on('message', (text) => {
	const m = JSON.parse(text);
	if (m.id) waiting.shift()(m);
});
const call = (method, params) => new Promise((r) => {
	waiting.push(r);
	ws.send(JSON.stringify({jsonrpc: '2.0', id: 1, method, params}));
});
await new Promise((r) => ws.on('open', r));
const hello = await call('hello', {protocol: [1], role: 'client',
	agent: 'test/1', token: url.hash.slice(3)});
console.log(hello.result.role);
console.log((await call('user.join', {name: 'Ada'})).result.user.name);
console.log((await call('chat.say', {text: 'hello'})).result.seq > 0);
const media = await call('media.subscribe', {});
console.log(media.result?.slots.length ?? JSON.stringify(media.error));
ws.close();
END
node=.build/node/package.json
if command -v node >/dev/null && [ -e $node ]; then
	is 'a page says hello, joins, speaks, asks the relay' \
		"$(node "$T/page.mjs" "$PWD/$node" "$link" 2>&1)" \
		"$(printf 'moderator\nAda\ntrue\n9')"
else
	unsupported 'a page' 'node with ws is not at hand'
fi
like 'users' "$(meeting-ctl users box)" Ada
exits 'say' 0 meeting-ctl say box 'from the shell' --as Shell
ok 'events -f' wait_for 5 grep -q 'from the shell' "$T/events"
like 'the client is served' "$(curl -sk "https://$kit_http/")" '<title>'
exits 'end' 0 meeting-ctl end box

exits 'a template' 0 meeting-ctl -s "$CONF_RUNDIR/run.sock" call start \
	'{"template":"try","instance":"box"}'
ok 'it runs' wait_for 5 test -s "$CONF_STATEDIR/nnp"
is 'without new privileges' "$(cat "$CONF_STATEDIR/nnp")" 1
like 'and moves files' "$(cat "$CONF_STATEDIR/tried")" '^moved$'
if [ "$landlock" = yes ]; then
	like 'but runs nothing that it wrote' \
		"$(cat "$CONF_STATEDIR/tried")" 'dropped:.*Permission denied'
	is 'nor mounts' "$(grep -c '^mounted' "$CONF_STATEDIR/tried")" 0
else
	unsupported 'runs nothing that it wrote' 'no Landlock'
fi
is 'nobody was ended by it all' "$(meeting-ctl -s "$CONF_RUNDIR/run.sock" \
	call list | jq -c '[.workers[].starts]')" '[1,1]'
stop_kit
is 'it ends' "$kit_rc" 0

# An older kernel has less, says so once, and serves.
if [ -n "$sanitized" ]; then
	unsupported 'older kernels' "$sanitized"
else
	for o in -l:Landlock -s:seccomp '-l -s:Landlock and seccomp'; do
		what=${o#*:}
		exits "without $what" 0 io-old-kernel ${o%:*} conf-relay \
			--media 127.0.0.1:0
		is "one warning" "$(grep warning <<<"$err")" "conf-relay: \
warning: the sandbox lacks $what, which this kernel has not"
		exits 'the selftest leaves that out' 0 io-old-kernel \
			${o%:*} conf-relay --sandbox-selftest
	done
fi

: >"$T/kit.err"
start_kit --sandbox off || ok 'it starts without' false
is '--sandbox off goes for all' "$(status NoNewPrivs)$(status Seccomp)" \
	'0 0 0 0 0 0 '
is 'and each says so' "$(grep -c 'without its sandbox' "$T/kit.err")" 3
stop_kit
printf '[run]\nsandbox = off\n[relay]\nsandbox = on\n' >"$T/confkit.conf"
start_kit --config "$T/confkit.conf" || ok 'it starts in part' false
is 'a section says otherwise' "$(status NoNewPrivs)" '0 0 1 '
stop_kit
done_testing
