//! What is aimed at, and what was measured of it.

use crate::results::{Figure, Results};

/// A promise about one figure.
struct Bar {
    what: &'static str,
    part: &'static str,
    /// Table, row and column.
    place: [&'static str; 3],
    bound: Bound,
    /// The row of the same table without which the promise is about another machine.
    needs: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

use Bound::{AtLeast, AtMost};

const fn bar(
    what: &'static str,
    part: &'static str,
    place: [&'static str; 3],
    bound: Bound,
) -> Bar {
    let needs = None;
    Bar {
        what,
        part,
        place,
        bound,
        needs,
    }
}

const fn with_avx512(what: &'static str, of: &'static str, bound: Bound) -> Bar {
    let needs = Some("argon2id, avx512");
    Bar {
        needs,
        ..bar(what, "hash", ["implementation", of, AS_MANY], bound)
    }
}

const AS_MANY: &str = "times as many by the first";
const ARGON2_RUST: &str = "`argon2-rust`, memory kept";
const IN_C: &str = "reference in C, built for this machine";
const RUST_CRYPTO: &str = "`argon2` (RustCrypto), memory for each hash";
const CONNECTIONS: &str = "connections";
const SHARE: &str = "share of the hashes alone";
const ONE: [&str; 3] = ["one after the other", "on one connection", "the difference"];
const MANY: &str = "1000000 people";
const GROWN: &str = "people, each with a session";
const OF_ONE_THOUSAND: &str = "share of that with 1 thousand";

const BARS: &[Bar] = &[
    with_avx512(
        "hashes, times those of `argon2-rust` (AVX-512)",
        ARGON2_RUST,
        AtLeast(1.35),
    ),
    with_avx512(
        "hashes, times those of the reference in C (AVX-512)",
        IN_C,
        AtLeast(1.8),
    ),
    with_avx512(
        "hashes, times those of RustCrypto's `argon2` (AVX-512)",
        RUST_CRYPTO,
        AtLeast(3.2),
    ),
    bar(
        "hashes, times those of `argon2-rust`",
        "hash",
        ["implementation", ARGON2_RUST, AS_MANY],
        AtLeast(1.0),
    ),
    bar(
        "hashes, times those of RustCrypto's `argon2`",
        "hash",
        ["implementation", RUST_CRYPTO, AS_MANY],
        AtLeast(2.0),
    ),
    bar(
        "sign-ins by 64 connections, share of the hashes alone",
        "signin",
        [CONNECTIONS, "64", SHARE],
        AtLeast(0.95),
    ),
    bar(
        "the same on PostgreSQL",
        "signin --postgres",
        [CONNECTIONS, "64", SHARE],
        AtLeast(0.95),
    ),
    bar("one sign-in, less one hash, ms", "signin", ONE, AtMost(1.0)),
    bar(
        "the same on PostgreSQL",
        "signin --postgres",
        ONE,
        AtMost(1.0),
    ),
    bar(
        "`GET /auth/me`, share of a bare handler (HS256)",
        "me",
        [
            "64 connections",
            "tokens by HS256",
            "share of the bare handler",
        ],
        AtLeast(0.8),
    ),
    bar(
        "`GET /auth/me`, share of a bare handler (ES256)",
        "me",
        [
            "64 connections",
            "tokens by ES256",
            "share of the bare handler",
        ],
        AtLeast(0.8),
    ),
    bar(
        "p99 of `GET /auth/me` while 64 connections sign in, times the idle one",
        "me",
        [
            "8 connections",
            "64 connections sign in",
            "p99 against the idle one",
        ],
        AtMost(5.0),
    ),
    bar(
        "the same, asked at a steady pace",
        "flood",
        [
            "what is seen of it",
            "GET /auth/me: p99 against idle",
            "64 connections sign in",
        ],
        AtMost(5.0),
    ),
    bar(
        "from start to a sign-in, new database, ms",
        "start",
        [
            "from its start",
            "a new database",
            "until a sign-in is answered",
        ],
        AtMost(100.0),
    ),
    bar(
        "from start to a sign-in, a million users, ms",
        "start",
        ["from its start", MANY, "until a sign-in is answered"],
        AtMost(200.0),
    ),
    bar(
        "resident memory when idle, less the hash buffers, MiB",
        "start",
        ["memory", "idle", "less the hash buffers"],
        AtMost(20.0),
    ),
    bar(
        "resident memory after 10 s more of sign-ins by 64 connections, times that before",
        "start",
        [
            "memory under load",
            "64 connections, for 10 s more",
            "times that before",
        ],
        AtMost(1.05),
    ),
    bar(
        "the program, MiB",
        "start",
        ["the program", "release build", "size"],
        AtMost(25.0),
    ),
    bar(
        "sign-ins with 1 million users, share of those with 1 thousand",
        "growth",
        [GROWN, "1 million", OF_ONE_THOUSAND],
        AtLeast(0.95),
    ),
    bar(
        "sign-ins with 10 million users, share of those with 1 thousand",
        "growth",
        [GROWN, "10 million", OF_ONE_THOUSAND],
        AtLeast(0.95),
    ),
];

/// A table of those that were measured.
pub(super) fn table(results: &Results) -> String {
    let mut lines = vec![
        "| what is aimed at | bar | measured | met |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    lines.extend(BARS.iter().filter_map(|bar| bar.line(results)));
    lines.join("\n")
}

impl Bar {
    fn line(&self, results: &Results) -> Option<String> {
        let figures = &results.get(self.part)?.figures;
        let [table, of, what] = self.place;
        let is_there = |of: &str| {
            figures
                .iter()
                .any(|figure| figure.table == table && figure.of == of)
        };
        if self.needs.is_some_and(|needed| !is_there(needed)) {
            return None;
        }
        let figure = figures
            .iter()
            .find(|figure| figure.table == table && figure.of == of && figure.what == what)?;
        let met = if self.bound.admits(figure) {
            "yes"
        } else {
            "no"
        };
        Some(format!(
            "| {} | {} | {} | {met} |",
            self.what,
            self.bound.text(),
            figure.cell()
        ))
    }
}

impl Bound {
    fn admits(self, figure: &Figure) -> bool {
        match self {
            AtLeast(bound) => figure.median >= bound,
            AtMost(bound) => figure.median <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            AtLeast(bound) => format!("at least {bound}"),
            AtMost(bound) => format!("at most {bound}"),
        }
    }
}
