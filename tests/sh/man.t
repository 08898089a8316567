#!/bin/bash
# The manual: clean, complete, and true to what the tools print.
. tests/lib.sh

pages=$(git ls-files 'man/*')
ok "there are pages" test -n "$pages"
for p in $pages; do
	# Whether a page of another package is installed here says nothing
	# about ours; pages of our own are looked for below.
	is "$p is clean" "$(mandoc -Tlint "$p" 2>/dev/null |
		grep -v 'STYLE: referenced manual not found' |
		grep -v 'STYLE: operating system explicitly specified' |
		grep -v 'STYLE: consider using OS macro')" ""
	for x in $(sed -n 's/^\.Xr \(conf[a-z-]*\|meeting-ctl\) \([0-9]\).*/\1.\2/p' \
		"$p" | sort -u); do
		[ -e "man/man${x##*.}/$x" ] || is "$p refers to $x" missing there
	done
	for s in NAME DESCRIPTION; do
		grep -q "^\.Sh $s" "$p" || is "$p has $s" no yes
	done
done
# Words that stand in a page as .Fl, without the first dash.
flags() { mandoc -Tmarkdown "$1" >"$T/page.md" 2>/dev/null
	sed 's/\\//g; s/[^a-zA-Z0-9-]/ /g' "$T/page.md" | tr ' ' '\n' |
		grep '^-' | sort -u; }
for tool in "$B"/bin/*; do
	name=$(basename "$tool")
	page=man/man1/$name.1
	ok "$name has a page" test -e "$page"
	for s in SYNOPSIS 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
		ok "$name.1 has $s" grep -q "^\.Sh $s" "$page"
	done
	"$tool" --help >"$T/help" || is "$name --help" failed 0
	is "$name.1 has every option of --help" "$(comm -23 \
		<(sed 's/[^a-zA-Z0-9-]/ /g' "$T/help" | tr ' ' '\n' |
			grep -E '^--?[a-zA-Z]' | sort -u) <(flags "$page"))" ""
	is "--help keeps to 80 columns" "$(awk 'length > 80' "$T/help")" ""
	exits "$name -V" 0 "$tool" -V
	like "$name -V names itself" "$out" "^$name [0-9]"
	exits "$name --help on a full device is 3" 3 bash -c "$tool --help >/dev/full"
	exits "$name of an unknown option is 2" 2 "$tool" --no-such-option
done
for v in $(meeting-ctl --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	ok "meeting-ctl.1 tells of $v" grep -q "^\.It Cm $v " \
		man/man1/meeting-ctl.1
done
done_testing
