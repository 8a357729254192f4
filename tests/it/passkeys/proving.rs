//! Who is let in by a passkey, and as whom.

use axum::http::StatusCode;
use db::{Unit, sql};
use doorward::audit::By;
use doorward::ids::UserId;
use doorward::users;
use serde_json::{Value, json};

use super::{
    ASK, PASSKEYS, SIGN_IN, all_is_well, ending, is_refused, registers, request, signs_in,
};
use crate::harness::authenticator::{Key, Passkey, written};
use crate::harness::{ADA, Server, server, server_with};

/// What changes it, and what for.
type Spoil<'a> = (&'a str, &'a dyn Fn(&mut Value));

#[tokio::test]
async fn a_passkey_signs_in_however_the_session_is_carried() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        for (session, given) in [
            ("token", "token"),
            ("refresh", "refreshToken"),
            ("cookie", "user"),
        ] {
            let options = request(server).await;
            let mut body = ending(&options, &passkey.prove(&options).json());
            body["session"] = session.into();
            let answer = server.post(SIGN_IN, &body).await;
            assert_eq!(answer.status, 200, "{session}: {answer:?}");
            assert!(!answer.json()[given].is_null(), "{session}: {answer:?}");
        }
        let answer = signs_in(server, &passkey, |_| {}).await;
        let (_, claims) = jose::decode_unverified(answer.token().unwrap()).unwrap();
        assert_eq!(claims["amr"], json!(["pop", "user", "mfa"]));
        assert_eq!(claims["email"], ADA);
        let me = server.get_as(answer.token().unwrap(), "/auth/me").await;
        assert_eq!(me.json()["email"], ADA);
        // Whoever has just shown it may change what the account is proved by.
        registers(server, answer.token().unwrap()).await;
    })
    .await;
}

#[tokio::test]
async fn an_account_without_a_password_is_let_in_by_its_passkey() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        forget_password(server).await;
        assert_eq!(signs_in(server, &passkey, |_| {}).await.status, 200);
    })
    .await;
}

/// Takes the passwords of all accounts away.
pub async fn forget_password(server: &Server) {
    let forget = Unit::new().run(sql("DELETE FROM passwords"));
    server.app.db.write(forget).await.unwrap();
}

#[tokio::test]
async fn W10_a_passkey_is_its_owners() {
    server(async |server| {
        let ada = server.signs_up(ADA).await;
        let mallory = server.signs_up("mallory@example.com").await;
        let hers = registers(server, &ada).await;
        let theirs = registers(server, &mallory).await;
        for (what, handle) in [
            ("another's", Some(theirs.user_handle.clone())),
            ("nobody's", Some(vec![7; 16])),
            ("an empty one", Some(vec![])),
            ("a long one", Some(vec![7; 65])),
            ("none", None),
        ] {
            let answer =
                signs_in(server, &hers, |proof| proof.user_handle.clone_from(&handle)).await;
            is_refused(&answer, what);
        }
        // A signature of one's own over another's credential.
        let answer = signs_in(server, &hers, |proof| proof.key = &theirs.key).await;
        is_refused(&answer, "another's key");
        let answer = signs_in(server, &theirs, |proof| {
            proof.id.clone_from(&hers.id);
            proof.user_handle = Some(hers.user_handle.clone());
        })
        .await;
        is_refused(&answer, "another's credential");
        all_is_well(server, &ada, &hers, "all that").await;
    })
    .await;
}

#[tokio::test]
async fn a_passkey_that_nobody_has_is_told_to_be_unknown() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let known = registers(server, &token).await;
        let unknown = Passkey {
            id: vec![9; 32],
            key: Key::es256(),
            user_handle: known.user_handle.clone(),
            flags: known.flags,
            sign_count: 0,
        };
        let answer = signs_in(server, &unknown, |_| {}).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (401, "passkey_unknown")
        );
        // One that was removed is such a one.
        let listed = server.get_as(&token, PASSKEYS).await;
        let id = listed.json()["data"][0]["id"].as_str().unwrap();
        let removed = server.delete_as(&token, &format!("{PASSKEYS}/{id}")).await;
        assert_eq!(removed.status, 200, "{removed:?}");
        let answer = signs_in(server, &known, |_| {}).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (401, "passkey_unknown")
        );
    })
    .await;
}

#[tokio::test]
async fn W17_a_shut_account_stays_shut_and_its_passkey_is_kept() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        let (_, claims) = jose::decode_unverified(&token).unwrap();
        let id = UserId::from_stored(claims["sub"].as_str().unwrap().to_owned());
        let by = By::Operator(server.clock.now());
        let app = &server.app;
        assert!(
            users::disable(&app.db, &app.revocations, &id, by)
                .await
                .unwrap()
        );
        let shut = signs_in(server, &passkey, |_| {}).await;
        is_refused(&shut, "a shut account");
        // What it says is what anybody is told whose proof is wrong.
        let wrong = signs_in(server, &passkey, |proof| proof.data.flags = 0).await;
        assert_eq!(shut.body, wrong.body);
        assert!(users::enable(&app.db, &id, by).await.unwrap());
        assert_eq!(signs_in(server, &passkey, |_| {}).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_credential_is_refused_and_nothing_worse() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        let good = |options: &Value| passkey.prove(options).json();
        let spoil: [Spoil<'_>; 13] = [
            ("nothing", &|it| *it = json!({})),
            ("no response", &|it| it["response"] = Value::Null),
            ("a list", &|it| it["response"] = json!([])),
            ("padding", &|it| {
                it["rawId"] = format!("{}=", it["rawId"].as_str().unwrap()).into();
            }),
            ("another id", &|it| it["id"] = "AAAA".into()),
            ("another type", &|it| it["type"] = "password".into()),
            ("no signature", &|it| {
                it["response"]["signature"] = "".into();
            }),
            ("another signature", &|it| {
                it["response"]["signature"] = written(&[0x30; 70]).into();
            }),
            ("zeros signed", &|it| {
                it["response"]["signature"] = written(&[0x30, 6, 2, 1, 0, 2, 1, 0]).into();
            }),
            ("no data", &|it| {
                it["response"]["authenticatorData"] = "".into();
            }),
            ("short data", &|it| {
                it["response"]["authenticatorData"] = written(&[0; 36]).into();
            }),
            ("no base64url", &|it| {
                it["response"]["clientDataJSON"] = "+/==".into();
            }),
            ("numbers", &|it| {
                it["response"] =
                    json!({"signature": 1, "authenticatorData": 2, "clientDataJSON": 3});
            }),
        ];
        for (what, spoil) in spoil {
            let options = request(server).await;
            let mut credential = good(&options);
            spoil(&mut credential);
            let answer = server.post(SIGN_IN, &ending(&options, &credential)).await;
            is_refused(&answer, what);
        }
        // What extensions give is nobody's business, whatever it is.
        let options = request(server).await;
        let mut credential = good(&options);
        credential["clientExtensionResults"] = json!({"appid": "x", "prf": {"results": 7}});
        credential["authenticatorAttachment"] = json!(null);
        let answer = server.post(SIGN_IN, &ending(&options, &credential)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn wrong_proofs_are_counted_by_address_and_opened_pages_by_themselves() {
    let settings = [
        ("limits.enabled", "true"),
        ("limits.burst", "12"),
        ("limits.per_minute", "1"),
    ];
    server_with(&settings, async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        // Of the twelve that there are, the account and the two requests of a passkey took three.
        let asked = request(server).await;
        let asked_before = request(server).await;
        let body = ending(&asked, &passkey.prove(&asked).json());
        assert_eq!(server.post(SIGN_IN, &body).await.status, 200);
        // Nine are left, whatever was right.
        for n in 0..9 {
            let answer = server.post(SIGN_IN, &body).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{n}: {answer:?}");
        }
        let over = server.post(SIGN_IN, &body).await;
        assert_eq!((over.status.as_u16(), over.code()), (429, "rate_limited"));
        // A page asks as it opens, whether anybody signs in there or not: ten times as often, of which two are gone.
        for n in 0..118 {
            let answer = server.post(ASK, &json!({})).await;
            assert_eq!(answer.status, StatusCode::OK, "{n}: {answer:?}");
        }
        let over = server.post(ASK, &json!({})).await;
        assert_eq!((over.status.as_u16(), over.code()), (429, "rate_limited"));
        // Who has a passkey is let in all the same.
        let body = ending(&asked_before, &passkey.prove(&asked_before).json());
        assert_eq!(server.post(SIGN_IN, &body).await.status, 200);
    })
    .await;
}
