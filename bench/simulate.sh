#!/bin/sh
# What a sign-in takes, and a day of them by a hundred million people; see dev/bench.
set -eu
. bench/server.sh

"$target/release/doorward-bench" simulate "$work"
