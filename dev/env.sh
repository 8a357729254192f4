# Sourced by the scripts beside it: where things are, and how a script ends with a reason.
# shellcheck shell=sh disable=SC2034  # the variables are for those who source this

parts="lint sqlite postgres faults browser backends budget"

target=${CARGO_TARGET_DIR:-target}
python_env=$target/test-python

die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# The directory of initdb and pg_ctl, which Debian keeps out of PATH; the newest where there are several.
postgres_bin() {
    for bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr) \
        "$(pg_config --bindir 2>/dev/null)" "$(dirname "$(command -v initdb)")"; do
        if [ -x "$bin/initdb" ] && [ -x "$bin/pg_ctl" ]; then
            printf '%s\n' "$bin"
            return
        fi
    done
    return 1
}

# CHROMIUM chooses another one.
chromium_path() {
    for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}
