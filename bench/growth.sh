#!/bin/sh
# Sign-ins with few and with many people, and what each of them takes on the disk; see dev/bench.
set -eu
. bench/server.sh
. bench/drive.sh
. bench/accounts.sh

sizes='1000 1000000'
[ "${1:-}" != --full ] || sizes="$sizes 10000000"

# bytes NAME: how large that database is.
bytes() {
    case ${TEST_DB:-sqlite} in
    sqlite) echo 'SELECT page_count * page_size FROM pragma_page_count, pragma_page_size' ;;
    postgres) echo "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = '$1'::regnamespace AND relkind = 'r'" ;;
    esac | query "$1"
}

told() { echo "$1" | sed 's/000000$/ million/; s/000$/ thousand/'; }

for size in $sizes; do
    start "of$size" ''
    stop "of$size"
    empty=$(bytes "of$size")
    accounts "of$size" "$size"
    with_people=$(bytes "of$size")
    # As many sessions as people, each with a refresh token.
    sessions "of$size" "$size" "$size"
    echo "$empty $with_people $(bytes "of$size") $size" | awk '{ print ($2 - $1) / $4, ($3 - $2) / $4, $3 / 1048576 }' >"$work/of$size.bytes"
    # shellcheck disable=SC2086  # a list of words
    start "of$size" '' $behind_a_proxy
done
for round in $(seq 0 "$rounds"); do
    duration=$(length "$round")
    # shellcheck disable=SC2046,SC2086  # a list of words
    ticks $(printf 'of%s ' $sizes) >"$work/ticks"
    for size in $sizes; do
        drive 64 signin "$(url "of$size")/auth/signin" "$size" >"$work/of$size.run"
    done
    [ "$round" = 0 ] && continue
    # shellcheck disable=SC2046,SC2086
    others "$work/ticks" $(printf 'of%s ' $sizes) >>"$work/others"
    least=$(awk '{ print $1 }' "$work/of1000.run")
    for size in $sizes; do
        awk -v least="$least" '{ print $1, $1 / least, $2, $3, $5 }' "$work/of$size.run" >>"$work/of$size.rounds"
    done
done
{
    for size in $sizes; do
        figures "people, each with a session" "$(told "$size")" sign-ins:/s "share of that with 1 thousand:" p50:ms p99:ms failed: <"$work/of$size.rounds"
    done
    for size in $sizes; do
        figures "people on the disk" "$(told "$size")" "a user:bytes" "a session:bytes" "all of it:MiB" <"$work/of$size.bytes"
    done
    figures "the machine meanwhile" "used by others" share:% <"$work/others"
} | keep "$note 64 connections."
