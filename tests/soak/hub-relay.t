#!/bin/bash
# Many meetings with ten faults each between confd-signal and conf-relay.
# timeout: 1800
SEEDS=3000 MANY=10 exec "$B/test/hub-relay"
