# Sourced after server.sh by what needs many people: their rows are written as they would be after as many sign-ups and
# sign-ins, but by the database itself.
# shellcheck shell=sh disable=SC2154,SC2034

# Of "a long walk by the sea", at the usual cost.
hash='$argon2id$v=19$m=19456,t=2,p=1$6mokF5xo7H3y4aKYpf6XpQ$uZMn/YoD+EQ3y9EL6ZO3V/t9XoyO8jQywNbiPG/k8kg'

# loading: what comes before many rows. They are written once, in any order of their indexes, and nobody serves them yet.
loading() {
    [ "${TEST_DB:-sqlite}" = postgres ] ||
        echo 'PRAGMA cache_size = -4000000; PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;'
    echo 'BEGIN;'
}

# numbered PREFIX: an id for the row of number i, as long as a real one, and like it greater than those before it.
numbered() {
    case ${TEST_DB:-sqlite} in
    sqlite) hex="format('%012x', i)" ;;
    postgres) hex="lpad(to_hex(i), 12, '0')" ;;
    esac
    echo "'$1-0000-7000-8000-' || $hex"
}

# accounts NAME COUNT: person1@example.com and so on, on the database of a server that was started once and stopped.
accounts() {
    {
        loading
        echo "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
            INSERT INTO users (id, email, email_key, email_verified, roles, metadata, created_at, updated_at)
            SELECT $(numbered 01900000), 'person' || i || '@example.com', 'person' || i || '@example.com', FALSE, '[]', '{}', i, i FROM n;"
        echo "INSERT INTO passwords (user_id, hash, norm, changed_at) SELECT id, '$hash', 'nfc', 0 FROM users;"
        echo 'COMMIT;'
        [ "${TEST_DB:-sqlite}" = sqlite ] || echo 'VACUUM ANALYZE users, passwords;'
    } | query "$1" >/dev/null
}

# sessions NAME COUNT PEOPLE: so many live sessions of so many people, with a refresh token each.
sessions() {
    case ${TEST_DB:-sqlite} in
    sqlite) chance='abs(random())' bytes='randomblob(32)' ;;
    postgres) chance='CAST(random() * 1000000000 AS BIGINT)' bytes='sha256(CAST(CAST(random() AS TEXT) AS BYTEA))' ;;
    esac
    owner=$(numbered 01900000 | sed "s/, i/, 1 + $chance % $3/; s/(i)/(1 + $chance % $3)/")
    {
        loading
        echo "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
            INSERT INTO sessions (id, user_id, carried, secret_hash, auth_time, amr, created_at, last_seen_at, expires_at,
                ends_at, ip, agent)
            SELECT $(numbered 01900001), $owner, 'refresh', $bytes, 0, 'pwd', 0, 0, 4000000000000000 + i,
                4000000000000000 + i, '192.0.2.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' FROM n;"
        echo 'COMMIT;'
        [ "${TEST_DB:-sqlite}" = sqlite ] || echo 'VACUUM ANALYZE sessions;'
    } | query "$1" >/dev/null
}

# behind_a_proxy: for servers whose callers say by X-Forwarded-For where they are. A log line a request would measure the disk.
behind_a_proxy='DOORWARD_TRUSTED_PROXIES=127.0.0.1 DOORWARD_LOG=warn'
