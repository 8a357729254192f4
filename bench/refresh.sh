#!/bin/sh
# Refreshes a second, with a commit for several of them and with a commit for each; see dev/bench.
set -eu
. bench/server.sh
. bench/drive.sh

# row CLIENTS: in every round, and once before them, a run with a commit for several and one with a commit for each.
row() {
    : >"$work/rows"
    for round in $(seq 0 "$rounds"); do
        for name in together apart; do
            drive $name "$1" >"$work/$name.run"
        done
        [ "$round" = 0 ] || paste -d' ' "$work/together.run" "$work/apart.run" >>"$work/rows"
    done
    printf '| %s ' "$1"
    awk '{ print $1, $2, $3, $4, $8, $9, $10, $11, $1 / $8, $6 + $13, ($7 + $14) / 2 }' "$work/rows" |
        medians %.0f %.1f %.1f %.1f %.0f %.1f %.1f %.1f %.2f %d %.0f
}

case ${TEST_DB:-sqlite} in
sqlite) apart='group=1' ;;
postgres) apart='pool=1' ;;
esac
start together '' $cheap
start apart "$apart" $cheap
sign_up together
sign_up apart
heading
echo "| clients | refreshes/s | for each sync | p50 ms | p99 ms | $apart: refreshes/s | for each sync | p50 ms | p99 ms | ratio | failed | others % |"
echo '|---|---|---|---|---|---|---|---|---|---|---|---|'
for clients in 1 8 64 256; do row "$clients"; done
