//! What is counted: some work, done so many times, with the start of what it needs before it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use argon2id::{Hasher, Input, Params};

use crate::say;
use crate::service::{Attempt, Service};

const EMAIL: &str = "person@example.com";
const PASSWORD: &str = "a long walk by the sea";

/// `work WHAT TIMES FOLDER`: does it. For what asks a database it prints how many statements each time took.
///
/// # Errors
/// When a request was not answered as it should be.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let arguments: Vec<String> = arguments.collect();
    let [what, times, folder] = arguments.as_slice() else {
        bail!("call it by dev/bench");
    };
    let (times, folder) = (times.parse()?, Path::new(folder));
    // One thread but for those of hashes and of the database: what is counted is to be the same each time.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match what.as_str() {
        "hash" => hash(times),
        "me" => runtime.block_on(me(times, folder)),
        "signin" => runtime.block_on(sign_in(times, folder)),
        other => bail!("{other} is no work"),
    }
}

/// At the cost that people have who choose none.
fn hash(times: u32) -> anyhow::Result<()> {
    let params = Params::new(19_456, 2, 1)?;
    let mut hasher = Hasher::new();
    for number in 0..times {
        let input = Input {
            password: PASSWORD.as_bytes(),
            salt: b"somesalt for all",
            ..Input::default()
        };
        let mut tag = [0; 32];
        hasher.hash(&params, &input, &mut tag)?;
        ensure!(tag != [0; 32], "hash {number} is nothing");
    }
    Ok(())
}

async fn me(times: u32, folder: &Path) -> anyhow::Result<()> {
    let service = opened(folder).await?;
    let token = signed_in(&service, 0).await?;
    let before = service.counts();
    for number in 0..times {
        let answer = service.me(from(number), &token).await?;
        ensure!(answer.status == 200, "answered {}", answer.status);
    }
    told(&service, before, times);
    service.close().await;
    Ok(())
}

async fn sign_in(times: u32, folder: &Path) -> anyhow::Result<()> {
    let service = opened(folder).await?;
    signed_in(&service, 0).await?;
    let before = service.counts();
    for number in 1..=times {
        signed_in(&service, number).await?;
    }
    told(&service, before, times);
    service.close().await;
    Ok(())
}

/// With one account.
async fn opened(folder: &Path) -> anyhow::Result<Service> {
    let database = folder.join("work.db");
    let service = Service::open(&format!("sqlite:{}", database.display()), folder).await?;
    service.sign_up(from(0), EMAIL, PASSWORD).await?;
    Ok(service)
}

async fn signed_in(service: &Service, number: u32) -> anyhow::Result<String> {
    let attempt = Attempt {
        email: EMAIL,
        password: PASSWORD,
        device: None,
    };
    let answer = service.sign_in(from(number), attempt).await?;
    ensure!(answer.status == 200, "answered {}", answer.status);
    answer.token.context("a token")
}

/// Each from a network of its own, so that nobody's share of sign-ins is used up.
fn from(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0001 + (number << 8)).into()
}

fn told(service: &Service, before: db::Counts, times: u32) {
    let after = service.counts();
    let each = |after: u64, before: u64| (after - before) / u64::from(times);
    let questions = each(after.questions, before.questions);
    let units = each(after.units, before.units);
    let changes = each(after.changes, before.changes);
    say(format_args!("{questions} {units} {changes}"));
}
