//! J1 to J11: JSON that is no object, lacks a field, or has one that it should not.

use doorward::http::body::Kind;
use serde_json::{Value, json};

use super::trial::{Trial, at_each_door, at_each_json_door};
use crate::harness::{ADA, server};

#[tokio::test]
async fn J1_empty_body() {
    at_each_door(async |trial| {
        for body in ["", " ", "\r\n\t "] {
            trial.refuses(400, body).await;
        }
    })
    .await;
}

#[tokio::test]
async fn J2_null() {
    at_each_json_door(async |trial| {
        trial.refuses(400, "null").await;
    })
    .await;
}

#[tokio::test]
async fn J3_no_object() {
    at_each_json_door(async |trial| {
        let good = trial.good();
        let others = ["[]", "\"\"", "1", "true", "-0.5"].map(str::to_owned);
        let wrapped = [
            format!("[{good}]"),
            Value::from(good.clone()).to_string(),
            json!(trial.filling.canary).to_string(),
        ];
        for body in others.into_iter().chain(wrapped) {
            let answer = trial.refuses(400, body).await;
            assert_eq!(answer.code(), "bad_json");
        }
    })
    .await;
}

#[tokio::test]
async fn J4_missing_field() {
    at_each_json_door(async |trial| {
        for field in trial.door.fields {
            if let Some(problem) = trial.door.lack(field) {
                let mut body = trial.good_body();
                body.remove(field.name);
                let body = Value::from(body).to_string();
                trial.refuses_saying(&[&problem], body).await;
            }
        }
        // What must be there in any case is said first, and at once.
        let fields = trial.door.fields.iter();
        let (always, otherwise): (Vec<_>, Vec<_>) = fields
            .filter_map(|field| Some((field.required, trial.door.lack(field)?)))
            .partition(|(is_required, _)| *is_required);
        let all = if always.is_empty() { otherwise } else { always };
        if all.is_empty() {
            trial.takes("{}").await;
        } else {
            let all: Vec<&str> = all.iter().map(|(_, problem)| problem.as_str()).collect();
            trial.refuses_saying(&all, "{}").await;
        }
    })
    .await;
}

#[tokio::test]
async fn J5_null_field() {
    at_each_json_door(async |trial| {
        for field in trial.door.fields {
            let body = trial.with(field.name, Value::Null);
            if let Some(problem) = trial.door.lack(field) {
                trial.refuses_saying(&[&problem], body).await;
            } else {
                trial.takes(body).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn J6_email_and_other_fields_of_another_type() {
    at_each_json_door(async |trial| {
        wrong_types(trial, |kind| !matches!(kind, Kind::Password)).await;
    })
    .await;
}

#[tokio::test]
async fn J7_password_of_another_type() {
    at_each_json_door(async |trial| {
        wrong_types(trial, |kind| matches!(kind, Kind::Password)).await;
    })
    .await;
}

async fn wrong_types(trial: &Trial<'_>, which: fn(Kind) -> bool) {
    for field in trial.fields(which) {
        let good = trial.filling.value(field);
        let others = [
            json!([]),
            json!([good]),
            json!([good, good]),
            json!([trial.filling.canary]),
            json!({}),
            json!({"$ne": null}),
            json!({trial.filling.canary.as_str(): good}),
            json!(0),
            json!(12_345_678),
            json!(0.5),
            json!(true),
            json!(false),
            json!(trial.filling.canary),
        ];
        let is_right = |value: &Value| match field.kind {
            Kind::Object { .. } => value.is_object(),
            Kind::Boolean => value.is_boolean(),
            _ => value.is_string(),
        };
        for value in others.into_iter().filter(|value| !is_right(value)) {
            let answer = trial.refuses(400, trial.with(field.name, value)).await;
            assert_eq!(answer.code(), "validation_failed");
            let problems = answer.json()["message"].as_array().unwrap();
            let [Value::String(problem)] = problems.as_slice() else {
                panic!("{trial}: {problems:?}");
            };
            assert!(
                problem.starts_with(&format!("{} ", field.name)),
                "{problem}"
            );
        }
    }
}

#[tokio::test]
async fn J8_unknown_fields_are_ignored_and_never_stored() {
    at_each_json_door(async |trial| {
        let stowaway = "a stowaway";
        let mut body = trial.good_body();
        for name in [
            "id",
            "roles",
            "role",
            "isAdmin",
            "emailVerified",
            "email_verified",
            "passwordHash",
            "createdAt",
            "tenantId",
            "sub",
            "userId",
            "x",
            "",
        ] {
            body.entry(name)
                .or_insert_with(|| json!([stowaway, {"a": stowaway}]));
        }
        trial.takes(Value::from(body).to_string()).await;
        assert!(
            !trial.rows().await.hold(stowaway),
            "{trial} stored what it does not know"
        );
    })
    .await;
}

#[tokio::test]
async fn J9_duplicate_key() {
    at_each_json_door(async |trial| {
        for field in trial.door.fields {
            let other = match field.kind {
                Kind::Object { .. } => json!({}),
                _ => trial.filling.canary.as_str().into(),
            };
            // What stands in the place of another is there beside it, which is no matter.
            let value = trial.filling.value(field);
            let good = trial.with(field.name, value);
            let (inner, name) = (&good[1..good.len() - 1], field.name);
            let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
            for body in [
                format!("{{{inner},\"{name}\":{other}}}"),
                format!("{{\"{name}\":{other},{inner}}}"),
                format!("{{{inner},\"{escaped}\":{other}}}"),
                format!("{{{inner},\"{name}\":null}}"),
                trial.with_raw(name, r#"{"a":1,"a":1}"#),
                trial.with_raw(name, r#"[{"a":{"b":1,"c":2,"b":3}}]"#),
            ] {
                assert_eq!(trial.refuses(400, body).await.code(), "bad_json");
            }
        }
        for unknown in [r#"{"a":1,"a":2}"#, r#"[[{"":1,"":1}]]"#] {
            let body = trial.with_raw("unknown", unknown);
            assert_eq!(trial.refuses(400, body).await.code(), "bad_json");
        }
    })
    .await;
}

#[tokio::test]
async fn J10_key_case() {
    at_each_json_door(async |trial| {
        for field in trial.door.fields {
            let (first, rest) = field.name.split_at(1);
            for spelling in [first.to_uppercase() + rest, field.name.to_uppercase()] {
                let mut body = trial.good_body();
                let Some(value) = body.remove(field.name) else {
                    continue;
                };
                body.insert(spelling, value);
                let body = Value::from(body).to_string();
                if let Some(problem) = trial.door.lack(field) {
                    trial.refuses_saying(&[&problem], body).await;
                } else {
                    trial.takes(body).await;
                }
            }
        }
    })
    .await;
}

/// Names that mean something to JavaScript, and two that mean something to the JSON library.
const LOADED: [&str; 7] = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
];

#[tokio::test]
async fn J11_loaded_names() {
    at_each_json_door(async |trial| {
        for name in LOADED {
            trial
                .takes(trial.with(name, json!({"roles": ["admin"]})))
                .await;
            trial
                .takes(trial.with(name, "{\"roles\":[\"admin\"]}"))
                .await;
            for field in trial.fields(|kind| !matches!(kind, Kind::Object { .. })) {
                let body = trial.with(field.name, json!({name: trial.filling.value(field)}));
                trial.refuses(400, body).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn J11_loaded_names_are_only_names_in_metadata() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        for name in LOADED {
            for value in [
                json!({"roles": ["admin"]}),
                json!("{\"roles\":[\"admin\"]}"),
            ] {
                let metadata = json!({name: value});
                let me = server
                    .patch_as(&token, "/auth/me", &json!({"metadata": metadata}))
                    .await;
                // As text: to the library that reads the answers here, two of the names mean something.
                let kept = format!("\"metadata\":{metadata}");
                assert!(me.body.contains(&kept), "{kept} became {me:?}");
                let roles = "\"roles\":[],";
                assert!(me.body.contains(roles), "{me:?}");
            }
        }
    })
    .await;
}
