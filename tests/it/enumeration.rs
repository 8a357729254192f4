//! Finding out who has an account, by what is answered: not at all. What the time of an answer tells is measured by
//! `dev/bench who`. The numbers are those of one catalogue of bad inputs.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use std::collections::HashSet;

use db::{Sql, sql};
use doorward::audit::By;
use doorward::users;
use serde_json::{Value, json};

use crate::harness::{ADA, Answer, PASSWORD, Server, server};

/// The document's 401, byte for byte.
const DOCUMENTED: &str = r#"{"statusCode":401,"message":"Unauthorized","error":"Unauthorized"}"#;
const NOBODY: &str = "nobody@example.com";
/// bcrypt's of [`PASSWORD`].
const BCRYPT: &str = "$2b$04$ZgxNOih012kTvCN8PXog8uFeqq81Lp0GJcrwHuEaMh/nShjWu/Yh6";

/// All of an answer but its name.
fn told(mut answer: Answer) -> String {
    answer.headers.remove("x-request-id");
    format!("{answer:?}")
}

/// How many rows each table has.
async fn rows(server: &Server) -> Vec<i64> {
    let mut counts = Vec::new();
    for count in [
        sql("SELECT CAST(count(*) AS BIGINT) AS n FROM audit"),
        sql("SELECT CAST(count(*) AS BIGINT) AS n FROM attempts"),
        sql("SELECT CAST(count(*) AS BIGINT) AS n FROM sessions"),
    ] {
        counts.push(
            server
                .app
                .db
                .one(count, |row| row.int("n"))
                .await
                .unwrap()
                .unwrap(),
        );
    }
    counts
}

async fn change(server: &Server, change: Sql) {
    server.app.db.write(change).await.unwrap();
}

/// Brings Ada's account into a state, of those in which nobody can sign in with the password that is tried.
async fn becomes(server: &Server, state: &str) {
    let (app, by) = (&server.app, By::Operator(server.clock.now()));
    let key = users::Email::parse(ADA).unwrap();
    let ada = users::store::by_email(&app.db, key.key())
        .await
        .unwrap()
        .unwrap();
    match state {
        "open" => {}
        "imported" => {
            let imported = sql("UPDATE passwords SET hash = $1, norm = 'raw' WHERE user_id = $2");
            change(server, imported.bind(BCRYPT).bind(&ada.id)).await;
        }
        "damaged" => {
            let damaged = sql("UPDATE passwords SET hash = $1 WHERE user_id = $2");
            change(server, damaged.bind("$9$no scheme of ours").bind(&ada.id)).await;
        }
        "disabled" => {
            // By the right password, too, which is Bea's.
            let right = "UPDATE passwords SET norm = 'nfc', hash = (SELECT p.hash FROM passwords p \
                 JOIN users u ON u.id = p.user_id WHERE u.email_key = 'bea@example.com') WHERE user_id = $1";
            change(server, sql(right).bind(&ada.id)).await;
            let shut = users::disable(&app.db, &app.revocations, &ada.id, by).await;
            assert!(shut.unwrap());
        }
        "without a password" => change(server, sql("DELETE FROM passwords")).await,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn N1_N2_whatever_the_state_of_an_account_a_failed_sign_in_answers_and_leaves_the_same() {
    server(async |server| {
        for email in [ADA, "bea@example.com"] {
            server.signs_up(email).await;
        }
        let wrong = "a short walk by the sea";
        let nobody = server.signs_in(NOBODY, wrong).await;
        assert_eq!((nobody.status.as_u16(), nobody.body.as_str()), (401, DOCUMENTED));
        assert_eq!(nobody.header("www-authenticate"), "");
        assert_eq!(nobody.header("set-cookie"), "");
        let nobody = told(nobody);
        for (state, passwords) in [
            ("open", &[wrong][..]),
            ("imported", &[wrong]),
            ("damaged", &[wrong, PASSWORD]),
            ("disabled", &[wrong, PASSWORD]),
            ("without a password", &[wrong, PASSWORD]),
        ] {
            becomes(server, state).await;
            for password in passwords {
                for session in [json!("token"), json!("refresh"), json!("cookie"), Value::Null] {
                    let before = rows(server).await;
                    let hashed = server.app.passwords.counts().done;
                    let body = json!({"email": ADA, "password": password, "session": session, "deviceToken": null});
                    let answer = server.post("/auth/signin", &body).await;
                    assert_eq!(told(answer), nobody, "{state}");
                    assert_eq!(server.app.passwords.counts().done, hashed + 1, "{state}");
                    let after = rows(server).await;
                    let more: Vec<_> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
                    assert_eq!(more, [1, 0, 0], "{state}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn B13_N12_where_the_database_does_not_answer_nobody_is_told_apart() {
    server(async |server| {
        server.signs_up(ADA).await;
        let other = server.another().await;
        other.app.db.close().await;
        let mut answers = Vec::new();
        for email in [ADA, NOBODY] {
            for password in [PASSWORD, "a short walk by the sea"] {
                let answer = other.signs_in(email, password).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code()),
                    (503, "unavailable")
                );
                answers.push(told(answer));
            }
        }
        assert!(
            answers.windows(2).all(|two| two[0] == two[1]),
            "{answers:#?}"
        );
    })
    .await;
}

#[tokio::test]
async fn N13_the_id_of_an_account_tells_neither_its_age_nor_how_many_there_are() {
    server(async |server| {
        let mut ids = Vec::new();
        for n in 0..32 {
            let token = server.signs_up(&format!("person{n}@example.com")).await;
            let me = server.get_as(&token, "/auth/me").await;
            ids.push(me.json()["id"].as_str().unwrap().to_owned());
        }
        let begins: HashSet<&str> = ids.iter().map(|id| &id[..8]).collect();
        assert_eq!(begins.len(), ids.len(), "{ids:?}");
        assert!(!ids.is_sorted());
        let millis = format!("{:012x}", server.clock.now().micros() / 1_000);
        let moment = format!("{}-{}", &millis[..8], &millis[8..]);
        assert!(
            ids.iter().all(|id| !id.starts_with(&moment[..8])),
            "{ids:?}"
        );
    })
    .await;
}
