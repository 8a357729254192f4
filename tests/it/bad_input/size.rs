//! J12, J13, J14, J16 and J24: bodies that are deep, long or wide, and those that are as large as a body may be.

use doorward::http::body::{Kind, MAX_BYTES};

use super::bodies::{PIECE, Pulled};
use super::trial::{Trial, at_each_door, at_each_json_door};

#[tokio::test]
async fn J12_depth() {
    at_each_json_door(async |trial| {
        for depth in [10, 100] {
            trial
                .takes(trial.with_raw("unknown", &nested(depth, "[", "]")))
                .await;
            trial
                .takes(trial.with_raw("unknown", &nested(depth, "{\"a\":", "}")))
                .await;
        }
        for depth in [128, 5_000] {
            for field in trial
                .door
                .fields
                .iter()
                .map(|field| field.name)
                .chain(["unknown"])
            {
                for value in [nested(depth, "[", "]"), nested(depth, "{\"a\":", "}")] {
                    let answer = trial.refuses(400, trial.with_raw(field, &value)).await;
                    assert_eq!(answer.code(), "bad_json");
                }
            }
        }
        trial.refuses(400, "[".repeat(MAX_BYTES)).await;
        trial.refuses(400, "{\"a\":".repeat(MAX_BYTES / 5)).await;
        trial.refuses(413, "[".repeat(100_000)).await;
    })
    .await;
}

fn nested(depth: usize, open: &str, close: &str) -> String {
    format!("{}1{}", open.repeat(depth), close.repeat(depth))
}

#[tokio::test]
async fn J13_a_million_keys() {
    at_each_json_door(async |trial| {
        trial
            .refuses(413, trial.with_raw("unknown", &keys(usize::MAX, 1_000_000)))
            .await;
        let room = MAX_BYTES - trial.with_raw("unknown", "").len();
        trial
            .takes(trial.with_raw("unknown", &keys(room, usize::MAX)))
            .await;
        for field in trial.fields(|kind| matches!(kind, Kind::Object { .. })) {
            let Kind::Object { max } = field.kind else {
                unreachable!()
            };
            trial
                .takes(trial.with_raw(field.name, &keys(max, usize::MAX)))
                .await;
            let problem = format!("{} must be at most {max} bytes long as JSON", field.name);
            let body = trial.with_raw(field.name, &keys(max + 20, usize::MAX));
            trial.refuses_saying(&[&problem], body).await;
        }
    })
    .await;
}

/// An object of as many keys as fit into `bytes`, and at most `most`.
fn keys(bytes: usize, most: usize) -> String {
    let mut object = String::from("{");
    for n in 0..most {
        let entry = format!("\"k{n}\":{n},");
        if object.len() + entry.len() > bytes {
            break;
        }
        object += &entry;
    }
    object.pop();
    object + "}"
}

#[tokio::test]
async fn J14_ten_megabytes_are_refused_before_they_are_read() {
    at_each_json_door(async |trial| {
        let long = format!("\"{}\"", "a".repeat(10_000_000));
        for field in trial.door.fields {
            trial.refuses(413, trial.with_raw(field.name, &long)).await;
        }
        let announced = [trial.told(), &[("content-length", "10000000")]].concat();
        let pulled = Pulled::default();
        trial
            .refuses_stream(413, &announced, || pulled.endless())
            .await;
        assert_eq!(pulled.bytes(), 0, "{trial}");
        trial
            .refuses_stream(413, trial.told(), || pulled.endless())
            .await;
        assert!(pulled.bytes() <= MAX_BYTES + PIECE, "{trial}");
    })
    .await;
}

#[tokio::test]
async fn J14_a_body_may_be_as_large_as_the_bound_and_not_a_byte_larger() {
    at_each_door(async |trial| {
        let padded = |length: usize| {
            let room = length - trial.with("unknown", "").len();
            trial.with("unknown", "a".repeat(room))
        };
        trial.takes(padded(MAX_BYTES)).await;
        trial.refuses(413, padded(MAX_BYTES + 1)).await;
    })
    .await;
}

#[tokio::test]
async fn J16_a_number_of_ten_thousand_digits() {
    at_each_json_door(async |trial| {
        let digits = "9".repeat(10_000);
        for name in every_name(trial) {
            for number in [
                digits.clone(),
                format!("-{digits}"),
                format!("{digits}.{digits}"),
            ] {
                let answer = trial.refuses(400, trial.with_raw(name, &number)).await;
                assert_eq!(answer.code(), "bad_json");
            }
        }
        // Many digits and a modest value: an ordinary number, in a field that nobody reads.
        trial
            .takes(trial.with_raw("unknown", &format!("0.{digits}")))
            .await;
    })
    .await;
}

fn every_name(trial: &Trial) -> impl Iterator<Item = &'static str> {
    trial
        .door
        .fields
        .iter()
        .map(|field| field.name)
        .chain(["unknown"])
}

#[tokio::test]
async fn J24_a_megabyte_of_white_space() {
    at_each_json_door(async |trial| {
        let space = " \t\r\n".repeat(250_000);
        for body in [
            space.clone(),
            format!("{space}{}", trial.good()),
            format!("{}{space}", trial.good()),
            trial.with_raw("unknown", &format!("{space}1")),
        ] {
            trial.refuses(413, body).await;
        }
        let good = trial.good();
        let around = " ".repeat((MAX_BYTES - good.len()) / 2);
        trial.takes(format!("{around}{good}{around}")).await;
        // What other languages count as white space is none in JSON.
        for space in ["\u{a0}", "\u{b}", "\u{c}", "\u{2028}", "\u{3000}", "\0"] {
            trial.refuses(400, format!("{}{space}", trial.good())).await;
            trial.refuses(400, format!("{space}{}", trial.good())).await;
        }
    })
    .await;
}
