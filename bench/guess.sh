#!/bin/sh
# A week of guesses at one account, attacked in several ways; see dev/bench.
set -eu
. bench/server.sh

printf '%s\n\n' "The real service on a clock of its own; a week each."
echo '| 10,000 addresses attack | guesses offered | evaluated | the owner signs in | tried | succeeded |'
echo '|---|---|---|---|---|---|'
number=0
for week in 'device crowd' 'stranger crowd' 'device patient 60 14400' \
    'stranger patient 60 14400' 'stranger patient 600 14400' 'stranger patient 3600 14400'; do
    number=$((number + 1))
    mkdir "$work/$number"
    # shellcheck disable=SC2086  # a list of words
    "$target/release/doorward-bench" guess "$(address "guess$number" '')" "$work/$number" $week
done
