# Sourced after server.sh by what is measured with wrk and perf: how refreshes are driven and counted, and how rounds become
# a row of a table.
# shellcheck shell=sh disable=SC2034,SC2154
rounds=${ROUNDS:-5}
duration=${DURATION:-5}
people=5000

# sign_up NAME: people, whose refresh tokens are then in $work/NAME.tokens: enough that not every commit is of the same few
# pages, and that those whose answer is lost at the end of a run are not missed.
sign_up() {
    seq "$people" | awk -v url="$(url "$1")/auth/signup" -v round="$(date +%s)" '{
        if (NR > 1) print "next"
        print "silent\nshow-error\nfail\nurl = \"" url "\"\nheader = \"Content-Type: application/json\""
        body = "{\"email\":\"person" $1 "." round "@example.com\",\"password\":\"a long walk by the sea\",\"session\":\"refresh\"}"
        gsub(/"/, "\\\"", body)
        print "data = \"" body "\""
    }' | curl --config - | grep -o '"refreshToken":"[^"]*"' | cut -d'"' -f4 >"$work/$1.tokens"
    [ "$(wc -l <"$work/$1.tokens")" = "$people" ] || die "somebody could not sign up"
}

# processes NAME: that server, and what serves its database.
processes() {
    pid "$1"
    [ "${TEST_DB:-}" != postgres ] || psql -AtX "$TEST_POSTGRES_URL" -c 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'
}

# ticks NAME: three counts of clock ticks so far: ours (those processes, and what this script ran), busy, all.
ticks() {
    for process in $$ $(processes "$1"); do cat "/proc/$process/stat" 2>/dev/null || :; done | awk '
        { sub(/.*\) /, ""); ours += $12 + $13 + $14 + $15 }
        END { getline <"/proc/stat"; busy = $2 + $3 + $4 + $7 + $8 + $9; print ours, busy, busy + $5 + $6 }'
}

# drive NAME CLIENTS: one run by those who signed up. Prints how many were refreshed a second; for each time that the disk
# was waited for; median, 99th percentile and longest wait in ms; how many failed; what others used, in per cent. Not for a
# subshell, whose children would be others.
drive() {
    threads=$(($2 > 1 ? 2 : 1))
    before=$(ticks "$1")
    perf stat --event syscalls:sys_enter_fsync,syscalls:sys_enter_fdatasync --field-separator , --output "$work/syncs" \
        --pid "$(processes "$1" | paste -s -d,)" \
        wrk --threads $threads --connections "$2" --duration "$duration" --script bench/refresh.lua \
        "$(url "$1")/auth/refresh" -- "$work/$1.tokens" $threads >"$work/wrk"
    syncs=$(awk -F, '/sync/ { syncs += $1 } END { print syncs }' "$work/syncs")
    echo "$before $(ticks "$1") $syncs $(sed -n 's/^figures //p' "$work/wrk")" |
        awk '{ print $8 / $9, $8 / $7, $10, $11, $12, $13, 100 * (($5 - $2) - ($4 - $1)) / ($6 - $3) }'
}

# medians FORMAT ...: the cells of a table, one for each column of the rows that it reads.
medians() {
    awk -v formats="$*" '
        { for (i = 1; i <= NF; i++) { for (j = NR; j > 1 && v[i, j - 1] > $i + 0; j--) v[i, j] = v[i, j - 1]; v[i, j] = $i + 0 } }
        END {
            n = split(formats, one, " ")
            for (i = 1; i <= n; i++) printf "| " one[i] " (" one[i] "-" one[i] ") ", v[i, int((NR + 1) / 2)], v[i, 1], v[i, NR]
            print "|"
        }'
}

heading() { printf '%s rounds of %s s.\n\n' "$rounds" "$duration"; }
