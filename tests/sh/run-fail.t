#!/bin/bash
# What keeps confd-run from starting is told, with the exit status that says
# whether trying again helps; nothing is left behind.
. tests/lib.sh
. tests/sh/fake-kit.sh

left() { find "$CONF_RUNDIR" -mindepth 1 2>/dev/null; }
start_kit
exits "a second one on the same run directory is 75" 75 confd-run
is "and says so" "$err" \
	"confd-run: error: another confd-run is using '$CONF_RUNDIR'"
is "the first one runs on" "$(state_of confd-signal)" ready
other=$T/other
mkdir "$other"
exits "a port in use is 75" 75 env CONF_RUNDIR="$other" CONF_HTTP="$kit_http" \
	confd-run
is "and named" "$err" \
	"confd-run: error: cannot listen on '$kit_http': Address already in use"
exits "a media port in use is 75" 75 env CONF_RUNDIR="$other" \
	CONF_MEDIA="$kit_media" confd-run
is "and named too" "$err" \
	"confd-run: error: cannot listen on '$kit_media': Address already in use"
is "nothing of it is left" "$(find "$other" -mindepth 1)" ""
stop_kit

exits "an address of no interface is 2" 2 env CONF_HTTP=192.0.2.1:0 confd-run
exits "a malformed address is 2" 2 env CONF_HTTP=somewhere confd-run
is "and the variable is named" "$err" \
	"confd-run: error: CONF_HTTP: 'somewhere' is not an ADDRESS:PORT"
exits "CONF_TLS=maybe is 2" 2 env CONF_TLS=maybe confd-run
exits "an option that is not there is 2" 2 confd-run --frob
exits "an argument is 2" 2 confd-run frob
exits "a descriptor that is none is 2" 2 confd-run -d x
exits "a configuration that is not there is 2" 2 confd-run --config "$T/none"
like "and named" "$err" "cannot read '$T/none': No such file"
printf '[run]\nhttp = *:1\nhtpt = x\n' >"$T/bad.conf"
exits "an unknown key is 2" 2 confd-run --config "$T/bad.conf"
is "and its line is named" "$err" \
	"confd-run: error: $T/bad.conf:3: unknown key 'htpt' in [run]"
printf '[template mix]\nargv = conf-mix %%{\n' >"$T/bad.conf"
exits "a malformed template is 2" 2 confd-run --config "$T/bad.conf"
like "and its line is named" "$err" "bad.conf:2: argv: "
printf '[run]\nsocket-group = no-such-group\n' >"$T/bad.conf"
exits "an unknown group is 2" 2 confd-run --config "$T/bad.conf"
: >"$T/file"
exits "a state directory that cannot be is 3" 3 \
	env CONF_STATEDIR="$T/file/x" confd-run
exits "a run directory that cannot be is 3" 3 \
	env CONF_RUNDIR="$T/file/x" confd-run

for status in 1 2 3 75; do
	echo "exit $status" >"$CONF_STATEDIR/confd-signal.early"
	exits "a worker that ends with $status gives $status" $status confd-run
	like "and is named" "$err" 'confd-signal does not start'
	is "nothing is left" "$(left)" ""
done
echo 'kill -9 $$' >"$CONF_STATEDIR/confd-signal.early"
: >"$CONF_STATEDIR/confd-signal.log"
exits "a worker that only crashes gives 3" 3 confd-run
is "after three tries" "$(starts_of confd-signal)" 3
rm "$CONF_STATEDIR/confd-signal.early"
mv "$T/bin/conf-relay" "$T/bin/away"
exits "a worker that is not there is 127" 127 env PATH="$T/bin:/usr/bin:/bin" \
	confd-run
like "and named" "$err" "cannot run 'conf-relay': No such file"
mv "$T/bin/confd-signal" "$T/bin/away2"
exits "the first one of them, too" 127 env PATH="$T/bin:/usr/bin:/bin" \
	timeout 20 confd-run
like "which is named" "$err" "cannot run 'confd-signal': No such file"
is "nothing is left at last" "$(left)" ""
done_testing
