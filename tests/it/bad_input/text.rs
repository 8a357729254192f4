//! J15 and J17 to J23: bodies that are not quite JSON, or JSON of the kind on which parsers disagree.

use doorward::http::body::{Field, Kind};
use serde_json::{Value, json};

use super::trial::{Trial, at_each_door, at_each_json_door};
use crate::harness::{ADA, PASSWORD, server};

/// Not one JSON object: refused as such.
async fn refuses_all(trial: &Trial<'_>, bodies: impl IntoIterator<Item = String>) {
    for body in bodies {
        let answer = trial.refuses(400, body).await;
        assert_eq!(answer.code(), "bad_json", "{answer:?}");
    }
}

#[tokio::test]
async fn J15_numbers_out_of_the_ordinary() {
    const NONE: [&str; 14] = [
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "0x10",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "--1",
        "1_000",
        "١",
    ];
    at_each_json_door(async |trial| {
        refuses_all(trial, NONE.map(|number| trial.with_raw("unknown", number))).await;
        for field in trial.door.fields {
            let none = ["1e400", "NaN"];
            refuses_all(trial, none.map(|number| trial.with_raw(field.name, number))).await;
        }
        for number in [
            "-0",
            "18446744073709551616",
            "-9223372036854775809",
            "1e-400",
            "1E+3",
        ] {
            trial.takes(trial.with_raw("unknown", number)).await;
            for field in trial.door.fields {
                let answer = trial.refuses(400, trial.with_raw(field.name, number)).await;
                assert_eq!(answer.code(), "validation_failed");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn J15_numbers_in_metadata_come_back_as_they_were() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        for number in [
            "0",
            "-0.0",
            "9007199254740993",
            "18446744073709551615",
            "-9223372036854775808",
            "0.1",
            "1e300",
            "5e-324",
            "900.5384854401963",
            "247.44295777443642",
            "1.7976931348623157e308",
        ] {
            let metadata = format!("{{\"metadata\":{{\"n\":{number}}}}}");
            let metadata: Value = serde_json::from_str(&metadata).unwrap();
            let me = server.patch_as(&token, "/auth/me", &metadata).await;
            assert_eq!(me.status, 200, "{me:?}");
            let kept = me.json()["metadata"]["n"].to_string();
            assert_eq!(
                kept.parse::<f64>(),
                number.parse::<f64>(),
                "{number} became {kept}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn J17_trailing_comma_comment_single_quotes() {
    at_each_json_door(async |trial| {
        let good = trial.good();
        let inner = &good[1..good.len() - 1];
        let bodies = [
            format!("{{{inner},}}"),
            format!("{{,{inner}}}"),
            format!("{{{inner}}},"),
            format!("{{{inner}/* comment */}}"),
            format!("// comment\n{good}"),
            format!("{good}# comment"),
            good.replace('"', "'"),
            good.replace('"', ""),
            good.replace(':', "="),
            good.replacen(':', "", 1),
            format!("{{{inner};}}"),
        ];
        refuses_all(trial, bodies).await;
    })
    .await;
}

#[tokio::test]
async fn J18_two_documents_in_a_row() {
    at_each_json_door(async |trial| {
        let good = trial.good();
        let seconds = [
            good.as_str(),
            "{}",
            "null",
            "]",
            "}",
            "x",
            "\n{}",
            "\u{1e}{}",
        ];
        refuses_all(trial, seconds.map(|second| format!("{good}{second}"))).await;
        refuses_all(trial, [format!("{{}}{good}"), format!("null\n{good}")]).await;
    })
    .await;
}

#[tokio::test]
async fn J19_byte_order_mark() {
    at_each_json_door(async |trial| {
        refuses_all(trial, [format!("\u{feff}{}", trial.good())]).await;
    })
    .await;
}

#[tokio::test]
async fn J20_lone_surrogate() {
    at_each_json_door(async |trial| {
        let canary = &trial.filling.canary;
        for lone in [
            "\\ud800",
            "\\udfff",
            "\\udc00\\ud800",
            "\\ud800\\u0041",
            "\\ud800\\ud800",
            "\\ud800\\n",
        ] {
            let bodies = [
                trial.with_raw("unknown", &format!("\"{canary}{lone}\"")),
                trial.with_raw("unknown", &format!("{{\"{canary}{lone}\":1}}")),
                trial.with_raw("unknown", &format!("[\"{lone}\"]")),
            ];
            refuses_all(trial, bodies).await;
        }
        for field in trial.door.fields {
            let lone = ["\\ud800", "\\udc00\\ud800"];
            let bodies =
                lone.map(|lone| trial.with_raw(field.name, &format!("\"{canary}{lone}\"")));
            refuses_all(trial, bodies).await;
        }
    })
    .await;
}

#[tokio::test]
async fn J21_nul_in_each_string() {
    at_each_door(async |trial| {
        for field in trial.door.fields {
            nul_in(trial, field).await;
        }
        trial.takes(trial.with("unknown", "\0")).await;
        trial.takes(trial.with("\0", "\0")).await;
    })
    .await;
}

async fn nul_in(trial: &Trial<'_>, field: &Field) {
    let name = field.name;
    let problem = match field.kind {
        Kind::Email => "must be an email address".to_owned(),
        Kind::Text { .. } => "must not hold control characters".to_owned(),
        Kind::Locale => "must be a language tag such as en or pt-BR".to_owned(),
        Kind::OneOf(words) => format!("must be one of: {}", words.join(", ")),
        // Part of the password like any other character: P6 says what follows from that. And no part of what is no text.
        Kind::Password | Kind::Boolean => return,
        Kind::Object { .. } => {
            let nuls = json!({"a\0b": ["\0", {"\0": "\0\0"}]});
            trial.takes(trial.with(name, nuls)).await;
            return;
        }
    };
    let good = trial.filling.value(field);
    let good = good.as_str().unwrap();
    for value in [
        "\0".to_owned(),
        format!("\0{good}"),
        format!("{good}\0"),
        format!("{}\0{}", &good[..1], &good[1..]),
    ] {
        trial
            .refuses_saying(&[&format!("{name} {problem}")], trial.with(name, value))
            .await;
    }
}

#[tokio::test]
async fn J21_nul_in_metadata_comes_back() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let metadata = json!({"a\0b": ["\0", {"\0": "\0\0"}]});
        let me = server
            .patch_as(&token, "/auth/me", &json!({"metadata": metadata}))
            .await;
        assert_eq!(me.json()["metadata"], metadata);
    })
    .await;
}

/// Every character of every string, names too, as `\uXXXX`.
fn escaped(value: &Value) -> String {
    let text = |text: &str| {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        format!("\"{}\"", units.collect::<String>())
    };
    match value {
        Value::String(string) => text(string),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(escaped).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(object) => {
            let entries: Vec<_> = object
                .iter()
                .map(|(name, value)| format!("{}:{}", text(name), escaped(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        other => other.to_string(),
    }
}

#[tokio::test]
async fn J22_escaped_and_literal_are_the_same() {
    at_each_json_door(async |trial| {
        trial.takes(escaped(&trial.good_body().into())).await;
    })
    .await;
}

#[tokio::test]
async fn J22_what_was_escaped_at_the_sign_up_is_literal_at_the_sign_in() {
    server(async |server| {
        let password = format!("{PASSWORD} \u{1f511} é /");
        let account = json!({"email": ADA, "password": password});
        let escaped: &str = &escaped(&account);
        let signed_up = axum::http::Request::post("/auth/signup")
            .header("content-type", "application/json")
            .body(axum::body::Body::from(escaped.to_owned()))
            .unwrap();
        assert_eq!(server.send(signed_up).await.status, 201);
        assert_eq!(server.signs_in(ADA, &password).await.status, 200);
        let short = format!("{PASSWORD} \\ud83d\\udd11 \\u00e9 \\/");
        let short = format!("{{\"email\":\"{ADA}\",\"password\":\"{short}\"}}");
        let signed_in = axum::http::Request::post("/auth/signin")
            .header("content-type", "application/json")
            .body(axum::body::Body::from(short))
            .unwrap();
        assert_eq!(server.send(signed_in).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn J23_cut_at_each_byte() {
    at_each_json_door(async |trial| {
        let good = trial.good();
        let before = trial.rows().await;
        for length in 0..good.len() {
            let cut = &good.as_bytes()[..length];
            let answer = trial.send(trial.told(), cut.to_vec()).await;
            trial.judge(400, &answer, &format!("{trial} cut at {length}"));
            assert_eq!(answer.code(), "bad_json");
        }
        assert_eq!(trial.rows().await, before, "{trial}");
        trial.lets_in("cuts").await;
    })
    .await;
}
