#!/bin/bash
# timeout: 900
# Slots change hands 2,000 times under loss, over three seeds; the short form
# is tests/web/swaps.t.mjs.
cd "$(dirname "$0")/../.." || exit 1
exec node --input-type=module - <<'JS'
import {test} from './tests/web/lib.mjs';
import {swaps} from './tests/web/swaps.mjs';

await test(async () => {
	for (const seed of [1, 2, Date.now() % 1000000])
		await swaps(667, seed, 240);
});
JS
