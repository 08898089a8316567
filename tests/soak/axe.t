#!/bin/bash
# timeout: 900
# Every scene of the page, in both forms, themes and languages, is usable by
# everybody: axe-core, narrow and enlarged, without motion, by Tab.
cd "$(dirname "$0")/../.." || exit 1
exec node tests/web/axe.mjs
