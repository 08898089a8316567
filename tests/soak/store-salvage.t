#!/bin/bash
# A log damaged at each and every byte of its last transaction.
# timeout: 1200
STORE_ALL=1 exec "$B/test/store-salvage"
