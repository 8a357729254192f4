//! What an operator decides, read once at start into types that can be trusted: one struct a feature, each with its limits.
//! Flags over environment over file over defaults. Nothing here opens a socket, a database or a key.

mod clients;
mod draft;
mod duration;
mod environment;
mod file;
mod link;
mod network;
mod origin;
mod problems;
mod reference;
mod role;
mod rules;
mod sections;
mod settings;
mod sources;
#[cfg(test)]
mod tests;
mod values;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

pub use clients::Client;
use draft::{Draft, Effective};
use file::Page;
pub use link::Link;
pub use network::IpNet;
pub use origin::{Origin, PublicUrl};
pub use problems::{ConfigErrors, Source};
pub use reference::reference;
pub use role::Role;
pub use sections::{
    AuditConfig, CorsConfig, CounterRegression, IntrospectionConfig, LimitsConfig, LogConfig,
    LogFormat, PasskeysConfig, PasswordConfig, ProofWanted, SecondFactorConfig, SessionsConfig,
    SignupAnswer, SignupConfig, TlsConfig, TokensConfig,
};
use settings::{Preset, Section as _, settings};
pub use sources::Inputs;
use values::Value as _;

use crate::secret::Secret;

settings! {
    /// Everything that an operator decides. The fields are in the order in which the reference lists them.
    pub struct Config under "" {
        /// For development on one machine: sign-up is open, pages on localhost may call the API, and limits may be off.
        /// Given as `--dev` alone, so that nothing left behind in a file turns it on; it listens on loopback addresses only.
        dev: bool = Preset::CommandLine,
        /// Where it listens. An address that is not loopback needs `tls` or `trusted_proxies`.
        listen: SocketAddr = "127.0.0.1:8080",
        /// Where `/metrics` is answered, apart from everything else; `off` for nowhere. Keep it away from the public.
        metrics_listen: Option<SocketAddr> = "127.0.0.1:8081",
        /// Where its files are: the SQLite database and the secrets made on first start. Made with mode 0700 when missing.
        data_dir: PathBuf = "./doorward-data",
        /// The database: `postgres://user:password@host/name`, or `sqlite:` and a path.
        database_url: Option<Secret<String>> = Preset::Unset("`doorward.db` in the data folder, SQLite"),
        /// The key that seals signing keys in the database, at least 32 characters. Whoever has the database but not this
        /// signs nothing. Required with PostgreSQL without `--dev`: every node must have the same.
        secret_key: Option<Secret<String>> = Preset::Unset("made on first start in the data folder, with SQLite or `--dev`"),
        /// Where people reach it: `https://` and a host, without a path. Plain `http://` is taken for a loopback host and with
        /// `--dev`.
        public_url: PublicUrl = Preset::Follows("`http://` and `listen`; `https://` with `tls`", url_of_listener),
        /// Addresses and networks of the proxies in front, such as `10.0.0.0/8`: theirs is the only word that is taken for
        /// who the client is and how it came.
        trusted_proxies: Vec<IpNet> = "",
        /// How long requests in flight may take to finish when it is told to stop, up to 10 minutes.
        shutdown_grace: Duration = "20s",
        /// Logs.
        log: LogConfig,
        /// The audit trail.
        audit: AuditConfig,
        /// HTTPS on the main listener.
        tls: Option<TlsConfig>,
        /// Tokens.
        tokens: TokensConfig,
        /// Sessions.
        sessions: SessionsConfig,
        /// Sign-up.
        signup: SignupConfig,
        /// Passwords.
        password: PasswordConfig,
        /// Second factors.
        second_factor: SecondFactorConfig,
        /// Passkeys.
        passkeys: PasskeysConfig,
        /// Calls from pages of other origins.
        cors: CorsConfig,
        /// Programs that may ask about tokens.
        introspection: IntrospectionConfig,
        /// Limits on attempts.
        limits: LimitsConfig,
    }
}

/// The URL under which the listener is reached by whoever sees its address; with port 0 nobody can tell the port yet.
fn url_of_listener(draft: &Draft) -> String {
    let is_https = draft.is_given("tls.cert");
    let scheme = if is_https { "https" } else { "http" };
    let listen: SocketAddr = draft
        .text("listen")
        .parse()
        .expect("an address reads back from what is shown of it");
    let host = match listen.ip() {
        // The name rather than the number: a browser's secure contexts and passkeys know it by its name.
        ip if ip.is_loopback() => "localhost".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    match listen.port() {
        0 => format!("{scheme}://{host}"),
        port => format!("{scheme}://{host}:{port}"),
    }
}

/// A configuration that passed every rule, and where each value came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    effective: Vec<Effective>,
}

/// Reads the configuration from what the process was given.
///
/// # Errors
/// Everything that is wrong with it, all at once.
pub fn load(inputs: &Inputs) -> Result<Loaded, ConfigErrors> {
    let mut draft = Draft::new(Config::settings());
    let page = file::find(inputs, &mut draft);
    settle(inputs, page.as_ref(), draft)
}

fn settle(inputs: &Inputs, page: Option<&Page>, mut draft: Draft) -> Result<Loaded, ConfigErrors> {
    sources::gather(inputs, page, &mut draft);
    let config = Config::read(&mut draft)
        .expect("a preset reads back, and only an optional section has a setting without one");
    rules::check(&config, &mut draft);
    if draft.problems.is_empty() {
        Ok(Loaded {
            config,
            effective: draft.effective,
        })
    } else {
        Err(ConfigErrors(draft.problems))
    }
}

impl Loaded {
    /// The effective values, a line each, as TOML that could be a configuration file; secrets are `***`.
    /// With `origin` each line says where its value came from.
    pub fn show(&self, origin: bool) -> String {
        let lines = self.effective.iter().map(|one| {
            let source = if origin {
                format!("  # {}", one.source)
            } else {
                String::new()
            };
            match &one.text {
                Some(text) if one.key == "dev" => format!("# --dev is {text}\n"),
                Some(text) => format!("{} = {}{source}\n", one.key, one.kind.toml(text)),
                None => format!("# {} is not set\n", one.key),
            }
        });
        lines.collect()
    }
}

/// Reads a duration as settings have them: `500ms`, `15m`.
///
/// # Errors
/// What is wrong with the text and what is expected, in words.
pub fn duration(text: &str) -> Result<Duration, String> {
    Duration::from_text(text).map_err(|wrong| format!("it {wrong}: expected {}", Duration::FORM))
}

impl Config {
    /// The presets alone, from no file and no environment, for tests to change.
    pub fn for_tests() -> Self {
        load(&Inputs::default())
            .expect("the presets pass their own rules")
            .config
    }
}
