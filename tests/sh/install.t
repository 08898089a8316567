#!/bin/bash
# make install: what it puts down runs from there; make uninstall takes all
# of it away.
. tests/lib.sh
export CONF_RUNDIR=$T/run CONF_STATEDIR=$T/state
export CONF_HTTP=127.0.0.1:0 CONF_MEDIA=127.0.0.1:0
dest=$T/dest
make() { command make --no-print-directory ${SAN:+SAN="$SAN"} "$@"; }
case $B in */asan) SAN=1 ;; esac

exits "make install" 0 make install DESTDIR="$dest" PREFIX=/opt/kit
top=$dest/opt/kit
is "nothing outside of the prefix" \
	"$(cd "$dest" && find . -type f ! -path './opt/kit/*')" ""
for tool in "$B"/bin/*; do
	name=$(basename "$tool")
	ok "$name is there" test -x "$top/bin/$name"
	ok "its page" test -r "$top/share/man/man1/$name.1"
	ok "its completion" test -s \
		"$top/share/bash-completion/completions/$name"
done
ok "the pages of formats" test -r "$top/share/man/man7/conf.7"
ok "the client" test -r "$top/share/confkit/www/index.html"
is "readable by all" "$(find "$top" ! -perm -444 | head -5)" ""

# From there and from nothing else.
PATH=$top/bin:/usr/local/bin:/usr/bin:/bin
ok "the installed kit starts" start_kit
exits "its page is served" 0 curl -skf "https://$kit_http/m/hello"
like "from the installed files" "$out" '<script'
is "by the installed daemon" \
	"$(readlink "/proc/$(kit_pid confd-signal)/exe")" \
	"$(readlink -f "$top")/bin/confd-signal"
exits "its verbs work" 0 meeting-ctl create Hello
stop_kit
is "it stops" "$kit_rc" 0
mkdir -p "$T/away/examples"
cp -r examples/hello-meeting "$T/away/examples/"
CONF_BINDIR= "$T/away/examples/hello-meeting/run" >"$T/out" 2>"$T/err" &
hello=$!
tap_pids+=($hello)
ok "the example runs with what is installed" wait_for 20 eval \
	'[ "$(wc -l <"$T/out")" = 4 ]'
kill $hello
wait $hello
is "and stops" $? 0

exits "make uninstall" 0 make uninstall DESTDIR="$dest" PREFIX=/opt/kit
is "leaves no file" "$(find "$dest" ! -type d)" ""
done_testing
