#!/bin/sh
# How expired rows leave a table of a million sessions; see dev/bench.
set -eu
. bench/server.sh
. bench/drive.sh
. bench/refreshing.sh

# seed FIRST LAST EXPIRY: sessions of these numbers, which expire one microsecond after the other.
seed() {
    case ${TEST_DB:-sqlite} in
    sqlite) chance='abs(random())' bytes='randomblob(32)' ;;
    postgres) chance='CAST(random() * 1000000000 AS BIGINT)' bytes='sha256(CAST(CAST(random() AS TEXT) AS BYTEA))' ;;
    esac
    echo "WITH RECURSIVE n(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
        INSERT INTO sessions (id, user_id, carried, secret_hash, auth_time, amr, created_at, last_seen_at, expires_at,
            ends_at, ip, agent)
        SELECT 'ses_' || (1000000000 + i), 'usr_' || ($chance % 100000), 'refresh', $bytes, 0, 'pwd', 0, 0, $3 + i, $3 + i,
            '192.0.2.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' FROM n;" | query million
}

# steps: what the purge of sessions did so far: rows removed, milliseconds, second of the day.
steps() {
    sed -n '/"sessions"/ s/.*T\(..\):\(..\):\([0-9.]*\)Z.*"removed":\([0-9]*\),"ms":\([0-9.]*\).*/\4 \5 \1 \2 \3/p' "$work/million.log" |
        awk '{ print $1, $2, $3 * 3600 + $4 * 60 + $5 }'
}

expired() { echo 'SELECT count(*) FROM sessions WHERE expires_at < 1000000000000' | query million; }

start million '' $cheap DOORWARD_LOG=warn,doorward::cli::serve::purge=debug
stop million
echo "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
    INSERT INTO users (id, email, email_key, email_verified, roles, metadata, created_at, updated_at)
    SELECT 'usr_' || i, i || '@example.org', i || '@example.org', FALSE, '', '{}', 0, 0 FROM n;" | query million
seed 1 700000 4000000000000000
: >"$work/rows"
for round in $(seq "$rounds"); do
    seed $((round * 1000000)) $((round * 1000000 + 299999)) 0
    start million '' $cheap DOORWARD_LOG=warn,doorward::cli::serve::purge=debug
    sign_up million
    steps >"$work/before"
    refresh million 8 >"$work/during.run"
    steps >"$work/during"
    [ "$(expired)" -gt 0 ] || die "all were removed before $duration s were over; take a shorter DURATION"
    until [ "$(expired)" = 0 ]; do sleep 0.5; done
    steps >"$work/after"
    refresh million 8 >"$work/without.run"
    stop million
    for part in "before during" "during after"; do
        awk 'FNR == NR { seen = FNR; next } FNR > seen && $1 > 0 { rows += $1; if ($2 > longest) longest = $2
                if (!from) from = $3; to = $3 }
            END { print rows / (to - from), longest }' "$work/${part% *}" "$work/${part#* }"
    done | cat - "$work/during.run" "$work/without.run" | paste -s -d' ' >>"$work/rows"
done
{
    awk '{ print $1, $2, $5, $8, $9, $10, $11 }' "$work/rows" |
        figures meanwhile "8 clients refresh" "rows removed:/s" "longest step:ms" refreshes:/s p99:ms longest:ms failed: others:%
    awk '{ print $3, $4 }' "$work/rows" | figures meanwhile "nobody does" "rows removed:/s" "longest step:ms"
    awk '{ print $12, $15, $16, $17, $18 }' "$work/rows" |
        figures meanwhile "8 clients, nothing to remove" refreshes:/s p99:ms longest:ms failed: others:%
} | keep "$note"
