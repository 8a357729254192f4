#!/bin/sh
# A week of guesses at one account, attacked in several ways; see dev/bench.
set -eu
. bench/server.sh

number=0
for week in 'device crowd' 'stranger crowd' 'device patient 60 14400' \
    'stranger patient 60 14400' 'stranger patient 600 14400' 'stranger patient 3600 14400'; do
    number=$((number + 1))
    mkdir "$work/$number"
    # shellcheck disable=SC2086  # a list of words
    "$target/release/doorward-bench" guess "$(address "guess$number" '')" "$work/$number" $week >>"$work/figures"
done
"$target/release/doorward-bench" record "The real service on a clock of its own; a week each." <"$work/figures"
