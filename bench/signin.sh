#!/bin/sh
# Sign-ins a second by people who have accounts, against what the hashes alone allow; see dev/bench.
set -eu
. bench/server.sh
. bench/drive.sh
. bench/accounts.sh

people=10000


start service ''
stop service
accounts service $people
# shellcheck disable=SC2086  # a list of words
start service '' $behind_a_proxy

# Hashes a second, with nothing else to do.
alone() { "$bench" raw "$threads" "$duration"; }
one() { "$bench" one "$(url service)" $people "$duration" "$@"; }
as_it_is() { one >"$work/one.run"; }
# Where that may be written, no core need sleep: root is not always enough, and without a driver that heeds it cores sleep as before.
may_keep_awake() {
    driver=$(cat /sys/devices/system/cpu/cpuidle/current_driver 2>/dev/null || echo none)
    [ "$driver" != none ] && [ -c /dev/cpu_dma_latency ] && (: >/dev/cpu_dma_latency) 2>/dev/null
}
awake() { ! may_keep_awake || one awake >"$work/awake.run"; }
sign_in() { drive "$1" signin "$(url service)/auth/signin" $people; }

# Each round has the hashes alone between the sign-ins, so that both find the machine as it is at that moment.
for round in $(seq 0 "$rounds"); do
    duration=$(length "$round")
    ticks service >"$work/ticks"
    sign_in 1 >"$work/1.run"
    rm -f "$work/awake.run"
    # In turns, so that neither always comes behind the same.
    case $((round % 2)) in
    0) as_it_is; awake ;;
    1) awake; as_it_is ;;
    esac
    sign_in 8 >"$work/8.run"
    alone >"$work/before.run"
    sign_in 64 >"$work/64.run"
    alone >"$work/after.run"
    sign_in 256 >"$work/256.run"
    [ "$round" = 0 ] && continue
    others "$work/ticks" service >>"$work/others"
    raw=$(cat "$work/before.run" "$work/after.run" | awk '{ sum += $1 } END { print sum / NR }')
    for clients in 1 8 64 256; do
        awk -v raw="$raw" '{ print $1, raw, $1 / raw, $2, $3, $5 }' "$work/$clients.run" >>"$work/$clients.rounds"
    done
    cat "$work/one.run" >>"$work/single"
    [ ! -e "$work/awake.run" ] || cat "$work/awake.run" >>"$work/awake"
done
{
    for clients in 1 8 64 256; do
        figures connections $clients sign-ins:/s "hashes alone:/s" "share of the hashes alone:" p50:ms p99:ms failed: <"$work/$clients.rounds"
    done
    less="a sign-in, p50:ms|a hash alone, p50:ms|the difference:ms"
    figures "one after the other" "on one connection" "$less" <"$work/single"
    [ ! -e "$work/awake" ] || figures "one after the other" "the same, no core asleep" "$less" <"$work/awake"
    figures "the machine meanwhile" "used by others" share:% <"$work/others"
} | keep "$note"
