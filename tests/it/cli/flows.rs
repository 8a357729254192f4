//! What the commands on accounts are made of, where an account is gone or already as it is asked to be: no change, and
//! no row in the audit trail that tells of one.

use doorward::audit::By;
use doorward::password;
use doorward::secret::Secret;
use doorward::users::{self, Email};

use crate::harness::{ADA, Server, server};

async fn user(server: &Server) -> users::User {
    let email = Email::parse(ADA).unwrap();
    let found = users::store::by_email(&server.app.db, email.key()).await;
    found.unwrap().unwrap()
}

/// How many rows there are in the audit trail.
async fn told(server: &Server) -> Option<i64> {
    let count = db::sql("SELECT CAST(count(*) AS BIGINT) AS n FROM audit");
    server.app.db.one(count, |row| row.int("n")).await.unwrap()
}

#[tokio::test]
async fn nothing_happens_to_who_is_gone() {
    server(async |server| {
        server.signs_up(ADA).await;
        let (app, ada) = (&server.app, user(server).await);
        let (db, revocations, by) = (&app.db, &app.revocations, By::Operator(server.clock.now()));
        assert!(users::delete(db, revocations, &ada.id, by).await.unwrap());
        let before = told(server).await;
        let password = Secret::new("another walk in the hills".to_owned());
        let set = password::set(
            db,
            revocations,
            &app.passwords,
            &app.stamp,
            &ada,
            &password,
            by,
        )
        .await;
        assert!(!set.unwrap());
        assert!(!users::disable(db, revocations, &ada.id, by).await.unwrap());
        assert!(!users::enable(db, &ada.id, by).await.unwrap());
        assert!(!users::delete(db, revocations, &ada.id, by).await.unwrap());
        assert_eq!(told(server).await, before);
    })
    .await;
}

#[tokio::test]
async fn what_is_so_already_is_not_done_again() {
    server(async |server| {
        server.signs_up(ADA).await;
        let (app, ada) = (&server.app, user(server).await);
        let (db, revocations, by) = (&app.db, &app.revocations, By::Operator(server.clock.now()));
        assert!(!users::enable(db, &ada.id, by).await.unwrap());
        assert!(users::disable(db, revocations, &ada.id, by).await.unwrap());
        let before = told(server).await;
        assert!(!users::disable(db, revocations, &ada.id, by).await.unwrap());
        assert_eq!(told(server).await, before);
    })
    .await;
}
