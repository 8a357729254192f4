//! Proofs of work: what answers a challenge of ours in time is taken, once, and nothing else is.
#![expect(non_snake_case, reason = "the catalogue names its cases in capitals")]

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use db::sql;
use doorward::app::App;
use doorward::error::{Broken, Error};
use doorward::proofs::{self, LIFETIME, MAX_LENGTH};
use proptest::prelude::{Strategy as _, any, prop};
use proptest::strategy::ValueTree as _;
use serde_json::{Value, json};

use crate::harness::{Server, server_with, together};

/// Quick to solve.
const LIGHT: &[(&str, &str)] = &[("limits.proof_work", "1000")];
const SECOND: Duration = Duration::from_secs(1);

pub async fn asks(server: &Server) -> Value {
    let answer = server.post("/auth/challenge", &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json().clone()
}

fn sha256(text: &str) -> String {
    let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    sum.as_ref().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// What a client sends for a challenge.
pub fn solved(challenge: &Value) -> Value {
    let salt = challenge["salt"].as_str().unwrap();
    let most = challenge["maxnumber"].as_u64().unwrap();
    let number =
        (0..=most).find(|number| sha256(&format!("{salt}{number}")) == challenge["challenge"]);
    let mut proof = challenge.clone();
    let members = proof.as_object_mut().unwrap();
    members.remove("maxnumber");
    members.insert("number".to_owned(), json!(number.unwrap()));
    proof
}

pub fn written(proof: &Value) -> String {
    STANDARD.encode(proof.to_string())
}

async fn is_taken_by(app: &App, text: &str) -> bool {
    loop {
        match proofs::take(&app.db, &app.stamp, text, app.clock.now()).await {
            // A crowd at one row on a slow machine may be told so.
            Err(Error::Broken(Broken::Unavailable(_))) => {}
            taken => return taken.unwrap(),
        }
    }
}

async fn is_taken(server: &Server, text: &str) -> bool {
    is_taken_by(&server.app, text).await
}

async fn spent(server: &Server) -> i64 {
    let count = sql("SELECT CAST(count(*) AS BIGINT) AS n FROM spent_proofs");
    server
        .app
        .db
        .one(count, |row| row.int("n"))
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_challenge_has_the_published_form_and_no_two_are_alike() {
    server_with(LIGHT, async |server| {
        let (one, other) = (asks(server).await, asks(server).await);
        assert_ne!(one["salt"], other["salt"]);
        assert_eq!(
            (&one["algorithm"], &one["maxnumber"]),
            (&json!("SHA-256"), &json!(1000))
        );
        let expires = server.clock.now().plus(LIFETIME).seconds();
        let salt = one["salt"].as_str().unwrap();
        assert_eq!(&salt[24..], format!("?expires={expires}&"));
        // Whoever has nothing to say need not say it in JSON.
        let request = Request::post("/auth/challenge")
            .body(Body::empty())
            .unwrap();
        assert_eq!(server.send(request).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn the_answer_is_taken_once_with_whatever_a_client_adds_to_it() {
    server_with(LIGHT, async |server| {
        let mut proof = solved(&asks(server).await);
        proof["took"] = json!(1234.5);
        proof["workers"] = json!([{"number": 1}]);
        assert!(is_taken(server, &written(&proof)).await);
        assert!(!is_taken(server, &written(&proof)).await);
        proof.as_object_mut().unwrap().remove("took");
        assert!(
            !is_taken(server, &written(&proof)).await,
            "it is no other proof"
        );
        assert_eq!(spent(server).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_answer_is_not_taken_and_leaves_the_challenge_open() {
    server_with(LIGHT, async |server| {
        let proof = solved(&asks(server).await);
        let other = solved(&asks(server).await);
        let number = proof["number"].as_u64().unwrap();
        let text = |name: &str| proof[name].as_str().unwrap().to_owned();
        let changes = [
            ("number", json!(number + 1)),
            ("number", json!(number.to_string())),
            ("number", json!(-1)),
            ("number", json!(0.5)),
            ("number", json!(1e300)),
            ("number", json!(u64::MAX)),
            ("number", Value::Null),
            ("salt", other["salt"].clone()),
            (
                "salt",
                json!(text("salt").replace("expires=1", "expires=2")),
            ),
            ("salt", json!("")),
            ("salt", json!(["x"])),
            ("challenge", other["challenge"].clone()),
            ("challenge", json!(text("challenge").to_uppercase())),
            ("signature", other["signature"].clone()),
            ("signature", json!(text("signature").to_uppercase())),
            ("signature", json!(&text("signature")[..32])),
            ("signature", json!(text("signature") + "00")),
            ("signature", json!(format!("+{}", &text("signature")[1..]))),
            ("signature", json!("é".repeat(32))),
            ("signature", json!("")),
            ("algorithm", json!("SHA-1")),
            ("algorithm", json!("SHA-512")),
            ("algorithm", json!("sha-256")),
            ("algorithm", json!({})),
        ];
        for (name, value) in changes {
            let mut changed = proof.clone();
            changed[name] = value;
            assert!(!is_taken(server, &written(&changed)).await, "{changed}");
            changed.as_object_mut().unwrap().remove(name);
            assert!(!is_taken(server, &written(&changed)).await, "{changed}");
        }
        assert_eq!(spent(server).await, 0);
        assert!(is_taken(server, &written(&proof)).await);
    })
    .await;
}

/// The sum is over salt and number written one behind the other: a digit that wandered would leave it as it is, and make
/// of one proof another, with a later end.
#[tokio::test]
async fn no_digit_wanders_between_the_number_and_the_salt() {
    server_with(LIGHT, async |server| {
        let proof = solved(&asks(server).await);
        let salt = proof["salt"].as_str().unwrap();
        let digits = proof["number"].to_string();
        for at in 1..digits.len() {
            let (left, right) = digits.split_at(at);
            let mut wandered = proof.clone();
            wandered["salt"] = json!(format!("{salt}{left}"));
            wandered["number"] = json!(right.parse::<u64>().unwrap());
            assert!(!is_taken(server, &written(&wandered)).await, "{wandered}");
        }
        assert_eq!(spent(server).await, 0);
        assert!(is_taken(server, &written(&proof)).await);
    })
    .await;
}

#[tokio::test]
async fn an_answer_counts_until_its_challenge_is_over() {
    server_with(LIGHT, async |server| {
        let [in_time, late] = [asks(server).await, asks(server).await];
        server.wait(LIFETIME.saturating_sub(SECOND));
        assert!(is_taken(server, &written(&solved(&in_time))).await);
        server.wait(SECOND);
        assert!(!is_taken(server, &written(&solved(&late))).await);
        assert_eq!(spent(server).await, 1);
    })
    .await;
}

/// Nothing but the secret key makes a challenge ours.
#[tokio::test]
async fn a_challenge_of_somebody_elses_making_is_none() {
    server_with(LIGHT, async |server| {
        let stamp = doorward::secret::Stamp::new(&doorward::secret::token());
        let challenge = proofs::Challenge::new(&stamp, 1_000, server.clock.now());
        let proof = solved(&serde_json::to_value(challenge).unwrap());
        assert!(!is_taken(server, &written(&proof)).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn B7_of_64_that_bring_one_proof_to_two_nodes_at_once_one_is_served() {
    server_with(LIGHT, async |server| {
        let another = server.another_node().await;
        for _ in 0..5 {
            let text = written(&solved(&asks(server).await));
            let nodes = [&server.app, &another];
            let taken = together((0..64).map(|n| is_taken_by(nodes[n % 2], &text))).await;
            assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
        }
        another.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn no_part_of_a_proof_is_one_and_nothing_huge_is_read() {
    server_with(LIGHT, async |server| {
        let text = written(&solved(&asks(server).await));
        for end in 0..text.len() {
            assert!(!is_taken(server, &text[..end]).await, "{end}");
        }
        let proof = STANDARD.decode(&text).unwrap();
        let digits = "9".repeat(MAX_LENGTH);
        let nested = "[".repeat(MAX_LENGTH / 2);
        for other in [
            STANDARD_NO_PAD.encode(&proof),
            URL_SAFE.encode([&proof[..], &[0xff, 0xfe]].concat()),
            STANDARD.encode(&proof[..proof.len() - 1]),
            STANDARD.encode([b"[", &proof[..], b"]"].concat()),
            STANDARD.encode([&proof[..], &proof[..]].concat()),
            STANDARD.encode([&proof[..proof.len() - 1], b",\"number\":1}"].concat()),
            STANDARD.encode(format!("{{\"number\":{digits}}}")),
            STANDARD.encode(nested),
            STANDARD.encode([0xff; 90]),
            format!("{text}{}", " ".repeat(MAX_LENGTH)),
            format!(" {text}"),
            "A".repeat(MAX_LENGTH),
            "A".repeat(16 * 1024 * 1024),
            "é".repeat(MAX_LENGTH),
            String::new(),
        ] {
            if other != text {
                let shown: String = other.chars().take(200).collect();
                assert!(!is_taken(server, &other).await, "{shown}");
            }
        }
        assert_eq!(spent(server).await, 0);
        assert!(is_taken(server, &text).await);
    })
    .await;
}

#[tokio::test]
async fn what_a_client_makes_up_is_a_no_and_never_a_failure() {
    server_with(LIGHT, async |server| {
        let proof = solved(&asks(server).await);
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let strategy = (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            ".{0,40}",
            any::<bool>(),
        );
        for _ in 0..500 {
            let (at, end, put, is_encoded) = strategy.new_tree(&mut runner).unwrap().current();
            let whole: Vec<char> = if is_encoded {
                proof.to_string()
            } else {
                written(&proof)
            }
            .chars()
            .collect();
            let (at, end) = (at.index(whole.len()), end.index(whole.len()));
            let changed: String = whole[..at]
                .iter()
                .copied()
                .chain(put.chars())
                .chain(whole[end..].iter().copied())
                .collect();
            let text = if is_encoded {
                STANDARD.encode(&changed)
            } else {
                changed.clone()
            };
            let is_same = STANDARD.decode(&text).is_ok_and(|json| {
                serde_json::from_slice::<Value>(&json).is_ok_and(|json| json == proof)
            });
            assert!(is_same || !is_taken(server, &text).await, "{changed}");
        }
        assert_eq!(spent(server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_store_that_fails_is_a_failure_and_no_answer() {
    server_with(LIGHT, async |server| {
        let text = written(&solved(&asks(server).await));
        let another = server.another_node().await;
        another.db.close().await;
        let taken = proofs::take(&another.db, &another.stamp, &text, another.clock.now()).await;
        assert!(matches!(taken, Err(Error::Broken(_))), "{taken:?}");
        assert!(is_taken(server, &text).await, "it was not spent by that");
    })
    .await;
}

#[tokio::test]
async fn the_script_may_be_kept_and_is_read_by_the_pages_that_may_call() {
    let settings = [
        ("cors.origins", "https://app.example.com"),
        ("cors.allow_localhost", "false"),
    ];
    server_with(&settings, async |server| {
        for (origin, allowed) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://evil.example", ""),
        ] {
            let request = Request::get("/auth/proof.js")
                .header(header::ORIGIN, origin)
                .body(Body::empty())
                .unwrap();
            let answer = server.send(request).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("access-control-allow-origin"), allowed);
            assert_eq!(
                answer.header("content-type"),
                "text/javascript; charset=utf-8"
            );
            assert_eq!(answer.header("cache-control"), "public, max-age=3600");
            assert_eq!(answer.header("vary"), "origin");
            assert!(
                answer.body.len() < 4_096 && answer.body.contains("export async function proof(")
            );
        }
    })
    .await;
}
