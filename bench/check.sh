#!/bin/sh
# Counts against a budget; see dev/bench.
set -eu
. dev/env.sh

work=$(mktemp -d "$target/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$target/release/doorward-bench" check bench/budget.toml "$work"
