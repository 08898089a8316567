#!/bin/bash
# The table of events in conf-audit(5) is the one that the code writes by,
# and that of rates in conf-ctl(7) the one that it limits by.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh

sed -n '/audit-table.t/,/^\.El/s/^\.It Cm \([a-z.]*\) Ta \([a-z]*\) Ta .*/\1\t\2/p' \
	man/man5/conf-audit.5 >"$T/page"
"$B/test/hub-audit" >"$T/code"
ok "the table has rows" test -s "$T/code"
ok "page and code agree" diff "$T/page" "$T/code"
is "no event twice" "$(cut -f1 "$T/code" | sort | uniq -d)" ""

sed -n '/^} rates/,/^};/s/^\t{\(.*\), \([0-9]*\), \([0-9]*\)},$/\1\t\2\t\3/p' \
	lib/hub/hub_limit.c | tr -d '"' | sed 's/^NULL/all others/' >"$T/code"
sed -n '/audit-table.t/,/^\.El/s/^\.It Cm \([a-z. ]*\) Ta \([0-9]*\) Ta \([0-9]*\)$/\1\t\2\t\3/p' \
	man/man7/conf-ctl.7 >"$T/page"
is "there are rates" "$(wc -l <"$T/code")" 7
ok "page and code agree" diff "$T/page" "$T/code"
done_testing
