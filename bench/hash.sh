#!/bin/sh
# Argon2id hashes a second by each implementation; see dev/bench.
set -eu
. dev/env.sh

exec "$target/release/doorward-bench" hash
