# The layer check must fail when a module reaches outside its row, by an
# include and by a symbol alike: a check that cannot fail checks nothing.
. tests/lib.sh

cp -r Makefile tests lib cmd "$T/" && cd "$T" && git init -q . &&
	git add -A 2>/dev/null

cat >lib/json/breach.c <<'END'
#include "io.h"
END
exits "an include outside the row does not compile" 2 \
	make .build/layers/json.so
like "the compiler names the header" "$err" 'io\.h'
git add -A
out=$(bash tests/style)
like "tests/style names the file and the module" "$out" \
	'lib/json/breach.c: json may not include io.h of io'

cat >lib/json/breach.c <<'END'
unsigned long io_now_ns(void);
unsigned long breach(void);
unsigned long breach(void)
{
	return io_now_ns();
}
END
exits "a symbol outside the row does not link" 2 \
	make .build/layers/json.so
like "the linker names the symbol" "$err" 'io_now_ns'
rm lib/json/breach.c
ok "without the breach it links" make .build/layers/json.so
done_testing
