//! How many guesses at one password are looked at, of those that ten thousand addresses make within a week, and whether its
//! owner can sign in meanwhile. The week is simulated; the service is not.

mod week;

use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::say;
use week::{Attack, Owner, Week};

/// `guess DATABASE FOLDER OWNER ATTACK...`: the figures of a week, for `record`. The owner signs in from a `device` that is known or as a
/// `stranger`; the attack is by a `crowd`, or `patient` with the longest wait that it bears and the rest that it then takes,
/// in seconds.
///
/// # Errors
/// When the service did not start or answered what nobody expects; never for what the figures are.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let arguments: Vec<String> = arguments.collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [database, folder, owner, attack @ ..] = words.as_slice() else {
        bail!("call it by dev/bench");
    };
    let owner = match *owner {
        "device" => Owner::OnKnownDevice,
        "stranger" => Owner::Stranger,
        other => bail!("{other} is no owner"),
    };
    let attack = match attack {
        ["crowd"] => Attack::Crowd,
        ["patient", bears, rests] => Attack::Patient {
            bears: seconds(bears)?,
            rests: seconds(rests)?,
        },
        other => bail!("{other:?} is no attack"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let week = runtime.block_on(week::simulate(database, folder.into(), owner, attack))?;
    row(owner, attack, &week);
    Ok(())
}

fn seconds(text: &str) -> anyhow::Result<Duration> {
    let seconds = text
        .parse()
        .with_context(|| format!("{text} is no number of seconds"))?;
    Ok(Duration::from_secs(seconds))
}

fn row(owner: Owner, attack: Attack, week: &Week) {
    let attack = match attack {
        Attack::Crowd => "a thousand at once, each time the lane opens and each hour".to_owned(),
        Attack::Patient { bears, rests } => format!(
            "one at a time, until the wait is over {} s; then a rest of {} s",
            bears.as_secs(),
            rests.as_secs()
        ),
    };
    let owner = match owner {
        Owner::OnKnownDevice => "is on a known device",
        Owner::Stranger => "is a stranger",
    };
    let Week {
        offered,
        evaluated,
        tried,
        succeeded,
    } = week;
    let columns = [
        ("guesses offered", offered),
        ("guesses evaluated", evaluated),
        ("sign-ins tried by the owner", tried),
        ("of them granted", succeeded),
    ];
    for (column, count) in columns {
        say(format_args!(
            "10,000 addresses attack\t{attack}; the owner {owner}\t{column}\t\t{count}"
        ));
    }
}
