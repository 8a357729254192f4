#!/bin/sh
# A flood of wrong passwords, and what everybody else notices of it; see dev/bench.
set -eu
. bench/server.sh

mkdir -p bench/results
# A log line for each refusal would measure the disk.
start flood '' DOORWARD_TRUSTED_PROXIES=127.0.0.1 DOORWARD_LOG=warn
DOORWARD_DATA_DIR=$work/none "$target/release/doorward-bench" flood "$(url flood | cut -d/ -f3)" "$(pid flood)" \
    "$target/release/doorward" "${PLOT:-bench/results/flood.svg}"
