//! How accounts are shown: to people as lines and a table, to programs as the JSON of `/auth/me` and what the operator
//! alone sees.

use std::fmt;
use std::str::FromStr;

use clap::Args;
use db::Db;
use serde::Serialize;

use crate::cli::Failure;
use crate::cli::output::{self, plain, talk};
use crate::clock::Timestamp;
use crate::users::{self, User as Account};

/// Lists accounts, the oldest first
#[derive(Args)]
#[command(after_help = "Examples:
  doorward user list --limit 20
  doorward user list --json | jq -r '.data[].email'")]
pub(in crate::cli) struct List {
    /// How many, up to 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Goes on where another page ended, at its nextCursor
    #[arg(long)]
    cursor: Option<Cursor>,
    /// Prints JSON: data and nextCursor
    #[arg(long)]
    json: bool,
}

/// Behind which account a page begins: when that was made, and its id, which may be gone by now.
#[derive(Clone)]
struct Cursor(Timestamp, String);

impl Cursor {
    fn behind(account: &Account) -> Self {
        Self(account.created_at, account.id.as_str().to_owned())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.micros(), self.1)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "it is not the nextCursor of a page";
        let (made, id) = text.split_once('.').ok_or(wrong)?;
        let made = made.parse().map_err(|_| wrong)?;
        Ok(Self(Timestamp::from_micros(made), id.to_owned()))
    }
}

/// An account as the operator sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(flatten)]
    account: &'a Account,
    disabled_at: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    data: Vec<Shown<'a>>,
    next_cursor: Option<String>,
}

impl List {
    pub(super) async fn run(&self, db: &Db) -> Result<(), Failure> {
        let after = match &self.cursor {
            Some(Cursor(made, id)) => (*made, id.as_str()),
            None => (Timestamp::from_micros(i64::MIN), ""),
        };
        let mut page = users::store::page(db, after, self.limit + 1).await?;
        let is_more = page.len() > self.limit as usize;
        page.truncate(self.limit as usize);
        let next = page.last().filter(|_| is_more);
        let next = next.map(|last| Cursor::behind(last).to_string());
        if self.json {
            let data = page.iter().map(Shown::of).collect();
            return output::json(&Page {
                data,
                next_cursor: next,
            });
        }
        let heading = ["ID", "EMAIL", "NAME", "ROLES", "STATE", "LAST SIGN-IN"];
        output::table(heading, page.iter().map(row).collect())?;
        if let Some(next) = next {
            let limit = self.limit;
            talk(format_args!(
                "There are more: doorward user list --limit {limit} --cursor {next}"
            ));
        }
        Ok(())
    }
}

impl<'a> Shown<'a> {
    fn of(account: &'a Account) -> Self {
        Self {
            account,
            disabled_at: account.disabled_at,
        }
    }
}

fn row(account: &Account) -> [String; 6] {
    [
        account.id.to_string(),
        account.email.clone(),
        account.name.clone().unwrap_or_default(),
        account.roles.join(","),
        state(account),
        moment(account.last_sign_in_at),
    ]
}

/// Prints an account.
pub(super) fn account(account: &Account, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::json(&Shown::of(account));
    }
    let verified = if account.email_verified { "yes" } else { "no" };
    let lines = [
        ("id", account.id.to_string()),
        ("email", account.email.clone()),
        ("verified", verified.to_owned()),
        ("name", account.name.clone().unwrap_or_default()),
        ("locale", account.locale.clone().unwrap_or_default()),
        ("roles", account.roles.join(",")),
        ("metadata", account.metadata.to_string()),
        ("state", state(account)),
        ("created", account.created_at.to_string()),
        ("updated", account.updated_at.to_string()),
        ("last sign-in", moment(account.last_sign_in_at)),
    ];
    let lines = lines.map(|(name, value)| {
        let line = format!("{name:14}{}", plain(&value));
        line.trim_end().to_owned() + "\n"
    });
    output::data(&lines.concat())
}

fn state(account: &Account) -> String {
    match account.disabled_at {
        Some(since) => format!("shut since {since}"),
        None => "open".to_owned(),
    }
}

fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}
