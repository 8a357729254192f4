//! What is ended, what is not, and what is kept of it.

use std::time::Duration;

use db::sql;
use doorward::revocations::Verdict;
use doorward::revocations::store::{Which, delete_over, end};

use super::{Held, ends, number, refresh, run};
use crate::harness::{ADA, BEGINNING, Server, server, server_with};

const BOB: &str = "bob@example.com";
const MINUTE: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(24);

/// Asserts which of them are refused, over HTTP and by memory.
async fn are_refused(server: &Server, refused: &[&Held], live: &[&Held]) {
    for held in refused {
        let me = server.get_as(&held.token, "/auth/me").await;
        assert_eq!((me.status.as_u16(), me.code()), (401, "session_revoked"));
        assert_eq!(held.verdict(&server.app), Verdict::Revoked);
        assert!(!held.is_live(&server.app).await);
    }
    for held in live {
        assert_eq!(server.get_as(&held.token, "/auth/me").await.status, 200);
        assert_ne!(held.verdict(&server.app), Verdict::Revoked);
        assert!(held.is_live(&server.app).await);
    }
}

#[tokio::test]
async fn one_the_others_or_all_end_at_once_and_nobody_elses() {
    server(async |server| {
        let (first, bob) = (Held::new(server, ADA).await, Held::new(server, BOB).await);
        let second = Held::again(server, ADA).await;
        let third = Held::again(server, ADA).await;
        refresh(&server.app).await;
        are_refused(server, &[], &[&first, &second, &third, &bob]).await;

        ends(&server.app, second.one()).await;
        are_refused(server, &[&second], &[&first, &third, &bob]).await;
        let but_first = Which::Others {
            user: &first.user,
            but: &first.session,
        };
        ends(&server.app, but_first).await;
        are_refused(server, &[&second, &third], &[&first, &bob]).await;
        ends(&server.app, Which::All(&first.user)).await;
        are_refused(server, &[&second, &third, &first], &[&bob]).await;
    })
    .await;
}

#[tokio::test]
async fn the_session_of_somebody_else_is_not_ended_by_its_id() {
    server(async |server| {
        let (ada, bob) = (Held::new(server, ADA).await, Held::new(server, BOB).await);
        let of_bob = Which::One {
            user: &ada.user,
            session: &bob.session,
        };
        let unit = end(of_bob, server.clock.now());
        let app = &server.app;
        let refused = app.revocations.write(&app.db, unit).await;
        assert!(
            matches!(
                refused,
                Err(db::Error::Touched {
                    statement: 0,
                    touched: 0,
                    ..
                })
            ),
            "{refused:?}"
        );
        are_refused(server, &[], &[&ada, &bob]).await;
    })
    .await;
}

#[tokio::test]
async fn what_the_statements_did_is_told_by_their_own_positions() {
    server(async |server| {
        let app = &server.app;
        let ada = Held::new(server, ADA).await;
        Held::again(server, ADA).await;
        let ending = || {
            let touch = doorward::users::store::touch(&ada.user, server.clock.now());
            let unit = db::Unit::new().expect(1, touch);
            unit.append(end(Which::All(&ada.user), server.clock.now()))
        };
        let written = app.revocations.write(&app.db, ending()).await.unwrap();
        assert_eq!([0, 1, 2].map(|at| written.touched(at)), [1, 2, 2]);
        server.wait(MINUTE);
        let again = app.revocations.write(&app.db, ending()).await.unwrap();
        assert_eq!([0, 1, 2].map(|at| again.touched(at)), [1, 0, 0]);

        run(&app.db, doorward::users::store::delete(&ada.user)).await;
        let gone = app.revocations.write(&app.db, ending()).await;
        assert!(gone.unwrap_err().is_touched());
        let writes = sql("SELECT writes AS n FROM revocation_count");
        assert_eq!(
            number(&app.db, writes).await,
            2,
            "only what happened counts"
        );
    })
    .await;
}

/// The word is kept for as long as any node may have made a token of the session last, and then goes.
#[tokio::test]
async fn the_word_is_kept_until_the_last_token_has_expired() {
    for (lifetime, kept) in [("1h", Duration::from_hours(1)), ("24h", LONGEST)] {
        server_with(&[("tokens.lifetime", lifetime)], async |server| {
            let ada = Held::new(server, ADA).await;
            let long = server.begins(ADA, "refresh").await;
            let long = Held::of(long.token().unwrap());
            let db = &server.app.db;
            server.wait(MINUTE);
            for (held, left) in [(&long, LONGEST), (&ada, kept.saturating_sub(MINUTE))] {
                ends(&server.app, held.one()).await;
                let until = sql("SELECT until AS n FROM revocations WHERE session_id = $1");
                let until = number(db, until.bind(&held.session)).await;
                let expected = server.clock.now().plus(left).plus(MINUTE);
                assert_eq!(
                    until,
                    expected.micros(),
                    "a minute for clocks that disagree"
                );
            }
            run(
                db,
                sql("DELETE FROM revocations WHERE session_id = $1").bind(&long.session),
            )
            .await;
            run(
                db,
                sql("DELETE FROM sessions WHERE id = $1").bind(&long.session),
            )
            .await;
            let until = number(db, sql("SELECT until AS n FROM revocations")).await;
            assert!(
                until > BEGINNING.plus(kept).micros(),
                "its token lives as long"
            );
            let ended = sql("SELECT expires_at AS n FROM sessions WHERE ended_at = expires_at");
            assert_eq!(number(db, ended).await, server.clock.now().micros());

            let left = || sql("SELECT CAST(count(*) AS BIGINT) AS n FROM revocations");
            let last = doorward::clock::Timestamp::from_micros(until);
            run(db, delete_over(last, 10)).await;
            assert_eq!(number(db, left()).await, 1);
            run(db, delete_over(last.plus(Duration::from_micros(1)), 10)).await;
            assert_eq!(number(db, left()).await, 0);
        })
        .await;
    }
}

#[tokio::test]
async fn an_account_that_is_deleted_leaves_the_word_that_its_sessions_ended() {
    server(async |server| {
        let (ada, app) = (Held::new(server, ADA).await, &server.app);
        refresh(app).await;
        assert_eq!(ada.verdict(app), Verdict::Live);
        let by = doorward::audit::By::Operator(server.clock.now());
        let deleted = doorward::users::delete(&app.db, &app.revocations, &ada.user, by);
        assert!(deleted.await.unwrap());
        assert_eq!(ada.verdict(app), Verdict::Revoked);
        let gone = sql("SELECT CAST(count(*) AS BIGINT) AS n FROM users");
        assert_eq!(number(&app.db, gone).await, 0);
    })
    .await;
}
