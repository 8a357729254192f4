//! HTTP/2 spoken to make the server work for nothing: what it does of that is bounded by a count, and then the connection
//! ends.

use std::time::Duration;

use doorward::http::server::Limits;
use serde_json::json;

use super::frames::{
    DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, NO_ERROR, PING, PRIORITY, SETTINGS,
    WINDOW_UPDATE, asking, frame, reset, telling,
};
use super::listening::Listening;
use super::streams::{http2, is_answered};
use super::tls::{over_tls, over_tls_within};
use crate::harness::counted::counting;
use crate::harness::{ADA, meanwhile, rows};

/// Streams of a flood.
const MANY: u32 = 20_000;
/// What a flood may make the server begin: some hundreds of requests, however long it goes on.
const BOUND: usize = 400;

/// Sign-ins that fail, as the audit trail has them.
async fn tried(on: &Listening<'_>) -> usize {
    let failed = db::sql("SELECT id FROM audit WHERE event = 'sign_in_failed'");
    let failed = on.server.app.db.all(failed, |row| row.text("id"));
    failed.await.unwrap().len()
}

/// A whole sign-in with a wrong password.
fn sign_in(stream: u32) -> Vec<u8> {
    let body = json!({"email": ADA, "password": "not the password at all"}).to_string();
    let head = frame(HEADERS, END_HEADERS, stream, &telling("/auth/signin"));
    [head, frame(DATA, END_STREAM, stream, body.as_bytes())].concat()
}

/// The numbers of a client's streams.
fn streams(number: u32) -> impl Iterator<Item = u32> {
    (0..number).map(|n| 2 * n + 1)
}

#[tokio::test]
async fn H19_L7_rapid_reset_ends_the_connection() {
    over_tls(async |on, pair| {
        counting(async |counted| {
            let get = |stream| {
                frame(
                    HEADERS,
                    END_HEADERS | END_STREAM,
                    stream,
                    &asking("/auth/config"),
                )
            };
            for request in [&get as &dyn Fn(u32) -> Vec<u8>, &sign_in] {
                let flood: Vec<u8> = streams(MANY)
                    .flat_map(|stream| [request(stream), reset(stream)].concat())
                    .collect();
                let end = http2(on, pair).await.flood(&flood).await;
                assert_eq!(end.reason, Some(ENHANCE_YOUR_CALM), "{end:?}");
            }
            assert!(counted.answered() < BOUND, "{}", counted.answered());
            assert!(tried(on).await < BOUND);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn H19_L7_resets_at_a_gentle_pace_end_the_connection_as_well() {
    over_tls(async |on, pair| {
        counting(async |_| {
            let before = rows::trail(&on.server.app.db).await;
            let mut http2 = http2(on, pair).await;
            let mut taken_back = 0;
            for stream in streams(MANY) {
                // Each is taken back once it is worked for: the handler waits for the body.
                let head = frame(HEADERS, END_HEADERS, stream, &telling("/auth/signin"));
                http2.write(&head).await;
                if !http2.is_heard_or_over().await {
                    break;
                }
                http2.write(&reset(stream)).await;
                taken_back += 1;
            }
            assert!((256..BOUND).contains(&taken_back), "{taken_back}");
            assert_eq!(rows::trail(&on.server.app.db).await, before);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn L7_who_takes_answers_may_take_back_as_many_requests() {
    over_tls(async |on, pair| {
        let mut http2 = http2(on, pair).await;
        for stream in streams(500) {
            http2.post(4 * stream + 1, "/auth/signin").await;
            assert!(http2.is_heard_or_over().await);
            http2.write(&reset(4 * stream + 1)).await;
            is_answered(&mut http2, 4 * stream + 3).await;
        }
    })
    .await;
}

#[tokio::test]
async fn H19_streams_beyond_the_bound_are_refused_and_then_the_connection() {
    over_tls(async |on, pair| {
        counting(async |counted| {
            let head = telling("/auth/signin");
            let flood: Vec<u8> = streams(MANY)
                .flat_map(|stream| frame(HEADERS, END_HEADERS, stream, &head))
                .collect();
            let end = http2(on, pair).await.flood(&flood).await;
            assert_eq!(end.reason, Some(ENHANCE_YOUR_CALM), "{end:?}");
            assert_eq!(end.answers, 0, "{end:?}");
            assert!(counted.answered() < BOUND);
        })
        .await;
    })
    .await;
}

/// What is wrong with a frame, and the frame for a stream.
type Wrong = (&'static str, fn(u32) -> Vec<u8>);

/// How a client can have the server reset a stream, by a frame that is an error of the stream.
const FORCING: &[Wrong] = &[
    ("a window beyond all bounds", |stream| {
        frame(WINDOW_UPDATE, 0, stream, &[0x7f, 0xff, 0xff, 0xff])
    }),
    ("a stream that depends on itself", |stream| {
        let on_itself = [&stream.to_be_bytes()[..], &[15]].concat();
        frame(PRIORITY, 0, stream, &on_itself)
    }),
];

/// The same by a frame that this server takes for an error of the connection.
const FATAL: &[Wrong] = &[
    ("a window that grows by nothing", |stream| {
        frame(WINDOW_UPDATE, 0, stream, &[0; 4])
    }),
    ("data after the end", |stream| {
        frame(DATA, END_STREAM, stream, b"{}")
    }),
    ("a head after the end", |stream| {
        frame(HEADERS, END_HEADERS | END_STREAM, stream, &asking("/"))
    }),
];

/// "MadeYouReset" (CVE-2025-8671): the client does not take its stream back, it makes the server do so.
#[tokio::test]
async fn H19_L7_forcing_the_server_to_reset_ends_the_connection() {
    over_tls(async |on, pair| {
        for (name, force) in FORCING.iter().chain(FATAL) {
            counting(async |counted| {
                let before = tried(on).await;
                let flood: Vec<u8> = streams(MANY)
                    .flat_map(|stream| [sign_in(stream), force(stream)].concat())
                    .collect();
                let end = http2(on, pair).await.flood(&flood).await;
                assert!(
                    end.reason.is_some_and(|code| code != NO_ERROR),
                    "{name}: {end:?}"
                );
                assert!(end.resets < BOUND, "{name}: {end:?}");
                assert!(counted.answered() < BOUND, "{name}");
                assert!(tried(on).await - before < BOUND, "{name}");
            })
            .await;
        }
    })
    .await;
}

#[tokio::test]
async fn H19_L7_forcing_it_at_a_gentle_pace_ends_the_connection_as_well() {
    over_tls(async |on, pair| {
        for (name, force) in FORCING {
            let before = rows::trail(&on.server.app.db).await;
            let mut http2 = http2(on, pair).await;
            let mut resets = 0;
            for stream in streams(MANY) {
                http2.post(stream, "/auth/signin").await;
                http2.write(&force(stream)).await;
                match http2.refusal_of(stream).await {
                    Some(ENHANCE_YOUR_CALM) => break,
                    Some(_) => resets += 1,
                    None => panic!("{name}: it was answered"),
                }
            }
            assert_eq!(resets, 128, "{name}");
            http2.ends().await;
            assert_eq!(rows::trail(&on.server.app.db).await, before, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn H19_empty_data_without_end_ends_the_connection() {
    over_tls(async |on, pair| {
        counting(async |_| {
            let before = rows::trail(&on.server.app.db).await;
            let head = frame(HEADERS, END_HEADERS, 1, &telling("/auth/signin"));
            let rest = frame(DATA, 0, 1, &[]).repeat(100_000);
            let end = http2(on, pair).await.flood(&[head, rest].concat()).await;
            assert_eq!(end.reason, Some(ENHANCE_YOUR_CALM), "{end:?}");
            assert_eq!(rows::trail(&on.server.app.db).await, before);
        })
        .await;
    })
    .await;
}

/// Each asks for an answer and is no request: it keeps nothing alive, and who does not read the answers is not read.
#[tokio::test]
async fn H19_pings_and_settings_without_end_do_not_keep_a_connection() {
    let limits = Limits {
        // Enough for whoever asks meanwhile, on a machine that four floods keep busy.
        idle: Duration::from_secs(5),
        ..Limits::default()
    };
    over_tls_within(limits, async |on, pair| {
        counting(async |_| {
            let pings = frame(PING, 0, 0, &[7; 8]).repeat(1_000);
            let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]).repeat(1_000);
            let new = async || http2(on, pair).await;
            let flooding = async {
                tokio::join!(
                    new().await.repeat(&pings),
                    new().await.repeat(&settings),
                    new().await.repeat_deaf(&pings),
                    new().await.repeat_deaf(&settings),
                )
            };
            let ask = async || is_answered(&mut new().await, 1).await;
            let (pinging, setting, (), ()) = meanwhile(Box::pin(flooding), ask).await;
            for end in [pinging, setting] {
                assert_eq!((end.reason, end.answers), (Some(NO_ERROR), 0), "{end:?}");
            }
        })
        .await;
    })
    .await;
}
