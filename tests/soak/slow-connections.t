#!/bin/bash
# timeout: 600
# A thousand slow connections while a meeting goes on.
cd "$(dirname "$0")/../.." || exit 1
ulimit -n 4096 2>/dev/null
SLOW_CONNECTIONS=1000 exec node tests/web/http-hostile.t.mjs
