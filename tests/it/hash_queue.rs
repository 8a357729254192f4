//! The queue before the hash threads: who is turned away, in which words, and who is no longer waited for. Tests are named
//! by their ids in the catalogue of attacks.
#![expect(non_snake_case, reason = "the catalogue names its cases in capitals")]

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::task::Poll;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use serde_json::json;

use crate::harness::{ADA, Answer, PASSWORD, Server, server_with, together};

/// One thread, and a hash that takes it longer than anybody may wait.
const SLOW: &[(&str, &str)] = &[
    ("password.threads", "1"),
    ("password.argon2.memory_kib", "262144"),
    ("password.argon2.iterations", "4"),
];

/// Polls `waiting` until `is_so`, and leaves it there.
async fn until<F: Future>(waiting: &mut std::pin::Pin<&mut F>, is_so: impl Fn() -> bool) {
    poll_fn(|context| {
        assert!(
            waiting.as_mut().poll(context).is_pending(),
            "it came to its end too soon"
        );
        if is_so() {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Somebody at `address` tries.
async fn tries_from(server: &Server, address: impl Into<IpAddr>, email: &str) -> Answer {
    let body = json!({"email": email, "password": "not the password"});
    let request = Request::post("/auth/signin")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    server.send_from(address.into(), request).await
}

/// The headers that do not say when or which.
fn lasting(answer: &Answer) -> HeaderMap {
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    headers.remove("retry-after");
    headers
}

#[tokio::test]
async fn L1_a_full_queue_says_so_in_the_same_words_whether_or_not_there_is_an_account() {
    let settings = [SLOW, &[("password.max_wait", "100ms")]].concat();
    server_with(&settings, async |server| {
        server.signs_up(ADA).await;
        let emails = [ADA, "nobody@example.com"];
        let answers = together((0..16).map(|n| server.signs_in(emails[n % 2], PASSWORD))).await;
        let mut turned_away = [Vec::new(), Vec::new()];
        for (n, answer) in answers.iter().enumerate() {
            match (n % 2, answer.status.as_u16()) {
                (0, 200) | (1, 401) => {}
                (who, 503) => turned_away[who].push(answer),
                _ => panic!("{answer:?}"),
            }
        }
        let [known, unknown] = &turned_away;
        assert!(!known.is_empty() && !unknown.is_empty(), "{answers:?}");
        for answer in known.iter().chain(unknown) {
            assert_eq!(answer.code(), "overloaded");
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
            assert_eq!(answer.body, known[0].body);
            assert_eq!(lasting(answer), lasting(known[0]));
        }
        let refused = server.app.passwords.counts().refused;
        assert_eq!(refused, (known.len() + unknown.len()) as u64);
        // Nobody was turned away for good.
        assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn L5_a_client_that_has_gone_away_is_not_hashed_for() {
    server_with(SLOW, async |server| {
        let passwords = &server.app.passwords;
        let mut first = pin!(server.signs_in(ADA, PASSWORD));
        until(&mut first, || passwords.load().busy == 1).await;
        {
            let mut gone = pin!(server.signs_in(ADA, PASSWORD));
            until(&mut gone, || passwords.load().queued == 1).await;
        }
        assert_eq!(first.await.status, 401);
        let before = passwords.counts();
        assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 401);
        let counts = passwords.counts();
        assert_eq!(
            (counts.abandoned, counts.done - before.done),
            (1, 1),
            "{before:?} {counts:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn L1_who_finds_no_room_is_told_before_the_database_is_asked() {
    let settings = [SLOW, &[("password.max_wait", "100ms")]].concat();
    server_with(&settings, async |server| {
        let passwords = &server.app.passwords;
        let mut first = pin!(server.signs_in(ADA, PASSWORD));
        until(&mut first, || passwords.load().busy == 1).await;
        let signup = json!({"email": ADA, "password": PASSWORD});
        // Whatever waits for the database is not ready when it is first asked.
        let told = poll_fn(|context| {
            let told = [
                pin!(server.signs_in(ADA, PASSWORD)).poll(context),
                pin!(server.post("/auth/signup", &signup)).poll(context),
            ];
            Poll::Ready(told)
        });
        for answer in told.await {
            let Poll::Ready(answer) = answer else {
                panic!("it waited")
            };
            assert_eq!((answer.status.as_u16(), answer.code()), (503, "overloaded"));
        }
        assert_eq!(first.await.status, 401);
    })
    .await;
}

#[tokio::test]
async fn L2_a_flood_from_one_network_leaves_room_for_another() {
    // A quarter of that is for some two of these hashes, by what a pool takes them for that has computed none.
    let settings = [SLOW, &[("password.max_wait", "1500ms")]].concat();
    for (flood, other) in [
        (["192.0.2.1", "192.0.2.99"], "198.51.100.1"),
        (["2001:db8::1", "2001:db8::99:1"], "2001:db8:0:1::1"),
    ] {
        server_with(&settings, async |server| {
            let flood: [IpAddr; 2] = flood.map(|address| address.parse().unwrap());
            let other: IpAddr = other.parse().unwrap();
            let emails = [ADA, "nobody@example.com", "somebody@example.com"];
            let tries = (0..9)
                .map(|n| (flood[n % 2], emails[n % 3]))
                .chain([(other, ADA)]);
            let mut answers =
                together(tries.map(|(from, email)| tries_from(server, from, email))).await;
            assert_eq!(answers.pop().unwrap().status, 401, "the other network");
            let (served, refused): (Vec<_>, Vec<_>) =
                answers.iter().partition(|answer| answer.status == 401);
            assert!(!served.is_empty() && !refused.is_empty(), "{answers:?}");
            for answer in &refused {
                assert_eq!(answer.code(), "overloaded");
                assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
                assert_eq!(answer.body, refused[0].body);
                assert_eq!(lasting(answer), lasting(refused[0]));
            }
            let counts = server.app.passwords.counts();
            assert_eq!(counts.refused_by_share, refused.len() as u64);
            assert_eq!(counts.refused, refused.len() as u64);
        })
        .await;
    }
}

#[tokio::test]
async fn L2_a_known_device_passes_a_flood_from_everywhere() {
    // So many that some are refused on a fast machine, and so cheap that some wait on a slow one.
    let settings = [
        SLOW,
        &[
            ("password.argon2.iterations", "1"),
            ("password.max_wait", "3s"),
        ],
    ];
    server_with(&settings.concat(), async |server| {
        server.signs_up(ADA).await;
        let ada = |device: Option<&str>| json!({"email": ADA, "password": PASSWORD, "deviceToken": device});
        let first = server.post("/auth/signin", &ada(None)).await;
        let device = first.json()["deviceToken"].as_str().unwrap().to_owned();
        server.must_stay_unseen(&device);

        // Each from a network of its own, until there is no room for another.
        let mut flood = pin!(together((0..64_u8).map(|n| tries_from(
            server,
            [10, 0, n, 1],
            "nobody@example.com"
        ))));
        let passwords = &server.app.passwords;
        let before = passwords.counts();
        until(&mut flood, || passwords.counts().refused > before.refused).await;
        let again = ada(Some(&device));
        let mut known = pin!(server.post("/auth/signin", &again));
        until(&mut known, || passwords.load().ahead == 1).await;

        // The flood goes on meanwhile, and she is next.
        let (mut ended, mut served) = (None, 0);
        poll_fn(|context| {
            if let Poll::Ready(answers) = flood.as_mut().poll(context) {
                served = answers.iter().filter(|answer| answer.status == 401).count();
                assert!(ended.is_some(), "the whole flood was served before her");
                return Poll::Ready(());
            }
            if ended.is_none()
                && let Poll::Ready(answer) = known.as_mut().poll(context)
            {
                ended = Some(answer);
            }
            Poll::Pending
        })
        .await;
        assert_eq!(ended.unwrap().status, 200);
        assert!(served > 1, "somebody waited behind her");
        assert_eq!(passwords.counts().refused_by_share, 0);
    })
    .await;
}
