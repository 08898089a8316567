#!/bin/bash
# run.sock starts, lists and stops workers from templates, without a shell.
. tests/lib.sh
. tests/sh/fake-kit.sh

cat >"$T/kit.conf" <<'EOF'
[template extra]
argv = conf-extra --name %{instance} --for %{meeting}
       --at %{rundir}/worker.sock "two words; $(touch x) 100%"
[template absent]
argv = no-such-program
EOF
start_kit --config "$T/kit.conf"
ask='{"template":"extra","instance":"hello","vars":{"meeting":"hello"}}'
exits "start" 0 runctl start "$ask"
pid=$(jq .pid <<<"$out")
is "names the worker" "$(jq -c '[.worker, .created]' <<<"$out")" \
	'["extra/hello",true]'
wait_for 5 eval '[ "$(state_of extra/hello)" = ready ]'
like "its words are filled and passed as they are" \
	"$(cat "$CONF_STATEDIR/hello.log")" \
	"args --name hello --for hello --at $CONF_RUNDIR/worker.sock two words; \\$\(touch x\) 100% --lifeline"
secret=$(printf extra/hello | openssl dgst -sha256 -mac HMAC \
	-macopt "hexkey:$(cat "$CONF_RUNDIR/worker.key")" -r)
is "it has a secret of its own" \
	"$(sed -n 's/^secret //p' "$CONF_STATEDIR/hello.log")" "${secret%% *}"
exits "start again" 0 runctl start "$ask"
is "is the same worker" "$(jq -c '[.pid, .created]' <<<"$out")" "[$pid,false]"
exits "start with other variables" 1 runctl start "${ask/hello\"\}/other\"\}}"
like "is refused" "$err" "'extra/hello' runs with other variables"

for bad in '-rf' 'a b' '../x' 'a;b' 'A' '' 'a/b' '%{rundir}' '$(x)'; do
	exits "the variable '$bad' is refused" 2 runctl start \
		"{\"template\":\"extra\",\"instance\":\"x\",\"vars\":{\"meeting\":\"$bad\"}}"
	exits "the instance '$bad' is refused" 2 runctl start \
		"{\"template\":\"extra\",\"instance\":\"$bad\"}"
done
exits "a missing variable is 2" 2 runctl start \
	'{"template":"extra","instance":"x"}'
like "and named" "$err" "needs the variable 'meeting'"
exits "a number is no variable" 2 runctl start \
	'{"template":"extra","instance":"x","vars":{"meeting":7}}'
exits "an unknown template is 1" 1 runctl start \
	'{"template":"none","instance":"x"}'
exits "a template of a program that is not there is 75" 75 runctl start \
	'{"template":"absent","instance":"x"}'
exits "no template is 2" 2 runctl start '{"instance":"x"}'
is "none of them was added" \
	"$(runctl list | jq -r '.workers[].worker' | sort | tr '\n' ' ')" \
	'confd-signal extra/hello relay-0 '

sleep 1
kill -9 "$pid"
ok "it is started again when it crashes" wait_for 5 eval \
	'[ "$(state_of extra/hello)" = ready ] &&
	 [ "$(kit_pid extra/hello)" != '"$pid"' ]'
pid=$(kit_pid extra/hello)
exits "stop" 0 runctl stop '{"template":"extra","instance":"hello"}'
ok "ends it" wait_for 5 gone "$pid"
ok "and takes it off the list" wait_for 5 eval \
	'[ -z "$(state_of extra/hello)" ]'
exits "stop again is 1" 1 runctl stop '{"template":"extra","instance":"hello"}'
echo 'exit 0' >"$CONF_STATEDIR/done.do"
exits "a worker that will be done" 0 runctl start "${ask//hello/done}"
ok "leaves the list when it is" wait_for 5 eval \
	'[ -z "$(state_of extra/done)" ]'
echo 'exit 2' >"$CONF_STATEDIR/wrong.do"
runctl start "${ask//hello/wrong}" >/dev/null
ok "one that was asked wrongly too" wait_for 5 eval \
	'[ -z "$(state_of extra/wrong)" ]'
for i in $(seq 1 20); do
	runctl start "${ask//hello/many-$i}" >/dev/null || echo "# many-$i"
done
is "many run at once" \
	"$(runctl list | jq '[.workers[] | select(.static | not)] | length')" 20

# What is no message closes its peer and nothing else.
curl -s -m 5 --unix-socket "$CONF_RUNDIR/run.sock" http://x/ >/dev/null
like "HTTP on run.sock is closed" "$?" '^(1|52|56)$'
is "nonsense on run.sock hurts nobody" "$(state_of confd-signal)" ready
pids=$(runctl list | jq '.workers[].pid')
stop_kit
is "all end with confd-run" "$kit_rc" 0
ok "every process" eval 'for p in '"$(echo $pids)"'; do gone $p || exit 1; done'
done_testing
