#!/bin/bash
# Each process killed 100 times under 20 clients.
# timeout: 1800
RESTARTS=100 exec node tests/web/restarts.t.mjs
