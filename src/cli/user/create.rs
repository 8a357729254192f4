//! `doorward user create`: an account with a password, made as a sign-up would make it.

use clap::Args;

use super::{email, operator, show};
use crate::app::App;
use crate::audit::Event;
use crate::cli::output::{self, talk};
use crate::cli::{Failure, Given, input, opening};
use crate::config::Config;
use crate::error::{Error, Refusal};
use crate::http::body::{Field, Kind};
use crate::secret::Secret;
use crate::sign_up;
use crate::users::{self, Email, MAX_NAME, NewUser};

/// Makes an account with a password
#[derive(Args)]
#[command(after_help = "Examples:
  doorward user create ada@example.com
  doorward user create ada@example.com --name 'Ada Lovelace' --role admin --role editor
  pass show ada | doorward user create ada@example.com --password-stdin --json

The password is asked for twice on the terminal. The new account's id is printed. Works before the first
`doorward serve` too.")]
pub(in crate::cli) struct Create {
    /// The address that mail goes to
    #[arg(value_name = "EMAIL", value_parser = email)]
    email: Email,
    /// What they want to be called
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// A role that the application knows; it is told in every token. May be given more than once
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Reads the password from standard input, less one newline at its end
    #[arg(long)]
    password_stdin: bool,
    /// Prints the account as JSON
    #[arg(long)]
    json: bool,
}

impl Create {
    pub(super) fn run(self, config: Config, given: &Given) -> Result<(), Failure> {
        users::check_roles(&self.roles)?;
        let password = input::new_password(self.password_stdin, given.may_ask)?;
        opening::with_app(config, async |app| self.make(app, &password).await)
    }

    async fn make(self, app: &App, password: &Secret<String>) -> Result<(), Failure> {
        let new = NewUser {
            email: self.email,
            name: self.name,
            locale: None,
            metadata: None,
            roles: self.roles,
        };
        let address = new.email.as_str().to_owned();
        let made = sign_up::create(app, new, password, operator(), Event::UserCreated).await;
        let id = made.map_err(|error| match error {
            Error::Refused(Refusal::EmailTaken) => Failure::failed(format_args!(
                "{address} has an account already: `doorward user get {address}` shows it"
            )),
            error => error.into(),
        })?;
        talk(format_args!("Made an account for {address}."));
        match users::store::by_id(&app.db, &id).await? {
            Some(account) if self.json => show::account(&account, true),
            _ => output::data(&format!("{id}\n")),
        }
    }
}

fn name(text: &str) -> Result<String, String> {
    let field = Field::optional("it", Kind::Text { max: MAX_NAME }, "");
    match field.accept(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(refusal) => Err(Failure::from(refusal).words),
    }
}
