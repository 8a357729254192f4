# Sourced after server.sh by what is measured with wrk: how a server is driven, and how rounds become figures.
# shellcheck shell=sh disable=SC2034,SC2154
rounds=${ROUNDS:-5}
duration=${DURATION:-5}
lasting=$duration
# As many as the service has, which is one for each core.
threads=${THREADS:-$(nproc)}
bench=$target/release/doorward-bench

# processes NAME ...: those servers, and what serves their databases.
processes() {
    for name in "$@"; do pid "$name"; done
    [ "${TEST_DB:-}" != postgres ] || psql -AtX "$TEST_POSTGRES_URL" -c 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'
}

# ticks NAME ...: three counts of clock ticks so far: ours (those processes, and what this script ran), busy, all.
ticks() {
    for process in $$ $(processes "$@"); do cat "/proc/$process/stat" 2>/dev/null || :; done | awk '
        { sub(/.*\) /, ""); ours += $12 + $13 + $14 + $15 }
        END { getline <"/proc/stat"; busy = $2 + $3 + $4 + $7 + $8 + $9; print ours, busy, busy + $5 + $6 }'
}

# length ROUND: how many seconds a run of that round lasts. Round 0 warms up, and counts for nothing.
length() { if [ "$1" = 0 ]; then echo 1; else echo "$lasting"; fi; }

# What wrk is to run under, if anything: perf, nice.
under=

# drive CLIENTS SCRIPT URL [ARGUMENT ...]: one run of wrk. Prints how many were granted a second; median, 99th percentile and
# longest wait in ms; how many failed.
drive() {
    clients=$1 script=$2 where=$3
    shift 3
    workers=$((clients > 1 ? 2 : 1))
    $under wrk --threads $workers --connections "$clients" --duration "$duration" --timeout 20 --script "bench/$script.lua" "$where" -- $workers "$@" |
        sed -n 's/^figures //p' >"$work/wrk"
    [ -s "$work/wrk" ] || die "wrk measured nothing at $where"
    awk '{ print $1 / $2, $3, $4, $5, $6 }' "$work/wrk"
}

# others FILE NAME ...: what others used of the machine, in per cent, since the file was written by ticks. Not for a subshell,
# whose children would be others.
others() {
    since=$1
    shift
    echo "$(cat "$since") $(ticks "$@")" | awk '{ print 100 * (($5 - $2) - ($4 - $1)) / ($6 - $3) }'
}

# figures TABLE ROW COLUMN:UNIT ...: a line for doorward-bench record for each column of the rounds that it reads.
figures() {
    table=$1 row=$2
    shift 2
    (
        IFS='|'
        awk -v table="$table" -v row="$row" -v columns="$*" '
            { for (i = 1; i <= NF; i++) rounds[i] = rounds[i] " " $i }
            END {
                n = split(columns, column, "|")
                for (i = 1; i <= n; i++) {
                    split(column[i], part, ":")
                    printf "%s\t%s\t%s\t%s\t%s\n", table, row, part[1], part[2], rounds[i]
                }
            }'
    )
}

keep() { "$bench" record "$1"; }

note="$rounds rounds of $duration s each; all that is compared takes turns in each."
