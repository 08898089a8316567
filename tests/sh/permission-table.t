#!/bin/bash
# The table of rights in conf-ctl(7) is the one that the code decides by.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh

sed -n '/permission-table.t/,/^\.El/s/^\.It Cm //p' man/man7/conf-ctl.7 |
	sed 's/ Ta /\t/g; s/\\-/-/g' | sort >"$T/page"
"$B/test/meet-table" | sort >"$T/code"
ok "the table has rows" test -s "$T/code"
ok "page and code agree" diff "$T/page" "$T/code"

# And every error kind that the code knows stands in the page once.
for kind in not_found exists ambiguous denied invalid io internal busy limit \
	draining unavailable timeout; do
	n=$(grep -c "^\.It Cm $kind Ta [0-9]" man/man7/conf-ctl.7)
	is "kind $kind is in the page" "$n" 1
done
done_testing
