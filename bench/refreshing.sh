# Sourced after drive.sh by what refreshes: people with a session each, and a run of refreshes by them.
# shellcheck shell=sh disable=SC2154,SC2034
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

# refresh NAME CLIENTS: one run by those who signed up. Prints how many were refreshed a second; for each time that the disk
# was waited for; median, 99th percentile and longest wait in ms; how many failed; what others used, in per cent. Not for a
# subshell.
refresh() {
    ticks "$1" >"$work/ticks"
    under="perf stat --event syscalls:sys_enter_fsync,syscalls:sys_enter_fdatasync --field-separator , --output $work/syncs
        --pid $(processes "$1" | paste -s -d,)"
    drive "$2" refresh "$(url "$1")/auth/refresh" "$work/$1.tokens" >"$work/driven"
    under=
    syncs=$(awk -F, '/sync/ { syncs += $1 } END { print syncs }' "$work/syncs")
    echo "$(cat "$work/driven") $(awk '{ print $1 }' "$work/wrk") $syncs $(others "$work/ticks" "$1")" |
        awk '{ print $1, $6 / $7, $2, $3, $4, $5, $8 }'
}
