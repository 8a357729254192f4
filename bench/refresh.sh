#!/bin/sh
# Refreshes a second, with a commit for several of them and with a commit for each; see dev/bench.
set -eu
. bench/server.sh
. bench/drive.sh
. bench/refreshing.sh

# clients CLIENTS: in every round, and once before them, a run with a commit for several and one with a commit for each.
clients() {
    : >"$work/rounds"
    for round in $(seq 0 "$rounds"); do
        for name in together apart; do
            refresh $name "$1" >"$work/$name.run"
        done
        [ "$round" = 0 ] || paste -d' ' "$work/together.run" "$work/apart.run" >>"$work/rounds"
    done
    awk '{ print $1, $2, $3, $4, $8, $9, $10, $11, $1 / $8, $6 + $13, ($7 + $14) / 2 }' "$work/rounds" |
        figures clients "$1" refreshes:/s "for each sync:" "p50:ms" "p99:ms" "$apart - refreshes:/s" "$apart - for each sync:" \
            "$apart - p50:ms" "$apart - p99:ms" ratio: failed: others:% >>"$work/figures"
}

case ${TEST_DB:-sqlite} in
sqlite) apart='group=1' ;;
postgres) apart='pool=1' ;;
esac
start together '' $cheap
start apart "$apart" $cheap
sign_up together
sign_up apart
for count in 1 8 64 256; do clients "$count"; done
keep "$note" <"$work/figures"
