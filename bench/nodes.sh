#!/bin/sh
# What a second node adds on one PostgreSQL, and what a sign-in costs the database; see dev/bench.
set -eu
. bench/server.sh
. bench/drive.sh
. bench/accounts.sh
[ "${TEST_DB:-}" = postgres ] || die "nodes share a database; call it with --postgres"

people=10000
DOORWARD_SECRET_KEY=the-same-for-every-node-of-this-bench
export DOORWARD_SECRET_KEY

# node NAME [VARIABLE=VALUE ...]: a server on the database that all of them share.
node() {
    name=$1
    shift
    # shellcheck disable=SC2086  # a list of words
    start "$name" '' DOORWARD_DATABASE_URL="$(address shared '')" $behind_a_proxy "$@"
}

# together CLIENTS NAME ...: so many clients sign in, shared among those nodes. Prints how many were granted a second by all,
# the longest of the 99th percentiles in ms, and how many failed.
together() {
    clients=$1
    shift
    share=$((clients / $#))
    runs=
    for name in "$@"; do
        wrk --threads 1 --connections "$share" --duration "$duration" --timeout 20 --script bench/signin.lua \
            "$(url "$name")/auth/signin" -- 1 $people >"$work/$name.wrk" &
        runs="$runs $!"
    done
    # shellcheck disable=SC2086
    wait $runs
    for name in "$@"; do sed -n 's/^figures //p' "$work/$name.wrk"; done |
        awk '{ rate += $1 / $2; if ($4 > p99) p99 = $4; failed += $6 } END { print rate, p99, failed }'
}

# spent NAME ...: seconds of CPU so far by these servers, and by PostgreSQL; transactions; bytes of its log.
spent() {
    for name in "$@"; do cat "/proc/$(pid "$name")/stat"; done | cpu
    psql -AtX "$TEST_POSTGRES_URL" -c 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()' |
        while read -r process; do cat "/proc/$process/stat" 2>/dev/null || :; done | cpu
    psql -AtX -F ' ' "$TEST_POSTGRES_URL" -c "SELECT sum(xact_commit), pg_current_wal_lsn() - '0/0' FROM pg_stat_database GROUP BY 2"
}
cpu() { awk -v hertz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); sum += $12 + $13 } END { print sum / hertz }'; }

# measured CLIENTS NAME ...: a run, and for each sign-in in it: ms of CPU by the servers, and by PostgreSQL; transactions; KiB of
# its log. The counts of transactions are up to date a second after the last.
measured() {
    clients=$1
    shift
    ticks "$@" >"$work/ticks"
    spent "$@" | paste -s -d' ' >"$work/before"
    together "$clients" "$@" >"$work/run"
    others "$work/ticks" "$@" >"$work/others.run"
    sleep 1.1
    spent "$@" | paste -s -d' ' >"$work/after"
    cat "$work/run" "$work/before" "$work/after" "$work/others.run" | paste -s -d' ' | awk -v seconds="$duration" '{
        count = $1 * seconds
        print $1, $2, $3, 1e3 * ($8 - $4) / count, 1e3 * ($9 - $5) / count, ($10 - $6) / count, ($11 - $7) / count / 1024, $12
    }'
}

# note_round KIND RUN ...: a line for each of these runs, with how many times the first one's sign-ins it had.
note_round() {
    kind=$1
    shift
    single=$(cut -d' ' -f1 "$work/$1.run")
    for run in "$@"; do
        awk -v single="$single" '{ print $1, $1 / single, $2, $3, $4, $5, $6, $7, $8 }' "$work/$run.run" >>"$work/$kind-$run.rounds"
    done
}

# statements NAME REQUESTS COMMAND: what PostgreSQL was asked while the command made so many requests one after the other, in
# statements a request. What comes less often than the requests is the server's own housekeeping.
statements() {
    log=$(psql -AtX "$TEST_POSTGRES_URL" -c "SELECT current_setting('data_directory') || '/../log'")
    before=$(wc -l <"$log")
    log_all all
    $3 "$1" "$2"
    log_all none
    tail -n +$((before + 1)) "$log" |
        sed -nE 's/.*(execute [^:]*|statement): *//p' | cut -c1-300 >"$work/asked"
    sort "$work/asked" | uniq -c | awk -v requests="$2" '$1 >= requests { all += $1; key = toupper($2)
            if (key == "INSERT" || key == "UPDATE" || key == "DELETE" || key == "WITH") writes += $1
            if (key == "COMMIT") commits += $1 }
        END { print all / requests, writes / requests, commits / requests }'
}

log_all() {
    psql -qAtX "$TEST_POSTGRES_URL" -c "ALTER SYSTEM SET log_statement = '$1'" -c 'SELECT pg_reload_conf()' >"$work/reloaded"
    until [ "$(psql -AtX "$TEST_POSTGRES_URL" -c 'SHOW log_statement')" = "$1" ]; do sleep 0.1; done
}

sign_in() {
    for person in $(seq "$2"); do
        curl -sf "$(url "$1")/auth/signin" -H 'Content-Type: application/json' -H "X-Forwarded-For: 10.9.$person.1" \
            -d '{"email":"person'"$person"'@example.com","password":"a long walk by the sea","session":"refresh"}' >"$work/answer"
    done
}
me() {
    token=$(sed 's/.*"token":"\([^"]*\)".*/\1/' "$work/answer")
    for _ in $(seq "$2"); do curl -sf "$(url "$1")/auth/me" -H "Authorization: Bearer $token" >"$work/me"; done
}
refresh() {
    for _ in $(seq "$2"); do
        token=$(sed 's/.*"refreshToken":"\([^"]*\)".*/\1/' "$work/answer")
        curl -sf "$(url "$1")/auth/refresh" -H 'Content-Type: application/json' -d '{"refreshToken":"'"$token"'"}' >"$work/answer"
    done
}

start shared ''
stop shared
accounts shared $people

# A hash thread a node, so that two of them on two cores have what two machines of one core would have; and one with both.
node one DOORWARD_PASSWORD__THREADS=1
node other DOORWARD_PASSWORD__THREADS=1
node both DOORWARD_PASSWORD__THREADS=2
for request in sign_in me refresh; do
    statements one 20 $request >"$work/$request.statements"
done
for round in $(seq 0 "$rounds"); do
    measured 32 one >"$work/one.run"
    measured 64 one other >"$work/two.run"
    measured 64 both >"$work/both.run"
    [ "$round" = 0 ] && continue # the first one warms up
    note_round usual one two both
done
for name in one other both; do stop $name; done

# Without the cost of hashing what is left is the database. All limits stay on, whose counts are in the database, too.
for name in one other; do
    node $name DOORWARD_PASSWORD__ARGON2__MEMORY_KIB=8 DOORWARD_PASSWORD__ARGON2__ITERATIONS=1
done
curl -sf "$(url one)/auth/signup" -H 'Content-Type: application/json' \
    -d '{"email":"cheap@example.com","password":"a long walk by the sea"}' >"$work/answer"
echo 'UPDATE passwords SET hash = (SELECT hash FROM passwords ORDER BY changed_at DESC LIMIT 1); VACUUM ANALYZE passwords' | query shared
for round in $(seq 0 "$rounds"); do
    measured 64 one >"$work/one.run"
    measured 64 one other >"$work/two.run"
    [ "$round" = 0 ] && continue
    note_round cheap one two
done

row() {
    figures "$1" "$2" sign-ins:/s "times the first row:" p99:ms failed: "a sign-in, CPU of the service:ms" \
        "a sign-in, CPU of PostgreSQL:ms" "transactions a sign-in, reads too:" "a sign-in, log of PostgreSQL:KiB" "used by others:%"
}
{
    row nodes "one with a hash thread" <"$work/usual-one.rounds"
    row nodes "two with a hash thread each" <"$work/usual-two.rounds"
    row nodes "one with two hash threads" <"$work/usual-both.rounds"
    row "nodes, with hashes that cost next to nothing" one <"$work/cheap-one.rounds"
    row "nodes, with hashes that cost next to nothing" two <"$work/cheap-two.rounds"
    for request in sign_in me refresh; do
        echo "$request" | tr _ - | {
            read -r name
            figures "a request asks PostgreSQL" "$name" statements: "of these, writes:" commits: <"$work/$request.statements"
        }
    done
} | keep "$note Nodes, PostgreSQL with fsync and the clients share the machine."
