//! `doorward token`: what a token says, and whether it is one of ours.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use clap::{Args, Subcommand};
use jose::Rejected;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::output::{self, talk};
use super::{Failure, Given, input, opening};
use crate::clock::Clock;
use crate::config::TokensConfig;
use crate::sessions;
use crate::tokens::keys::KeyRing;
use crate::tokens::{Claims, Tokens};

/// Looks into a token
#[derive(Subcommand)]
#[command(after_help = "Examples:
  doorward token verify < token
  xclip -o | doorward token inspect")]
pub(super) enum Token {
    /// Shows what a token says, without verifying any of it
    #[command(after_help = "Examples:
  xclip -o | doorward token inspect
  doorward token inspect < token | jq .claims.exp

Any JSON Web Token will do. Nothing of it is verified: anybody can have written what it says.")]
    Inspect(Piped),
    /// Verifies a token by the keys here, and prints its claims
    #[command(after_help = "Examples:
  doorward token verify < token
  doorward token verify < token | jq -r .email

Exits with 0 for a token that Doorward takes, and with 1 and the reason for any other; also for one that a back end
would still take, because it does not ask, while its session here has ended.")]
    Verify(Piped),
}

/// Where the token is.
#[derive(Args)]
pub(super) struct Piped {
    /// Standard input, which it is without this too: a token is never an argument
    #[arg(value_name = "-")]
    dash: Option<String>,
}

impl Token {
    pub(super) fn run(self, given: &Given) -> Result<(), Failure> {
        let (Self::Inspect(piped) | Self::Verify(piped)) = &self;
        // What was given is not said again: it may well be a token.
        if piped.dash.as_ref().is_some_and(|dash| dash != "-") {
            return Err(Failure::usage(
                "a token is never an argument, which every process on the machine could read: pipe it in",
            ));
        }
        match self {
            Self::Inspect(_) => inspect(&token(given)?),
            Self::Verify(_) => verify(given),
        }
    }
}

fn inspect(token: &str) -> Result<(), Failure> {
    let (header, claims) = jose::decode_unverified(token)
        .map_err(|why| Failure::failed(format_args!("this is not a JSON Web Token: {why}")))?;
    talk(
        "NOT VERIFIED: anybody can have written this. `doorward token verify` tells whether it is from here.",
    );
    output::pretty_json(&json!({"header": header, "claims": claims}))
}

fn verify(given: &Given) -> Result<(), Failure> {
    let config = opening::configuration(&given.inputs)?.config;
    let token = token(given)?;
    opening::with_sealer(&config, async |db, sealer| {
        let now = Clock::system().now();
        let keys = KeyRing::open(&config.tokens, db, sealer, now).await?;
        let tokens = Tokens::new(&config.tokens, Arc::new(keys));
        let claims: Map<String, Value> = tokens
            .claims(&token, now)
            .map_err(|why| refused(why, &config.tokens))?;
        let believed = tokens.verify(&token, now)?;
        let Claims { sub, sid } = &believed.claims;
        let owner = sessions::store::owner(db, sid, sub, now).await?;
        output::pretty_json(&claims)?;
        match owner {
            Some(_) => Ok(()),
            None => Err(Failure::failed(
                "its signature and its times are right, but its session has ended. Doorward refuses it; a back end that \
                 does not ask takes it until it expires",
            )),
        }
    })
}

fn refused(why: Rejected, config: &TokensConfig) -> Failure {
    let expected = match why {
        Rejected::Issuer => format!("; here it is {} (tokens.issuer)", config.issuer),
        Rejected::Audience => format!("; here it is {} (tokens.audience)", config.audience),
        _ => String::new(),
    };
    Failure::failed(format_args!("refused: {why}{expected}"))
}

/// The token on standard input.
fn token(given: &Given) -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() {
        if !given.may_ask {
            return Err(Failure::usage("pipe the token in on standard input"));
        }
        talk("Paste the token, press Enter and then Ctrl-D:");
    }
    let text = input::piped()?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}
