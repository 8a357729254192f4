#!/bin/sh
# How soon a service answers, what memory it takes and how large the program is; see dev/bench.
set -eu
. bench/server.sh
. bench/drive.sh
. bench/accounts.sh

people=${PEOPLE:-1000000}

buffers=$((threads * 19)) # MiB

# begun NAME: how many ms from the start of the program to its socket, and to its first answered sign-in.
begun() {
    env DOORWARD_DATABASE_URL="$(address "$1" '')" DOORWARD_DATA_DIR="$work/$1" DOORWARD_METRICS_LISTEN=off DOORWARD_LOG=warn \
        "$bench" start "$target/release/doorward" person1@example.com "$2"
}

start many ''
stop many
accounts many "$people"
for round in $(seq 0 "$rounds"); do
    begun "empty$round" 401 >"$work/empty.run"
    begun many 200 >"$work/many.run"
    [ "$round" = 0 ] && continue # the first one warms up
    cat "$work/empty.run" >>"$work/empty.rounds"
    cat "$work/many.run" >>"$work/many.rounds"
done
# resident: MiB, as proc_pid_status(5) has them.
resident() { awk '/^VmRSS:/ { print $2 / 1024 }' "/proc/$(pid many)/status"; }
noted() { resident | awk -v buffers=$buffers '{ print $1, $1 - buffers }' >>"$work/$1.memory"; }
for round in $(seq "$rounds"); do
    # shellcheck disable=SC2086  # a list of words
    start many '' $behind_a_proxy
    # As many as make each thread hash once, so that all buffers are there.
    (duration=1 && drive "$((2 * threads))" signin "$(url many)/auth/signin" "$people" >/dev/null)
    noted idle
    for clients in 64 256; do
        drive $clients signin "$(url many)/auth/signin" "$people" >/dev/null
        noted $clients
        if [ "$round$clients" = "${rounds}64" ]; then
            before=$(resident)
            (duration=10 && drive 64 signin "$(url many)/auth/signin" "$people" >/dev/null)
            echo "$before $(resident)" | awk '{ print $1, $2, $2 / $1 }' >"$work/longer"
        fi
    done
    stop many
done
{
    figures "from its start" "a new database" "until it listens:ms" "until a sign-in is answered:ms" <"$work/empty.rounds"
    figures "from its start" "$people people" "until it listens:ms" "until a sign-in is answered:ms" <"$work/many.rounds"
    for load in idle 64 256; do
        name=$load
        [ $load = idle ] || name="$load connections"
        figures memory "$name" "all of it:MiB" "less the hash buffers:MiB" <"$work/$load.memory"
    done
    figures "memory under load" "64 connections, for 10 s more" before:MiB after:MiB "times that before:" <"$work/longer"
    wc -c <"$target/release/doorward" | awk '{ print $1 / 1048576 }' | figures "the program" "release build" size:MiB
} | keep "$rounds rounds; a sign-in to the new database is to nobody, one to the other is granted. The system has read program and files before. \
The hash buffers are $threads of 19 MiB."
