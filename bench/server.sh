# Sourced by what measures: servers of the release build, each on a database of its own, gone when the script ends.
# shellcheck shell=sh
. dev/env.sh

# Beside the build and not in /tmp, which may be memory.
mkdir -p "$target"
work=$(mktemp -d "$target/bench.XXXXXX")
servers=
end() {
    for server in $servers; do stop "$server"; done
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# For where the load is not about hashes: they cost next to nothing, nobody is held back, nothing is logged of each request.
# shellcheck disable=SC2034  # for those who source this
cheap="DOORWARD_LOG=warn DOORWARD_LIMITS__ENABLED=false
    DOORWARD_PASSWORD__ARGON2__MEMORY_KIB=8 DOORWARD_PASSWORD__ARGON2__ITERATIONS=1"

pid() { cat "$work/$1.pid"; }
url() { cat "$work/$1.url"; }

# address NAME PARAMETERS: of the database of that name.
address() {
    case ${TEST_DB:-sqlite} in
    sqlite) echo "sqlite:$work/$1.db?$2" ;;
    postgres) echo "$TEST_POSTGRES_URL?schema=$1&$2" ;;
    esac
}

# query NAME: what the SQL that it reads says of that database.
query() {
    case ${TEST_DB:-sqlite} in
    sqlite) sqlite3 -bail "$work/$1.db" ;;
    postgres) PGOPTIONS="-c search_path=$1" psql -qAtX -v ON_ERROR_STOP=1 "$TEST_POSTGRES_URL" ;;
    esac
}

# start NAME PARAMETERS [VARIABLE=VALUE ...]: a server on the database of that name.
start() {
    name=$1
    database=$(address "$1" "$2")
    shift 2
    : >"$work/$name.log"
    env DOORWARD_DATABASE_URL="$database" DOORWARD_DATA_DIR="$work/$name" DOORWARD_LISTEN=127.0.0.1:0 \
        DOORWARD_METRICS_LISTEN=off "$@" "$target/release/doorward" serve --dev >/dev/null 2>>"$work/$name.log" &
    await "$name" $!
}

# await NAME PROCESS: until that says in $work/NAME.log where it listens.
await() {
    echo "$2" >"$work/$1.pid"
    servers="$servers $1"
    until sed -n 's/^Listening on //p' "$work/$1.log" | grep . >"$work/$1.url"; do
        kill -0 "$2" 2>/dev/null || die "the server did not start: $(cat "$work/$1.log")"
        sleep 0.1
    done
}

stop() {
    kill -s TERM "$(pid "$1")" 2>/dev/null || :
    wait "$(pid "$1")" || :
    servers=$(for server in $servers; do [ "$server" = "$1" ] || echo "$server"; done)
}
