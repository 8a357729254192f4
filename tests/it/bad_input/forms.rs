//! The cases of JSON bodies (J, M) as a form has them, sent to every route that reads one.

use doorward::http::body::{MAX_BYTES, Media};
use serde_json::Value;

use super::bodies::{PIECE, Pulled};
use super::trial::{Trial, at_each_form_door};
use crate::harness::form::escaped;

/// No form with one meaning: refused as such.
async fn refuses_all(
    trial: &Trial<'_>,
    bodies: impl IntoIterator<Item = impl Into<axum::body::Bytes>>,
) {
    for body in bodies {
        let no_form = "the body must be a form in UTF-8, with each name once";
        trial.refuses_saying(&[no_form], body).await;
    }
}

/// The names of the fields that must be there.
fn required(trial: &Trial) -> Vec<&'static str> {
    let fields = trial.door.fields.iter().filter(|field| field.required);
    fields.map(|field| field.name).collect()
}

fn problems(names: &[&str]) -> Vec<String> {
    let problems = names.iter().map(|name| format!("{name} is required"));
    problems.collect()
}

async fn lacks(trial: &Trial<'_>, names: &[&str], body: impl Into<axum::body::Bytes>) {
    let problems = problems(names);
    let problems: Vec<&str> = problems.iter().map(String::as_str).collect();
    trial.refuses_saying(&problems, body).await;
}

#[tokio::test]
async fn J1_to_J5_empty_forms_and_fields_without_a_value() {
    at_each_form_door(async |trial| {
        let all = required(trial);
        assert!(!all.is_empty(), "{trial}");
        for body in ["", "&", "&&&", "x", "=", "null", "[]", "{}", "x=1"] {
            lacks(trial, &all, body).await;
        }
        for name in all {
            let mut body = trial.good_body();
            body.remove(name);
            let without = trial.written(body);
            for body in [
                without.clone(),
                format!("{without}&{name}"),
                format!("{without}&{name}="),
                format!("{without}&{}=1", name.to_uppercase()),
                format!("{without}& {name}=1"),
                format!("{without}&{name}[]=1"),
            ] {
                lacks(trial, &[name], body).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn J8_J11_unknown_fields_are_ignored() {
    at_each_form_door(async |trial| {
        for name in [
            "active",
            "sub",
            "scope",
            "roles",
            "isAdmin",
            "__proto__",
            "constructor",
            "$serde_json::private::RawValue",
            "",
            "\0",
            "\u{1f511}",
        ] {
            let good = trial.good();
            let name = escaped(name);
            trial.takes(format!("{good}&{name}=1")).await;
            trial.takes(format!("{name}=1&{good}")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn J9_duplicate_fields() {
    at_each_form_door(async |trial| {
        for field in trial.door.fields {
            let name = field.name;
            let mut body = trial.good_body();
            body.remove(name);
            let rest = trial.written(body);
            let other = format!("%{:02x}{}", name.as_bytes()[0], &name[1..]);
            refuses_all(
                trial,
                [
                    format!("{name}=1&{rest}&{name}=2"),
                    format!("{name}=1&{name}=1&{rest}"),
                    format!("{rest}&{name}=1&{other}=2"),
                    format!("{rest}&{name}&{name}=1"),
                    format!("{rest}&{name}=1&{name}="),
                ],
            )
            .await;
        }
        refuses_all(trial, [format!("{}&x=1&x=2", trial.good())]).await;
    })
    .await;
}

#[tokio::test]
async fn J12_to_J14_large_forms() {
    at_each_form_door(async |trial| {
        let good = trial.good();
        let many: String = (0..)
            .map(|n| format!("&k{n}=1"))
            .scan(good.len(), |length, pair| {
                *length += pair.len();
                (*length <= MAX_BYTES).then_some(pair)
            })
            .collect();
        trial.takes(format!("{good}{many}")).await;
        trial
            .refuses(413, format!("{good}{}", many.repeat(2)))
            .await;
        trial.refuses(413, "&".repeat(1_000_000)).await;
        for field in trial.door.fields {
            let long = format!("{}={}", field.name, "a".repeat(10_000_000));
            trial.refuses(413, long).await;
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
        // Once for the one who may ask, and once for a stranger.
        assert!(pulled.bytes() <= 2 * (MAX_BYTES + PIECE), "{trial}");
    })
    .await;
}

#[tokio::test]
async fn J19_J20_M8_broken_escapes_and_broken_text() {
    at_each_form_door(async |trial| {
        let good = trial.good();
        for broken in [
            &b"%"[..],
            b"%4",
            b"%zz",
            b"%+1",
            b"%u0041",
            b"%ff",
            b"%c0%80",
            b"%ed%a0%80",
            b"\xff",
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"caf\xe9",
        ] {
            let bodies = [
                [good.as_bytes(), b"&x=", broken].concat(),
                [good.as_bytes(), b"&", broken, b"=x"].concat(),
                [broken, b"&", good.as_bytes()].concat(),
            ];
            refuses_all(trial, bodies).await;
        }
        let field = trial.door.fields[0].name;
        let marked = format!("\u{feff}{field}=1");
        lacks(trial, &required(trial), marked).await;
    })
    .await;
}

#[tokio::test]
async fn J22_escaped_and_plain_are_the_same() {
    at_each_form_door(async |trial| {
        let all = |text: &str| {
            let bytes = text.bytes().map(|byte| format!("%{byte:02x}"));
            bytes.collect::<Vec<_>>().concat()
        };
        let pairs: Vec<String> = trial
            .good_body()
            .iter()
            .map(|(name, value)| format!("{}={}", all(name), all(value.as_str().unwrap())))
            .collect();
        trial.takes(pairs.join("&")).await;
        trial.takes(format!("&&{}&", pairs.join("&&"))).await;
    })
    .await;
}

#[tokio::test]
async fn J23_cut_at_each_byte() {
    at_each_form_door(async |trial| {
        let good = trial.good();
        let before = trial.rows().await;
        for length in 0..good.len() {
            let body = good.as_bytes()[..length].to_vec();
            super::oracle::is_answer(
                &trial.send(trial.told(), body).await,
                &format!("{trial} cut at {length}"),
            );
        }
        assert_eq!(trial.rows().await, before, "{trial}");
        trial.takes(good).await;
    })
    .await;
}

#[tokio::test]
async fn M3_M5_M6_M7_what_a_form_is_called() {
    const FORM: &str = Media::Form.name();
    at_each_form_door(async |trial| {
        let as_json = Value::from(trial.good_body()).to_string();
        let json = [("content-type", "application/json")];
        trial.refuses_as(415, &json, as_json.clone()).await;
        trial.refuses_as(415, &json, trial.good()).await;
        lacks(trial, &required(trial), as_json).await;
        for (media_type, status) in [
            ("application/x-www-form-urlencoded; charset=utf-16", 415),
            ("application/x-www-form-urlencoded; charset=iso-8859-1", 415),
            ("application/x-www-form-urlencoded, text/plain", 415),
            ("x-www-form-urlencoded", 415),
            ("application/x-www-form-urlencodedx", 415),
            ("application/x-www-form-urlencoded; charset=UTF-8", 200),
            ("Application/X-WWW-Form-URLEncoded", 200),
            ("application/x-www-form-urlencoded;", 200),
        ] {
            let headers = [("content-type", media_type)];
            if status == 200 {
                trial.takes_as(&headers, trial.good()).await;
            } else {
                trial.refuses_as(status, &headers, trial.good()).await;
            }
        }
        for second in ["text/plain", FORM] {
            let twice = [("content-type", FORM), ("content-type", second)];
            trial.refuses_as(415, &twice, trial.good()).await;
        }
        let wide: Vec<u8> = trial
            .good()
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        trial.refuses(400, wide).await;
    })
    .await;
}
