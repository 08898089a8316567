#!/bin/bash
# How the tools were built, by what readelf finds in each.
. tests/lib.sh

case $B in */asan) unsupported hardening 'built with a sanitizer'
	done_testing ;; esac
for file in "$B"/bin/*; do
	t=$(basename "$file")
	head=$(readelf -hlW "$file") dynamic=$(readelf -dW "$file")
	symbols=$(readelf --dyn-syms -W "$file")
	like "$t: position independent" "$head" 'Type: +DYN'
	like "$t: as an executable" "$dynamic" 'FLAGS_1\).*PIE'
	like "$t: relocations are read-only" "$head" 'GNU_RELRO'
	like "$t: and all done at the start" "$dynamic" 'FLAGS_1\).*NOW'
	like "$t: a stack that is not executed" "$head" 'GNU_STACK .* RW '
	is "$t: nothing both written and executed" \
		"$(grep -E '^ +LOAD .* RWE ' <<<"$head")" ''
	is "$t: no relocation of code, no search path of its own" \
		"$(grep -E 'TEXTREL|RPATH|RUNPATH' <<<"$dynamic")" ''
	like "$t: stacks are protected" "$symbols" ' __stack_chk_fail'
	like "$t: libc checks sizes" "$symbols" \
		' __(memcpy|snprintf|vsnprintf|printf|read|memset)_chk'
done

# The rest leaves no sign in the file but what the compiler wrote of itself.
# What the compiler does not take is left out by the Makefile, for which a
# Debian 12 one has no reason.
flags=$(sed -n 's/^HARDEN := //p' .build/harden-cc.mk 2>/dev/null)
[ -n "$flags" ] || flags=$(sed -n 's/^HARDEN := //p' .build/harden-*.mk |
	head -1)
like 'there are flags' "$flags" '_FORTIFY_SOURCE=3'
case $(cc --version) in
*' 12.'*) is 'all of them' "$(wc -w <<<"$flags")" 7 ;;
*) unsupported 'all of them' 'the compiler is not the one of Debian 12' ;;
esac
for file in "$B"/bin/*; do
	t=$(basename "$file")
	units=$(readelf --debug-dump=info --dwarf-depth=1 "$file" 2>/dev/null |
		grep 'DW_AT_producer.*GNU C')
	if [ -z "$units" ]; then
		unsupported "$t: each flag, in each unit" \
			'no debug information of gcc'
		continue
	fi
	for f in $flags; do
		case $f in -D* | -U*) continue ;; esac
		is "$t: $f in each unit" "$(grep -cv -- " $f" <<<"$units")" 0
	done
	case "$(uname -m) $flags" in
	# The linker keeps the note only if libc's start files have it too.
	'x86_64 '*-fcf-protection*) like "$t: landing pads, shadow stack" \
		"$(readelf -nW "$B/obj/cmd/$t.o")" \
		'x86 feature: IBT, SHSTK' ;;
	*) unsupported "$t: landing pads" "not on $(uname -m)" ;;
	esac
done
done_testing
