//! Each rule: what it refuses and in which words, and that what it asks for is enough.

use super::*;

/// The variables, what the refusal begins with, and what it advises.
const REFUSED: [(&str, &str, &str); 39] = [
    (
        "LISTEN=0.0.0.0:1 PUBLIC_URL=https://a.example",
        "listen (",
        "DOORWARD_TLS__CERT and DOORWARD_TLS__KEY",
    ),
    (
        "LISTEN=[::]:1 PUBLIC_URL=https://a.example",
        "listen (",
        "DOORWARD_TRUSTED_PROXIES",
    ),
    (
        "LISTEN=0.0.0.0:1 TRUSTED_PROXIES=10.0.0.7",
        "public_url (not set)",
        "DOORWARD_PUBLIC_URL",
    ),
    ("PUBLIC_URL=http://a.example", "public_url (", "https://"),
    (
        "METRICS_LISTEN=127.0.0.1:8080",
        "metrics_listen (",
        "another port",
    ),
    (
        "DATABASE_URL=mysql://db/doorward",
        "database_url (",
        "postgres://",
    ),
    (
        "DATABASE_URL=postgres://db/doorward",
        "secret_key (not set)",
        "DOORWARD_SECRET_KEY_FILE",
    ),
    (
        "SECRET_KEY=thirty-one-characters-are-short",
        "secret_key (",
        "openssl rand",
    ),
    ("TLS__CERT=c.pem", "tls.key (not set)", "DOORWARD_TLS__KEY"),
    (
        "TLS__KEY=k.pem LISTEN=0.0.0.0:1",
        "tls.cert (not set)",
        "DOORWARD_TLS__CERT",
    ),
    (
        "TOKENS__ALGORITHM=none",
        "tokens.algorithm (",
        "HS256, ES256, RS256 or EdDSA",
    ),
    (
        "TOKENS__HS256_SECRET=thirty-one-characters-are-short",
        "tokens.hs256_secret (",
        "32 bytes",
    ),
    (
        "TOKENS__HS256_SECRET=a-secret-of-thirty-two-characters TOKENS__ALGORITHM=ES256",
        "tokens.hs256_secret (",
        "DOORWARD_TOKENS__ALGORITHM",
    ),
    ("TOKENS__LIFETIME=59s", "tokens.lifetime (", "from 1m to 1d"),
    ("TOKENS__LIFETIME=25h", "tokens.lifetime (", "from 1m to 1d"),
    (
        "PASSWORD__MIN_LENGTH=7",
        "password.min_length (",
        "from 8 to 128",
    ),
    (
        "PASSWORD__THREADS=1025",
        "password.threads (",
        "from 0 to 1024",
    ),
    (
        "PASSWORD__MAX_WAIT=99ms",
        "password.max_wait (",
        "from 100ms to 20s",
    ),
    (
        "PASSWORD__ARGON2__MEMORY_KIB=7167",
        "password.argon2.memory_kib (",
        "7168 KiB",
    ),
    (
        "PASSWORD__ARGON2__ITERATIONS=1",
        "password.argon2.memory_kib (",
        "35840",
    ),
    (
        "PASSWORD__ARGON2__PARALLELISM=0",
        "password.argon2.parallelism (",
        "must be 1 to 64",
    ),
    ("SHUTDOWN_GRACE=11m", "shutdown_grace (", "from 0s to 10m"),
    ("AUDIT__KEEP=23h", "audit.keep (", "from 1d to 3650d"),
    ("LIMITS__ENABLED=false", "limits.enabled (", "--dev"),
    ("LIMITS__BURST=0", "limits.burst (", "from 1 to 100000"),
    (
        "LIMITS__PROOF_WORK=999",
        "limits.proof_work (",
        "from 1000 to 10000000",
    ),
    (
        "LIMITS__PROOF=sometimes",
        "limits.proof (",
        "sprayed, always or never",
    ),
    (
        "INTROSPECTION__CLIENTS=orders",
        "introspection.clients (from env DOORWARD_INTROSPECTION__CLIENTS): the value has item 1, which has no colon",
        "a name, a colon and a secret",
    ),
    (
        "INTROSPECTION__CLIENTS=:a-secret-of-thirty-two-characters",
        "introspection.clients (",
        "openssl rand -base64 32",
    ),
    (
        "INTROSPECTION__CLIENTS=a:a-secret-of-thirty-two-characters,b:a-secret-of-31-characters------",
        "introspection.clients (from env DOORWARD_INTROSPECTION__CLIENTS): the value has item 2, which has a secret of less than 32",
        "openssl rand -base64 32",
    ),
    (
        "INTROSPECTION__CLIENTS=orders:a%20secret-of-thirty-two-characters",
        "introspection.clients (",
        "openssl rand -base64 32",
    ),
    (
        "INTROSPECTION__CLIENTS=or/ders:a-secret-of-thirty-two-characters",
        "introspection.clients (",
        "openssl rand -base64 32",
    ),
    (
        "INTROSPECTION__CLIENTS=a:a-secret-of-thirty-two-characters,a:another-of-thirty-two-characters",
        "introspection.clients (from env DOORWARD_INTROSPECTION__CLIENTS): a is there twice",
        "a name of its own",
    ),
    (
        "SECOND_FACTOR__REQUIRED_ROLES=admin,ad%min",
        "second_factor.required_roles (from env DOORWARD_SECOND_FACTOR__REQUIRED_ROLES)",
        "names of roles",
    ),
    ("LOG=info,=,", "log.filter (", "doorward::sign_in=debug"),
    ("LOG=\u{2c30}=", "log.filter (", "doorward::sign_in=debug"),
    ("SESSIONS__IDLE=91d", "sessions.idle (", "90d"),
    ("SESSIONS__LIFETIME=401d", "sessions.lifetime (", "400d"),
    (
        "TOKENS__REFRESHED_LIFETIME=30s",
        "tokens.refreshed_lifetime (",
        "1m",
    ),
];

#[test]
fn each_names_the_setting_and_says_what_to_set() {
    for (given, about, advice) in REFUSED {
        let said = refusal(&env(given), "");
        assert!(said.starts_with(about), "{given} was refused with {said}");
        assert!(said.contains(advice), "{given} was refused with {said}");
        assert!(!said.contains("\n\n"), "{given} was refused with {said}");
    }
}

#[test]
fn development_is_for_loopback_alone() {
    let said = refusal(
        &with_dev(env("LISTEN=0.0.0.0:1 PUBLIC_URL=https://a.example")),
        "",
    );
    assert!(
        said.starts_with("listen (from env DOORWARD_LISTEN): 0.0.0.0:1 is not a loopback"),
        "{said}"
    );
    assert!(!said.contains("\n\n"), "{said}");
}

#[test]
fn what_they_ask_for_is_enough() {
    for given in [
        "LISTEN=0.0.0.0:1 PUBLIC_URL=https://a.example TRUSTED_PROXIES=10.0.0.0/8,::1",
        "LISTEN=0.0.0.0:1 PUBLIC_URL=https://a.example TLS__CERT=c.pem TLS__KEY=k.pem",
        "LISTEN=10.0.0.5:443 TLS__CERT=c.pem TLS__KEY=k.pem",
        "DATABASE_URL=postgresql://db/doorward SECRET_KEY=a-secret-of-thirty-two-characters",
        "DATABASE_URL=sqlite:///var/lib/doorward/doorward.db",
        "TOKENS__HS256_SECRET=a-secret-of-thirty-two-characters TOKENS__ALGORITHM=HS256",
        "PASSWORD__ARGON2__MEMORY_KIB=7168 PASSWORD__ARGON2__ITERATIONS=5",
        "INTROSPECTION__CLIENTS=one.1:a-secret-of-32-characters-exactly,,two:a+secret/of=thirty:two~characters",
        "TOKENS__LIFETIME=24h PASSWORD__MIN_LENGTH=128 SHUTDOWN_GRACE=0s",
    ] {
        config(&env(given), "");
    }
    let quick = "LIMITS__ENABLED=false TOKENS__LIFETIME=1s PUBLIC_URL=http://a.example PASSWORD__ARGON2__MEMORY_KIB=8";
    assert!(!config(&with_dev(env(quick)), "").limits.enabled);
    let postgres = config(&with_dev(env("DATABASE_URL=postgres://db/doorward")), "");
    assert!(postgres.secret_key.is_none(), "made in the data folder");
}

#[test]
fn none_speaks_about_a_value_that_could_not_be_read() {
    let said = refusal(
        &env("LISTEN=0.0.0.0:1 PUBLIC_URL=https://a.example TRUSTED_PROXIES=10.0.0.0/33"),
        "",
    );
    assert!(
        said.starts_with("trusted_proxies (") && !said.contains("\n\n"),
        "{said}"
    );
}
