//! What must hold of a configuration: the limits of each section, and the rules between sections that keep a careless
//! start from being an unsafe one. Each refusal says what to set.

use std::collections::BTreeSet;
use std::time::Duration;

use jose::Algorithm;
use passhash::{Cost, CostError};

use super::Config;
use super::draft::Draft;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// Notes every rule that the configuration breaks.
pub(super) fn check(config: &Config, draft: &mut Draft) {
    listening(config, draft);
    public_url(config, draft);
    database(config, draft);
    tokens(config, draft);
    sessions(config, draft);
    passwords(config, draft);
    passkeys(config, draft);
    clients(config, draft);
    limits(config, draft);
    logs(config, draft);
    if let Some(keep) = &config.audit.keep {
        draft.within("audit.keep", keep, DAY..=3650 * DAY);
    }
    draft.within(
        "second_factor.remember_device",
        &config.second_factor.remember_device,
        Duration::ZERO..=365 * DAY,
    );
    draft.within(
        "shutdown_grace",
        &config.shutdown_grace,
        Duration::ZERO..=10 * MINUTE,
    );
}

fn listening(config: &Config, draft: &mut Draft) {
    let listen = config.listen;
    let is_loopback = listen.ip().to_canonical().is_loopback();
    if config.dev && !is_loopback {
        draft.refuse(
            &["listen"],
            format!("{listen} is not a loopback address, and --dev leaves doors open that others must not find."),
            "Listen on 127.0.0.1 or [::1], or start without --dev.",
        );
    }
    if !config.dev && !is_loopback && config.tls.is_none() && config.trusted_proxies.is_empty() {
        draft.refuse(
            &["listen", "tls.cert", "tls.key", "trusted_proxies"],
            format!("{listen} is not a loopback address, and passwords would cross the network unprotected."),
            "Set tls.cert and tls.key (DOORWARD_TLS__CERT and DOORWARD_TLS__KEY) to serve HTTPS here, or set trusted_proxies \
             (DOORWARD_TRUSTED_PROXIES) to the address of the proxy in front that serves it, or listen on 127.0.0.1.",
        );
    }
    if listen.port() != 0 && config.metrics_listen == Some(listen) {
        draft.refuse(
            &["metrics_listen", "listen"],
            format!("{listen} is where everything else is answered."),
            "Choose another port, or off.",
        );
    }
}

fn public_url(config: &Config, draft: &mut Draft) {
    let keys = ["public_url", "listen", "tls.cert", "tls.key"];
    if config.listen.ip().to_canonical().is_unspecified() && !draft.is_given("public_url") {
        draft.refuse(
            &keys,
            "it is needed, since nobody can tell from listen how people reach this server.",
            "Set it (DOORWARD_PUBLIC_URL) to the address that people see, such as https://auth.example.com.",
        );
    } else if !config.public_url.is_https()
        && !config.dev
        && !config.public_url.origin().is_loopback()
    {
        draft.refuse(
            &keys,
            format!("{} is not HTTPS, and passwords would cross the network unprotected.", config.public_url),
            "Set it (DOORWARD_PUBLIC_URL) to the https:// address that people see; --dev takes plain http.",
        );
    }
}

fn database(config: &Config, draft: &mut Draft) {
    let url = config
        .database_url
        .as_ref()
        .map(|url| url.expose().as_str());
    let is_postgres =
        url.is_some_and(|url| url.starts_with("postgres://") || url.starts_with("postgresql://"));
    if !is_postgres && url.is_some_and(|url| !url.starts_with("sqlite:")) {
        draft.refuse(
            &["database_url"],
            "it begins with neither postgres:// nor sqlite:, which are the databases there are.",
            "Expected postgres://user:password@host/name, or sqlite: and a path.",
        );
    }
    match &config.secret_key {
        None if is_postgres && !config.dev => draft.refuse(
            &["secret_key", "database_url"],
            "it is needed with PostgreSQL, so that every node opens what another sealed.",
            "Set DOORWARD_SECRET_KEY or DOORWARD_SECRET_KEY_FILE, the same on each node: `openssl rand -base64 32` makes one.",
        ),
        Some(key) if key.expose().chars().count() < 32 => draft.refuse(
            &["secret_key"],
            "the value is shorter than 32 characters.",
            "`openssl rand -base64 32` makes one that is long enough.",
        ),
        _ => {}
    }
}

fn tokens(config: &Config, draft: &mut Draft) {
    let tokens = &config.tokens;
    let shortest = if config.dev { SECOND } else { MINUTE };
    draft.within("tokens.lifetime", &tokens.lifetime, shortest..=DAY);
    draft.within(
        "tokens.refreshed_lifetime",
        &tokens.refreshed_lifetime,
        shortest..=DAY,
    );
    let Some(secret) = &tokens.hs256_secret else {
        return;
    };
    if secret.expose().len() < 32 {
        draft.refuse(
            &["tokens.hs256_secret"],
            "the value is shorter than 32 bytes, which HS256 asks at the least (RFC 7518 section 3.2).",
            "`openssl rand -base64 32` makes one that is long enough; the back end needs the same.",
        );
    }
    if tokens.algorithm != Algorithm::Hs256 {
        draft.refuse(
            &["tokens.hs256_secret", "tokens.algorithm"],
            format!(
                "{} signs with a key pair and would never use it.",
                tokens.algorithm
            ),
            "Take it away, or set tokens.algorithm (DOORWARD_TOKENS__ALGORITHM) to HS256.",
        );
    }
}

fn sessions(config: &Config, draft: &mut Draft) {
    let sessions = &config.sessions;
    let shortest = if config.dev { SECOND } else { MINUTE };
    // Browsers keep no cookie for longer than 400 days (RFC 6265bis section 5.5).
    draft.within(
        "sessions.lifetime",
        &sessions.lifetime,
        shortest..=400 * DAY,
    );
    draft.within(
        "sessions.idle",
        &sessions.idle,
        shortest..=sessions.lifetime.max(shortest),
    );
}

fn passwords(config: &Config, draft: &mut Draft) {
    let password = &config.password;
    draft.within("password.min_length", &password.min_length, 8..=128);
    draft.within("password.threads", &password.threads, 0..=1024);
    draft.within(
        "password.max_wait",
        &password.max_wait,
        Duration::from_millis(100)..=20 * SECOND,
    );
    argon2(config, draft);
}

fn argon2(config: &Config, draft: &mut Draft) {
    const MEMORY: &str = "password.argon2.memory_kib";
    const ITERATIONS: &str = "password.argon2.iterations";
    const PARALLELISM: &str = "password.argon2.parallelism";
    let cost = &config.password.argon2;
    if let Err(error) = Cost::new(cost.memory_kib, cost.iterations, cost.parallelism) {
        let keys = match error {
            CostError::Parallelism => [PARALLELISM, MEMORY, ITERATIONS],
            CostError::Memory => [MEMORY, PARALLELISM, ITERATIONS],
            CostError::Iterations => [ITERATIONS, MEMORY, PARALLELISM],
        };
        let fix = "`doorward hash --tune` finds what this machine bears.";
        return draft.refuse(&keys, format!("{error}."), fix);
    }
    // The least of what OWASP's Password Storage Cheat Sheet holds equal: 7168 KiB with 5 passes.
    let work = u64::from(cost.memory_kib) * u64::from(cost.iterations);
    if !config.dev && (cost.memory_kib < 7168 || work < 35_840) {
        draft.refuse(
            &[MEMORY, ITERATIONS],
            format!(
                "{} KiB and {} iterations are less than OWASP recommends at the least.",
                cost.memory_kib, cost.iterations
            ),
            "Take 7168 KiB or more, and iterations until their product is 35840 or more; \
             `doorward hash --tune` finds what this machine bears.",
        );
    }
}

fn passkeys(config: &Config, draft: &mut Draft) {
    let passkeys = &config.passkeys;
    let url = config.public_url.origin();
    let host = url.host();
    if passkeys.rp_id.is_some() && !url.may_have_passkeys() {
        draft.refuse(
            &["passkeys.rp_id", "public_url"],
            format!("browsers make no passkeys under {url}."),
            "Take it away, or set public_url (DOORWARD_PUBLIC_URL) to https:// and a host name, or http://localhost.",
        );
    }
    let is_above = |domain: &str| {
        let below = host
            .strip_suffix(domain)
            .and_then(|rest| rest.strip_suffix('.'));
        host == domain || (below.is_some() && domain.contains('.'))
    };
    if let Some(rp_id) = passkeys.rp_id.as_deref().filter(|rp_id| !is_above(rp_id)) {
        draft.refuse(
            &["passkeys.rp_id", "public_url"],
            format!("{rp_id:?} is neither {host}, the host of public_url, nor a domain above it."),
            "Take it away, or set it (DOORWARD_PASSKEYS__RP_ID) to such a domain in lower case, without scheme and port.",
        );
    }
    if let Some(origin) = passkeys.origins.iter().find(|it| !it.may_have_passkeys()) {
        draft.refuse(
            &["passkeys.origins"],
            format!("browsers make no passkeys under {origin}."),
            "Take it away, or write it as https:// and a host name, or http://localhost.",
        );
    }
    for (key, link) in [
        ("passkeys.enroll_url", &passkeys.enroll_url),
        ("passkeys.manage_url", &passkeys.manage_url),
    ] {
        if let Some(link) = link.as_ref().filter(|link| !link.origin().is_protected()) {
            draft.refuse(
                &[key],
                format!("{} is not HTTPS, and whoever is on the way there could put another page in its place.", link.as_str()),
                "Set it to an https:// address, or take it away.",
            );
        }
    }
}

fn clients(config: &Config, draft: &mut Draft) {
    let mut names = BTreeSet::new();
    let clients = &config.introspection.clients;
    if let Some(twice) = clients.iter().find(|client| !names.insert(&client.name)) {
        draft.refuse(
            &["introspection.clients"],
            format!("{} is there twice.", twice.name),
            "Give each client a name of its own; two clients may be one program on its way from one secret to the next.",
        );
    }
}

fn limits(config: &Config, draft: &mut Draft) {
    draft.within("limits.per_minute", &config.limits.per_minute, 1..=100_000);
    draft.within("limits.burst", &config.limits.burst, 1..=100_000);
    draft.within(
        "limits.proof_work",
        &config.limits.proof_work,
        1_000..=10_000_000,
    );
    if !config.limits.enabled && !config.dev {
        draft.refuse(
            &["limits.enabled"],
            "without limits anybody may guess passwords as fast as they can send them.",
            "Take the setting away; it is there for load tests with --dev.",
        );
    }
}

fn logs(config: &Config, draft: &mut Draft) {
    // The filter's own parser panics on some letters beyond ASCII.
    if !config.log.filter.is_ascii() {
        draft.refuse(
            &["log.filter"],
            "the value has letters that no module's name has.",
            "Expected a level such as info, or levels by module such as info,doorward::sign_in=debug.",
        );
    } else if let Err(error) = config.log.filter.parse::<tracing_subscriber::EnvFilter>() {
        draft.refuse(
            &["log.filter"],
            format!("{:?} is not a filter: {error}.", config.log.filter),
            "Expected a level such as info, or levels by module such as info,doorward::sign_in=debug.",
        );
    }
}
