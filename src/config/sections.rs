//! The settings of each feature, one struct a section: a feature is handed its own and sees no other.
//! The limits of the values are in `rules`.

use std::path::PathBuf;
use std::time::Duration;

use jose::Algorithm;
use otp::Digits;
use passhash::Cost;

use super::clients::Client;
use super::draft::Draft;
use super::link::Link;
use super::origin::Origin;
use super::role::Role;
use super::settings::{Preset, Section, Setting, settings};
use super::values::{Kind, Value, words};
use crate::secret::Secret;

settings! {
    /// What is logged, and how it looks.
    pub struct LogConfig under "log." {
        /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module, such as
        /// `info,doorward::sign_in=debug`. `DOORWARD_LOG` sets it too.
        filter: String = "info",
        /// How a line looks: `pretty` for people, `json` for machines, `auto` for pretty on a terminal and JSON elsewhere.
        format: LogFormat = "auto",
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

words!(LogFormat, "auto, pretty or json",
    "auto" => LogFormat::Auto, "pretty" => LogFormat::Pretty, "json" => LogFormat::Json);

settings! {
    /// What happened, to whom, from where: rows of the table `audit`.
    pub struct AuditConfig under "audit." {
        /// How long a row of the audit trail is kept, with the address it came from: from 1 day to 3650 days; `off` keeps it for good.
        keep: Option<Duration> = "400d",
    }
}

settings! {
    /// HTTPS on the main listener. Both paths or neither.
    pub struct TlsConfig under "tls." {
        /// The certificate chain, PEM. Read again when it changes and on SIGHUP.
        cert: PathBuf = Preset::Required,
        /// The certificate's private key, PEM. Read again with the certificate.
        key: PathBuf = Preset::Required,
    }
}

settings! {
    /// What tokens are signed with, for how long they count, and what they say about us.
    pub struct TokensConfig under "tokens." {
        /// How tokens are signed. `HS256` is what the documented clients expect: one secret, shared with the back end.
        /// `ES256`, `RS256` and `EdDSA` sign with a key pair whose public half is at `/.well-known/jwks.json`.
        /// jsonwebtoken and passport-jwt for JavaScript refuse `EdDSA`.
        algorithm: Algorithm = "HS256",
        /// The secret that signs HS256 tokens and that the back end shares, at least 32 bytes. Refused with another algorithm.
        hs256_secret: Option<Secret<String>> = Preset::Unset("made on first start, kept sealed in the database"),
        /// How long a token counts, from 1 minute to 24 hours; with `--dev` from 1 second.
        lifetime: Duration = "1h",
        /// How long a token counts that came with a refresh token, from 1 minute to 24 hours; with `--dev` from 1 second.
        refreshed_lifetime: Duration = "10m",
        /// The token's `iss`: who issued it.
        issuer: String = Preset::Follows("`public_url`", |draft| draft.text("public_url")),
        /// The token's `aud`: whom it is for.
        audience: String = Preset::Follows("`public_url`", |draft| draft.text("public_url")),
    }
}

impl Value for Algorithm {
    const FORM: &'static str = "HS256, ES256, RS256 or EdDSA";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| "is not an algorithm that tokens are signed with".to_owned())
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

settings! {
    /// How long a session lasts that is carried by a refresh token or a cookie.
    pub struct SessionsConfig under "sessions." {
        /// How long it lasts without being used, from 1 minute up to `sessions.lifetime`; with `--dev` from 1 second.
        idle: Duration = "30d",
        /// How long it lasts at most, however much it is used, up to 400 days.
        lifetime: Duration = "90d",
    }
}

settings! {
    /// Who may make an account.
    pub struct SignupConfig under "signup." {
        /// Whether anybody may make an account. Otherwise people are made with `doorward user create`.
        enabled: bool = Preset::Follows("`false`; `true` with `--dev`", |draft| draft.text("dev")),
        /// What a sign-up is answered: `session` signs the owner of a new account in, and says 409 where the address has one;
        /// `accepted` says 202 to both alike, so that nobody learns who has an account, and its owner signs in next.
        answer: SignupAnswer = "session",
    }
}

/// What a sign-up is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignupAnswer {
    /// A session, or that the address has an account.
    Session,
    /// That it was received, and nothing else.
    Accepted,
}

impl SignupAnswer {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Accepted => "accepted",
        }
    }
}

words!(SignupAnswer, "session or accepted",
    "session" => SignupAnswer::Session, "accepted" => SignupAnswer::Accepted);

settings! {
    /// What a password must be, and what hashing one may cost.
    pub struct PasswordConfig under "password." {
        /// The fewest characters that a new password has, from 8 to 128. Passwords that exist are not asked again.
        min_length: u32 = "8",
        /// A file of breached passwords that new ones must not be among, made by `doorward breached build`. Passwords that
        /// exist are not asked again.
        breached_file: Option<PathBuf> = Preset::Unset("new passwords are compared with the most common ones alone"),
        /// Threads that hash, up to 1024, each with a block buffer of `password.argon2.memory_kib`; 0 is one a core.
        threads: u32 = "0",
        /// The longest that a sign-in waits for a hash thread before it is answered 503, from 100 milliseconds to 20 seconds.
        max_wait: Duration = "2s",
        /// What one hash costs.
        argon2: Cost,
    }
}

settings! {
    /// The settings that make a [`Cost`].
    pub(super) struct Argon2 under "password.argon2." {
        /// Memory of one hash in KiB, from 7168 to 262144; with `--dev` from 8 a lane. Memory times iterations is from 35840,
        /// the least that OWASP recommends, to 2097152. `doorward hash --tune` finds what this machine bears.
        memory_kib: u32 = "19456",
        /// Passes over that memory.
        iterations: u32 = "2",
        /// Lanes of one hash, from 1 to 64. They are computed one after another, so more of them buy no speed.
        parallelism: u32 = "1",
    }
}

impl Section for Cost {
    fn settings() -> Vec<Setting> {
        Argon2::settings()
    }

    fn read(draft: &mut Draft) -> Option<Self> {
        let Argon2 {
            memory_kib,
            iterations,
            parallelism,
        } = Argon2::read(draft)?;
        Some(Self {
            memory_kib,
            iterations,
            parallelism,
        })
    }
}

settings! {
    /// What is asked beside a password.
    pub struct SecondFactorConfig under "second_factor." {
        /// What the codes of an authenticator app are made with: `SHA1`, `SHA256` or `SHA512`. Several apps know `SHA1` alone and
        /// do not say so. An app that is enrolled keeps what it was enrolled with.
        totp_algorithm: otp::Algorithm = "SHA1",
        /// How many digits such a code has, 6 or 8. Several apps show 6 whatever they are told. An app that is enrolled keeps
        /// what it was enrolled with.
        totp_digits: Digits = "6",
        /// For how long a sign-in on a device asks for no second factor after one with `rememberDevice`, up to 365 days; `0s`
        /// asks each time.
        remember_device: Duration = "30d",
        /// Whether everybody has to have a second factor: who has none is led to set one up before the first token. Sessions that
        /// live go on until they end.
        required: bool = "false",
        /// Roles of which whoever has one has to have a second factor, where not everybody has to.
        required_roles: Vec<Role> = "",
    }
}

impl SecondFactorConfig {
    /// Whether somebody who has these roles has to have a second factor.
    pub fn is_required_of(&self, roles: &[String]) -> bool {
        let has = |role: &Role| roles.iter().any(|known| known == role.as_str());
        self.required || self.required_roles.iter().any(has)
    }
}

words!(otp::Algorithm, "SHA1, SHA256 or SHA512",
    "SHA1" => otp::Algorithm::Sha1, "SHA256" => otp::Algorithm::Sha256, "SHA512" => otp::Algorithm::Sha512);

impl Value for Digits {
    const KIND: Kind = Kind::Integer;
    const FORM: &'static str = "6 or 8";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .ok()
            .and_then(Self::from_count)
            .ok_or_else(|| "is not how many digits a code has".to_owned())
    }

    fn to_text(&self) -> String {
        self.count().to_string()
    }
}

settings! {
    /// Whom passkeys are made for, and where. There are passkeys where `public_url` is `https://` and a host name, or `localhost`.
    pub struct PasskeysConfig under "passkeys." {
        /// The domain that passkeys are bound to: the host of `public_url`, or a domain above it that is not shared with others, such
        /// as `example.com` under `https://auth.example.com`. Whoever changes it makes all passkeys worthless.
        rp_id: Option<String> = Preset::Unset("the host of `public_url`"),
        /// Other origins whose pages may ask for passkeys, each exactly, such as `https://app.example.com`. Those that are not below
        /// `passkeys.rp_id` are named to browsers at `/.well-known/webauthn`, where browsers ask the host of that name.
        origins: Vec<Origin> = "",
        /// What becomes of a passkey that counts its signatures and comes with a count that it was past, of which there may then be a
        /// copy: `refuse`, or `allow`, which lets it in. Both are written down.
        counter_regression: CounterRegression = "refuse",
        /// The page where people make a passkey, told to password managers at `/.well-known/passkey-endpoints`.
        enroll_url: Option<Link> = Preset::Unset("not told"),
        /// The page where people manage their passkeys, told likewise.
        manage_url: Option<Link> = Preset::Unset("not told"),
    }
}

/// What becomes of a passkey that comes with a count that it was past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterRegression {
    /// It proves nothing.
    Refuse,
    /// It is taken.
    Allow,
}

words!(CounterRegression, "refuse or allow",
    "refuse" => CounterRegression::Refuse, "allow" => CounterRegression::Allow);

settings! {
    /// Pages of which other origins may call the API from a browser.
    pub struct CorsConfig under "cors." {
        /// Origins whose pages may call the API and use the session cookie, each exactly, such as `https://app.example.com`. No
        /// wildcards.
        origins: Vec<Origin> = "",
        /// Whether pages on localhost, on any port, may call it too.
        allow_localhost: bool = Preset::Follows("`false`; `true` with `--dev`", |draft| draft.text("dev")),
    }
}

settings! {
    /// Which programs may ask whether a token is good (`POST /auth/introspect`).
    pub struct IntrospectionConfig under "introspection." {
        /// Their names and secrets, each as `name:secret`: a name of letters, digits, `-`, `_` and `.`, and a secret of 32
        /// characters or more, without commas and percent signs.
        clients: Vec<Client> = "",
    }
}

settings! {
    /// How often somebody may try.
    pub struct LimitsConfig under "limits." {
        /// Whether attempts are limited at all. `false` is taken with `--dev` alone, for load tests.
        enabled: bool = "true",
        /// Attempts with a credential that one address has a minute in the long run, from 1 to 100000. An IPv6 /64 network counts
        /// as one address, and a /48 as eight.
        per_minute: u32 = "30",
        /// Attempts that one address has at once before `limits.per_minute` holds it back, from 1 to 100000.
        burst: u32 = "30",
        /// When a sign-in has to bring a proof of work: `sprayed`, when it looks like one of many that try one password on
        /// many accounts; `always`; or `never`.
        proof: ProofWanted = "sprayed",
        /// The most hashes that a proof of work costs, from 1000 to 10000000; half as many on average. A browser computes a few
        /// hundred thousand a second.
        proof_work: u32 = "200000",
    }
}

/// When a sign-in has to bring a proof of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofWanted {
    /// When it looks like one of many that try one password on many accounts.
    Sprayed,
    /// Each.
    Always,
    /// None.
    Never,
}

words!(ProofWanted, "sprayed, always or never",
    "sprayed" => ProofWanted::Sprayed, "always" => ProofWanted::Always, "never" => ProofWanted::Never);
