//! `doorward user`: accounts, made, shown and changed by whoever runs the service.

mod create;
mod show;

use clap::{Args, Subcommand};
use db::Db;

use super::output::{self, plain, talk};
use super::{Failure, Given, input, opening};
use crate::app;
use crate::attempts;
use crate::audit::By;
use crate::clock::Clock;
use crate::config::Config;
use crate::ids::UserId;
use crate::password::{self, Passwords};
use crate::revocations::Revocations;
use crate::second_factors;
use crate::sign_in;
use crate::users::{self, Email, User as Account};

/// Makes, shows and changes accounts
#[derive(Subcommand)]
#[command(after_help = "Examples:
  doorward user create ada@example.com --role admin
  doorward user list
  doorward user disable ada@example.com")]
pub(super) enum User {
    Create(create::Create),
    List(show::List),
    /// Shows an account
    #[command(after_help = "Examples:
  doorward user get ada@example.com
  doorward user get ada@example.com --json | jq -r .id")]
    Get(Whom),
    SetPassword(SetPassword),
    /// Shuts an account: nobody signs in to it, and whoever is signed in is out at once
    #[command(after_help = "Examples:
  doorward user disable ada@example.com

A back end that verifies tokens without asking Doorward takes one that it is shown until it expires (tokens.lifetime).")]
    Disable(Whom),
    /// Opens an account again that was shut; its old sessions stay ended
    #[command(after_help = "Examples:
  doorward user enable ada@example.com")]
    Enable(Whom),
    /// Lets strangers try an account's password again at once, after too many of them have failed
    #[command(after_help = "Examples:
  doorward user unlock ada@example.com

For an owner who has to wait because others guess, on a device that the account was never signed in with. On the others
they sign in all the while. Setting a new password does the same.")]
    Unlock(Whom),
    /// Takes the second factor from an account, and signs the person out everywhere
    #[command(after_help = "Examples:
  doorward user remove-second-factor ada@example.com

For somebody who has lost their authenticator app and their recovery codes: their password alone lets them in until they
set up another. Where one is required (second_factor.required), the next sign-in has them do so.

Make sure who asks you for it.")]
    RemoveSecondFactor(Whom),
    /// Breaks the glass: prints a token of an account without its password or second factor
    #[command(after_help = "Examples:
  doorward user let-in admin@example.com
  curl -H \"Authorization: Bearer $(doorward user let-in admin@example.com)\" https://auth.example.com/auth/me

For when somebody gets in no other way: it needs the database and the secret key, and nothing else. The token counts for
tokens.lifetime, is fresh enough to set up a second factor, and has an empty amr. The audit trail tells of it, and the
account's list of sessions, too.")]
    LetIn(Whom),
    Delete(Delete),
}

/// Sets a new password and signs the person out everywhere
#[derive(Args)]
#[command(after_help = "Examples:
  doorward user set-password ada@example.com
  pass show ada | doorward user set-password ada@example.com --password-stdin

The password is asked for twice on the terminal.")]
pub(super) struct SetPassword {
    #[command(flatten)]
    whom: Whom,
    /// Reads the password from standard input, less one newline at its end
    #[arg(long)]
    password_stdin: bool,
}

/// Removes an account for good, with its password and its sessions
#[derive(Args)]
#[command(after_help = "Examples:
  doorward user delete ada@example.com
  doorward user delete ada@example.com --yes     in a script

The audit trail of the account stays.")]
pub(super) struct Delete {
    #[command(flatten)]
    whom: Whom,
    /// Does not ask
    #[arg(long)]
    yes: bool,
}

/// Whose account.
#[derive(Args)]
pub(super) struct Whom {
    /// The address of the account, or its id
    #[arg(value_name = "EMAIL|ID", value_parser = who)]
    who: Who,
    /// Prints the account as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone)]
enum Who {
    Email(Email),
    Id(UserId),
}

impl User {
    pub(super) fn run(self, given: &Given) -> Result<(), Failure> {
        let config = opening::configuration(&given.inputs)?.config;
        match self {
            Self::Create(create) => create.run(config, given),
            Self::List(list) => opening::with_database(&config, async |db| list.run(db).await),
            Self::Get(whom) => opening::with_database(&config, async |db| {
                show::account(&whom.find(db).await?, whom.json)
            }),
            Self::SetPassword(set) => set.run(&config, given),
            Self::Disable(whom) => opening::with_revocations(&config, async |db, revocations| {
                let account = whom.find(db).await?;
                let is_done = users::disable(db, revocations, &account.id, operator()).await?;
                let words = ["is shut, and signed out everywhere", "was shut already"];
                whom.report(db, &account.id, words, is_done).await
            }),
            Self::Enable(whom) => opening::with_database(&config, async |db| {
                let account = whom.find(db).await?;
                let is_done = users::enable(db, &account.id, operator()).await?;
                let words = ["is open again", "was open already"];
                whom.report(db, &account.id, words, is_done).await
            }),
            Self::Unlock(whom) => opening::with_database(&config, async |db| {
                let account = whom.find(db).await?;
                let stamp = opening::stamp(&config, db).await?;
                attempts::forget(db, &stamp, &account, operator()).await?;
                let words = ["may be signed in to from any device at once", ""];
                whom.report(db, &account.id, words, true).await
            }),
            Self::LetIn(whom) => opening::with_app(config, async |app| {
                let account = whom.find(&app.db).await?;
                let token = sign_in::let_in(app, &account, Clock::system().now()).await?;
                let token = token.ok_or_else(|| {
                    Failure::failed(format_args!(
                        "{} is shut: `doorward user enable` opens it",
                        account.email
                    ))
                })?;
                output::data(token.expose())
            }),
            Self::RemoveSecondFactor(whom) => {
                opening::with_revocations(&config, async |db, revocations| {
                    let account = whom.find(db).await?;
                    let is_done =
                        second_factors::remove(db, revocations, &account.id, operator()).await?;
                    let words = [
                        "has no second factor any more, and is signed out everywhere",
                        "had no second factor",
                    ];
                    whom.report(db, &account.id, words, is_done).await
                })
            }
            Self::Delete(delete) => opening::with_revocations(&config, async |db, revocations| {
                delete.run(db, revocations, given).await
            }),
        }
    }
}

impl SetPassword {
    fn run(self, config: &Config, given: &Given) -> Result<(), Failure> {
        let passwords = Passwords::start(
            &config.password,
            config.public_url.origin().host(),
            app::breached(&config.password)?,
            |_, _| (),
        )?;
        opening::with_revocations(config, async |db, revocations| {
            let account = self.whom.find(db).await?;
            let password = input::new_password(self.password_stdin, given.may_ask)?;
            let stamp = opening::stamp(config, db).await?;
            let set = password::set(
                db,
                revocations,
                &passwords,
                &stamp,
                &account,
                &password,
                operator(),
            );
            if !set.await? {
                return Err(self.whom.nobody());
            }
            let words = ["has a new password, and is signed out everywhere", ""];
            self.whom.report(db, &account.id, words, true).await
        })
    }
}

impl Delete {
    async fn run(self, db: &Db, revocations: &Revocations, given: &Given) -> Result<(), Failure> {
        let account = self.whom.find(db).await?;
        if !self.yes {
            let question = format!("Delete {} and all that belongs to it?", account.email);
            input::consent(&question, "--yes", given.may_ask)?;
        }
        if !users::delete(db, revocations, &account.id, operator()).await? {
            return Err(self.whom.nobody());
        }
        talk(format_args!("{} is deleted.", account.email));
        if self.whom.json {
            show::account(&account, true)?;
        }
        Ok(())
    }
}

impl Whom {
    async fn find(&self, db: &Db) -> Result<Account, Failure> {
        let found = match &self.who {
            Who::Email(email) => users::store::by_email(db, email.key()).await?,
            Who::Id(id) => users::store::by_id(db, id).await?,
        };
        found.ok_or_else(|| self.nobody())
    }

    fn nobody(&self) -> Failure {
        let who = match &self.who {
            Who::Email(email) => email.as_str(),
            Who::Id(id) => id.as_str(),
        };
        Failure::not_found(format_args!(
            "{} has no account here: `doorward user list` shows who has",
            plain(who)
        ))
    }

    /// Says what became of the account: what was done, or why there was nothing to do, if it is still there.
    async fn report(
        &self,
        db: &Db,
        id: &UserId,
        [done, already]: [&str; 2],
        is_done: bool,
    ) -> Result<(), Failure> {
        let account = users::store::by_id(db, id).await?;
        let account = account.ok_or_else(|| self.nobody())?;
        let words = if is_done { done } else { already };
        talk(format_args!("{} {words}.", account.email));
        if self.json {
            show::account(&account, true)?;
        }
        Ok(())
    }
}

fn operator() -> By<'static> {
    By::Operator(Clock::system().now())
}

fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|_| "it is not an e-mail address".to_owned())
}

fn who(text: &str) -> Result<Who, String> {
    if text.contains('@') {
        email(text).map(Who::Email)
    } else {
        Ok(Who::Id(UserId::from_stored(text.to_owned())))
    }
}
