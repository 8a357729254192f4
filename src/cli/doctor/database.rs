//! The database: whether it answers, whether its keys open, and what its rows tell of the clock and of the keys' age.

use std::time::Duration;

use db::Db;

use super::Finding;
use crate::app;
use crate::audit;
use crate::cli::{Failure, opening};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::error::Error;
use crate::revocations::{CannotTell, Standing, standing};
use crate::secret::Sealer;
use crate::tokens::listing::{self, State};

/// When this program was made, more or less. A clock before that is wrong: 2026-11-01T00:00:00Z.
const MADE: Timestamp = Timestamp::from_micros(1_793_491_200_000_000);
/// How far clocks may differ without harm.
const SKEW: Duration = Duration::from_mins(1);
/// A key that signs for longer than this has had many chances to be seen.
const OLD: Duration = Duration::from_hours(365 * 24);

/// What the database lets be looked at; what depends on a check that failed is left out.
pub(super) async fn examine(config: &Config, now: Timestamp) -> Vec<Finding> {
    const CHECK: &str = "database";
    if let Some(file) = opening::database_file(config).filter(|file| !file.exists()) {
        let found = format!(
            "{} is not there yet; the first start makes it",
            file.display()
        );
        return vec![Finding::ok(CHECK, found), clock(now, None)];
    }
    let db = match opening::beside(config).await {
        Ok(db) => db,
        Err(failure) => {
            let fix = "see that it runs, and that database_url is right";
            return vec![Finding::fail(CHECK, failure.words, fix), clock(now, None)];
        }
    };
    let kind = match db.kind() {
        db::Engine::Sqlite => "SQLite",
        db::Engine::Postgres => "PostgreSQL",
    };
    let mut findings = vec![Finding::ok(
        CHECK,
        format!("{kind} answers, and its schema is current"),
    )];
    match audit::newest(&db).await {
        Ok(newest) => findings.push(clock(now, newest)),
        Err(error) => findings.push(unreadable("clock", error)),
    }
    findings.push(revocations(standing(&db, &config.data_dir).await));
    findings.extend(keys(config, &db, now).await);
    db.close().await;
    findings
}

/// Whether the database still has all that ended sessions.
fn revocations(standing: Result<Standing, CannotTell>) -> Finding {
    const CHECK: &str = "revocations";
    match standing {
        Ok(Standing::Whole { writes }) => Finding::ok(
            CHECK,
            format!(
                "all are there: {writes} writes ended sessions, as many as were acknowledged or more"
            ),
        ),
        Ok(Standing::Unmarked) => Finding::ok(
            CHECK,
            "revocations.mark is not there yet; the first start makes it",
        ),
        Ok(Standing::Another) => Finding::ok(
            CHECK,
            "revocations.mark is of another database; the next start makes it anew",
        ),
        Ok(Standing::Forgotten(found)) => Finding::fail(
            CHECK,
            format!("{found}. Sessions that were ended may be open in it"),
            "doorward serve: it ends all sessions before it serves",
        ),
        Err(CannotTell::Mark(error)) => {
            let fix = "see that the data folder can be read, and look at its disk";
            Finding::fail(CHECK, error.to_string(), fix)
        }
        Err(error) => unreadable(CHECK, error.into()),
    }
}

async fn keys(config: &Config, db: &Db, now: Timestamp) -> Vec<Finding> {
    const SEAL: &str = "sealed keys";
    let sealer = match opening::secret_key(config, db).await {
        Ok((secret_key, _)) => Sealer::new(&secret_key),
        Err(failure) => {
            return vec![Finding::fail(
                SEAL,
                failure.words,
                "put the secret key back",
            )];
        }
    };
    if let Err(error) = app::prove_sealer(db, &sealer).await {
        let fix = "set DOORWARD_SECRET_KEY to the key that the database was first started with";
        return vec![Finding::fail(SEAL, error.to_string(), fix)];
    }
    let opened = Finding::ok(SEAL, "the secret key opens them");
    let age = match listing::all(db, &sealer, &config.tokens, now).await {
        Ok(keys) => {
            let signing = keys.iter().find(|key| key.state == State::Signing);
            signing_key(config, signing.map(|key| key.signs_from), now)
        }
        Err(error) => unreadable("signing key", error),
    };
    vec![opened, age]
}

/// How old the key is that signs since `since`.
fn signing_key(config: &Config, since: Option<Timestamp>, now: Timestamp) -> Finding {
    const CHECK: &str = "signing key";
    let algorithm = config.tokens.algorithm;
    match since {
        _ if config.tokens.hs256_secret.is_some() => Finding::ok(
            CHECK,
            "tokens.hs256_secret signs, and its age is not known here",
        ),
        None => Finding::ok(
            CHECK,
            format!("{algorithm} has none yet; the next start makes it"),
        ),
        Some(since) if since < now.minus(OLD) => Finding::warn(
            CHECK,
            format!("that of {algorithm} signs since {since}, which is more than a year"),
            "doorward key rotate",
        ),
        Some(since) => Finding::ok(CHECK, format!("that of {algorithm} signs since {since}")),
    }
}

/// Whether the clock tells a time that can be: `newest` is when the newest row of the audit trail was written.
fn clock(now: Timestamp, newest: Option<Timestamp>) -> Finding {
    const CHECK: &str = "clock";
    const FIX: &str = "set the clock by NTP (timedatectl set-ntp true): tokens begin and end by it";
    if now < MADE {
        let found = format!("it says {now}, which is before this program was made");
        return Finding::fail(CHECK, found, FIX);
    }
    match newest {
        Some(newest) if now.plus(SKEW) < newest => Finding::fail(
            CHECK,
            format!("it says {now}, and the audit trail was written to at {newest}"),
            FIX,
        ),
        _ => Finding::ok(CHECK, format!("it says {now}")),
    }
}

fn unreadable(check: &'static str, error: Error) -> Finding {
    let fix = "see what the log of the database says";
    Finding::fail(check, Failure::from(error).words, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Status;
    use crate::revocations::Forgotten;

    #[test]
    fn a_clock_that_is_behind_what_was_written_is_wrong_and_one_minute_is_nothing() {
        for (now, newest, status) in [
            (MADE, None, Status::Ok),
            (MADE.minus(SKEW), None, Status::Fail),
            (MADE, Some(MADE.plus(SKEW)), Status::Ok),
            (MADE, Some(MADE.plus(2 * SKEW)), Status::Fail),
            (MADE.plus(OLD), Some(MADE), Status::Ok),
        ] {
            assert_eq!(clock(now, newest).status, status, "{now} {newest:?}");
        }
    }

    #[test]
    fn a_database_that_has_forgotten_revocations_fails_and_a_new_one_does_not() {
        let forgotten = Forgotten::Behind {
            writes: 1,
            acknowledged: 2,
        };
        for (standing, status, words) in [
            (
                Standing::Whole { writes: 3 },
                Status::Ok,
                "3 writes ended sessions",
            ),
            (Standing::Unmarked, Status::Ok, "the first start makes it"),
            (
                Standing::Another,
                Status::Ok,
                "the next start makes it anew",
            ),
            (
                Standing::Forgotten(forgotten),
                Status::Fail,
                "has counted 1 writes",
            ),
        ] {
            let finding = revocations(Ok(standing));
            assert_eq!(finding.status, status, "{finding:?}");
            assert!(finding.found.contains(words), "{finding:?}");
        }
    }

    #[test]
    fn a_key_is_old_after_a_year() {
        let config = Config::for_tests();
        let status = |since| signing_key(&config, since, MADE).status;
        assert_eq!(status(None), Status::Ok);
        assert_eq!(status(Some(MADE.minus(OLD))), Status::Ok);
        assert_eq!(status(Some(MADE.minus(OLD + SKEW))), Status::Warn);
    }
}
