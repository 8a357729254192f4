//! `doorward key`: what tokens are signed with. A key itself is printed by `key secret` alone.

use std::time::Duration;

use clap::{Args, Subcommand};
use db::Db;
use jose::Algorithm;
use serde_json::json;
use zeroize::Zeroizing;

use super::output::{self, talk};
use super::{Failure, Given, opening};
use crate::audit::By;
use crate::clock::{Clock, Timestamp};
use crate::config::{self, Config};
use crate::secret::Sealer;
use crate::tokens::keys::{self, PUBLISH_AHEAD, Rotated, Rotation};
use crate::tokens::listing::{self, Listed, State};

/// Further ahead than anybody plans.
const MOST_AHEAD: Duration = Duration::from_hours(30 * 24);

/// Shows and changes the keys that sign tokens
#[derive(Subcommand)]
#[command(after_help = "Examples:
  doorward key list
  doorward key rotate
  doorward key secret | ssh backend 'cat > jwt-secret'")]
pub(super) enum Key {
    List(List),
    Rotate(Rotate),
    Secret(Secret),
}

/// Lists the keys in the database, without what is secret of them
#[derive(Args)]
#[command(after_help = "Examples:
  doorward key list
  doorward key list --json | jq -r '.data[] | select(.state == \"signing\") | .kid'

STATE is next (published, signs later), signing, verifying (its last tokens still count), ended, or unused (the
configuration names another algorithm or a secret of its own).")]
pub(super) struct List {
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// Makes the next key: published now, signing later
#[derive(Args)]
#[command(after_help = "Examples:
  doorward key rotate                 it signs in 15 minutes, when every back end has seen it
  doorward key rotate --ahead 0s      it signs at once, seen or not

The present key verifies until no token that it signed can count any more; a rotation ends none of them. Running servers
take the new key in within 5 seconds. With a key pair, back ends read it at /.well-known/jwks.json, which they may keep
for 10 minutes. With HS256 they have to be given the new secret, by `doorward key secret --next`, before it signs.")]
pub(super) struct Rotate {
    /// How long from now it begins to sign, up to 30d
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = ahead)]
    ahead: Duration,
    /// Prints what was made as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the HS256 secret that signs tokens, for a back end to verify them with
#[derive(Args)]
#[command(after_help = "Examples:
  doorward key secret | ssh backend 'cat > jwt-secret'
  doorward key secret --next

It is text: give it to the back end as it stands, not decoded from anything (passport-jwt's secretOrKey, PyJWT's key).
Whoever has it can sign tokens as well as verify them. With tokens.algorithm ES256, RS256 or EdDSA there is none:
back ends then need only the public keys at /.well-known/jwks.json.")]
pub(super) struct Secret {
    /// The one that `doorward key rotate` made and that does not sign yet
    #[arg(long)]
    next: bool,
}

impl Key {
    pub(super) fn run(self, given: &Given) -> Result<(), Failure> {
        let config = opening::configuration(&given.inputs)?.config;
        let now = Clock::system().now();
        opening::with_sealer(&config, async |db, sealer| match self {
            Self::List(list) => list.run(&config, db, sealer, now).await,
            Self::Rotate(rotate) => rotate.run(&config, db, sealer, now).await,
            Self::Secret(secret) => secret.run(&config, db, sealer, now).await,
        })
    }
}

impl List {
    async fn run(
        &self,
        config: &Config,
        db: &Db,
        sealer: &Sealer,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let keys = listing::all(db, sealer, &config.tokens, now).await?;
        if config.tokens.hs256_secret.is_some() {
            talk("tokens.hs256_secret is set, and it alone signs: nothing in this list does.");
        }
        if self.json {
            return output::json(&json!({"data": keys}));
        }
        let heading = [
            "ALGORITHM",
            "NUMBER",
            "KID",
            "STATE",
            "SIGNS FROM",
            "VERIFIES UNTIL",
        ];
        output::table(heading, keys.iter().map(row).collect())
    }
}

fn row(key: &Listed) -> [String; 6] {
    let state = match key.state {
        State::Next => "next",
        State::Signing => "signing",
        State::Verifying => "verifying",
        State::Ended => "ended",
        State::Unused => "unused",
    };
    [
        key.algorithm.to_owned(),
        key.generation.to_string(),
        key.kid.clone().unwrap_or_default(),
        state.to_owned(),
        key.signs_from.to_string(),
        key.verifies_until
            .map_or_else(String::new, |until| until.to_string()),
    ]
}

impl Rotate {
    async fn run(
        &self,
        config: &Config,
        db: &Db,
        sealer: &Sealer,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let by = By::Operator(now);
        match keys::rotate(db, sealer, &config.tokens, by, self.ahead).await? {
            Rotated::Made(rotation) => self.tell(config, &rotation),
            Rotated::Waiting { signs_from } => Err(Failure::failed(format_args!(
                "the key of the last rotation begins to sign at {signs_from}; rotate again after that. Nothing was \
                 changed"
            ))),
            Rotated::Overtaken => Err(Failure::failed(
                "another rotation was made at the same moment: `doorward key list` shows it. Nothing was changed",
            )),
            Rotated::Configured => Err(Failure::failed(
                "tokens.hs256_secret is set, and it alone signs. To rotate it, change the setting here and in the back \
                 ends. Nothing was changed",
            )),
        }
    }

    fn tell(&self, config: &Config, made: &Rotation) -> Result<(), Failure> {
        let algorithm = config.tokens.algorithm;
        let Rotation {
            generation,
            signs_from,
            previous_until,
        } = made;
        talk(format_args!(
            "Made key {generation} of {algorithm}. It signs from {signs_from}; the one before verifies until \
             {previous_until}."
        ));
        if algorithm == Algorithm::Hs256 {
            talk("Give the back ends the new secret before it signs: doorward key secret --next");
        } else if self.ahead < PUBLISH_AHEAD {
            talk(
                "Back ends may keep the key set for 10 minutes: one that does not fetch it anew for a key that it does \
                 not know refuses new tokens that long.",
            );
        }
        if self.json {
            return output::json(&json!({
                "algorithm": algorithm.as_str(),
                "generation": generation,
                "signsFrom": signs_from,
                "previousVerifiesUntil": previous_until,
            }));
        }
        Ok(())
    }
}

impl Secret {
    async fn run(
        &self,
        config: &Config,
        db: &Db,
        sealer: &Sealer,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let algorithm = config.tokens.algorithm;
        if algorithm != Algorithm::Hs256 {
            return Err(Failure::failed(format_args!(
                "{algorithm} signs with a key pair, so there is no secret to share. Back ends verify with the public \
                 keys at {}/.well-known/jwks.json",
                config.public_url
            )));
        }
        if let Some(configured) = config.tokens.hs256_secret.as_ref().filter(|_| !self.next) {
            return output::data(&secret_line(configured.expose()));
        }
        let found = match config.tokens.hs256_secret {
            Some(_) => None,
            None => keys::shared_secret(db, sealer, now, self.next).await?,
        };
        let found = found.ok_or_else(|| {
            Failure::not_found(if self.next {
                "no secret waits to sign: `doorward key rotate` makes one"
            } else {
                "no secret was made yet: `doorward serve` makes the first one"
            })
        })?;
        let text = std::str::from_utf8(found.expose()).map_err(Failure::failed)?;
        output::data(&secret_line(text))
    }
}

fn secret_line(secret: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{secret}\n"))
}

fn ahead(text: &str) -> Result<Duration, String> {
    match config::duration(text)? {
        ahead if ahead <= MOST_AHEAD => Ok(ahead),
        _ => Err("it is more than 30d".to_owned()),
    }
}
