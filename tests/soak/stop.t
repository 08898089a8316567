#!/bin/bash
# Each process stopped for 10 s.
# timeout: 300
STOP_S=10 exec node tests/web/stop.t.mjs
