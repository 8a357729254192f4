#!/bin/sh
# GET /auth/me against a handler that does nothing but verify the same token, at rest and during a flood; see dev/bench.
set -eu
. bench/server.sh
. bench/drive.sh
. bench/accounts.sh

people=10000
# Who ask, in turn.
bearers=200
# As the bare handler has it.
issuer=http://localhost:8080
secret=a-secret-of-a-bench-that-is-long-enough

# token PERSON: of a session that begins now.
token() {
    curl -sf "$(url "$name")/auth/signin" -H 'Content-Type: application/json' -H "X-Forwarded-For: 10.0.$1.1" \
        -d "{\"email\":\"person$1@example.com\",\"password\":\"a long walk by the sea\"}" | cut -d'"' -f4
}

# serving NAME KEY [VARIABLE=VALUE ...]: a service with people, tokens of some of them in $work/NAME.tokens, and beside it the bare
# handler with the same key.
serving() {
    name=$1 key=$2
    shift 2
    start "$name" ''
    stop "$name"
    accounts "$name" $people
    # shellcheck disable=SC2086  # a list of words
    start "$name" '' $behind_a_proxy DOORWARD_PUBLIC_URL=$issuer "$@"
    for person in $(seq $bearers); do token "$person"; done >"$work/$name.tokens"
    [ "$(grep -c . "$work/$name.tokens")" = $bearers ] || die "not everybody was signed in"
    if [ "$key" = jwks ]; then
        curl -sf "$(url "$name")/.well-known/jwks.json" >"$work/$name.jwks"
        key=$work/$name.jwks
    fi
    : >"$work/bare-$name.log"
    "$bench" bare "$key" >"$work/bare-$name.log" &
    await "bare-$name" $!
}

ask() { drive "$1" me "$(url "$2")/auth/me" "$work/${2#bare-}.tokens"; }

serving hs256 "$secret" DOORWARD_TOKENS__HS256_SECRET="$secret"
serving es256 jwks DOORWARD_TOKENS__ALGORITHM=ES256
for round in $(seq 0 "$rounds"); do
    duration=$(length "$round")
    ticks hs256 es256 bare-hs256 bare-es256 >"$work/ticks"
    for kind in hs256 es256; do
        ask 64 $kind >"$work/$kind.run"
        ask 64 bare-$kind >"$work/bare.run"
        [ "$round" = 0 ] || paste -d' ' "$work/$kind.run" "$work/bare.run" |
            awk '{ print $1, $6, $1 / $6, $2, $3, $7, $8, $5 + $10 }' >>"$work/$kind.rounds"
    done
    ask 8 hs256 >"$work/idle.run"
    # Those who flood stand for other machines, and take no time from this one that anybody else wants.
    nice -n 19 wrk --threads 2 --connections 64 --duration $((duration + 2)) --timeout 20 --script bench/signin.lua \
        "$(url hs256)/auth/signin" -- 2 $people >"$work/flooding" &
    flooding=$!
    sleep 1
    ask 8 hs256 >"$work/flooded.run"
    wait $flooding
    [ "$round" = 0 ] && continue
    others "$work/ticks" hs256 es256 bare-hs256 bare-es256 >>"$work/others"
    sed -n 's/^figures //p' "$work/flooding" | paste -d' ' "$work/idle.run" "$work/flooded.run" - |
        awk '{ print $1, $2, $3 >>idle; print $6, $7, $8, $8 / $3, $11 / $12 >>flooded }' \
            idle="$work/idle.rounds" flooded="$work/flooded.rounds"
done
{
    for kind in hs256 es256; do
        figures "64 connections" "tokens by $(echo "$kind" | tr a-z A-Z)" "GET /auth/me:/s" "the bare handler:/s" "share of the bare handler:" \
            p50:ms p99:ms "bare p50:ms" "bare p99:ms" failed: <"$work/$kind.rounds"
    done
    figures "8 connections" "nothing else goes on" "GET /auth/me:/s" p50:ms p99:ms <"$work/idle.rounds"
    figures "8 connections" "64 connections sign in" "GET /auth/me:/s" p50:ms p99:ms "p99 against the idle one:" "sign-ins meanwhile:/s" \
        <"$work/flooded.rounds"
    figures "the machine meanwhile" "used by others" share:% <"$work/others"
} | keep "$note $bearers people ask in turn. The service verifies a token once, and asks the database whose it is when that has changed since; the bare handler verifies it each time and asks nobody."
