#!/bin/sh
# This server beside others; see dev/bench. Arguments: which of them.
set -eu
. bench/server.sh

"$target/release/doorward-bench" peers "$work" "$@"
