#!/bin/bash
# timeout: 900
# Every scene of the page looks as it was accepted.
cd "$(dirname "$0")/../.." || exit 1
exec node tests/web/look.mjs
