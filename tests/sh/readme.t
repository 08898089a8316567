#!/bin/bash
# The README's shell session, line by line as it stands there, and what else
# the README promises of the tree.
. tests/lib.sh
start_kit || ok "the kit starts" false

sed -n '/^## The idea in five lines/,/^The fourth line/s/^    //p' README.md \
	>"$T/session"
is "the session has five lines" "$(wc -l <"$T/session")" 5
# The first line names the build that make run made; the test has its own.
sed 1d "$T/session" >"$T/rest"
# The background line goes on until the daemon goes.
(. "$T/rest") >"$T/session.out" 2>"$T/session.err"
is "the meeting is there" \
	"$(meeting-ctl call meeting.show '{"meeting":"standup"}' |
		jq -r .meeting.name)" "Stand-up"
cron=$(sed -n 's|^    55 8 [^/]*/usr/local/bin/||p' README.md)
ok "the line for cron needs no environment" env -i \
	CONF_RUNDIR="$CONF_RUNDIR" "$B/bin/${cron%% *}" create "Stand-up" \
	--id standup
stop_kit
ok "what was said is printed" wait_for 10 \
	grep -q '^The build is green$' "$T/session.out"
like "it prints a join link" "$(cat "$T/session.out")" \
	'^https://localhost:[0-9]+/m/standup#t=[A-Za-z0-9_-]+\.'
like "the only complaint is that the daemon went" \
	"$(cat "$T/session.err")" '^(meeting-ctl: .*)?$'

for t in all run check check-asan soak bench fuzz layers deps deps-check \
	install uninstall clean; do
	ok "make knows $t" make -n "$t"
done
for tool in $(sed -n 's/^| `\(conf[a-z-]*\|meeting-ctl\)` .*/\1/p' README.md)
do
	ok "$tool of the table is built" test -x "$B/bin/$tool"
done
for tool in "$B"/bin/*; do
	ok "$(basename "$tool") stands in the table" \
		grep -q "^| \`$(basename "$tool")\`" README.md
done
done_testing
