//! Many at once.

use std::{collections::BTreeSet, future::Future, pin::pin, task::Poll};

use db::{Db, Error, Unit, sql};

use super::{Place, add, count, things};

/// Runs the tasks all at once and gives their results in their order.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    tasks: impl Iterator<Item = F>,
) -> Vec<T> {
    let running: Vec<_> = tasks.map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in running {
        results.push(task.await.expect("no panic"));
    }
    results
}

pub(crate) async fn many_writers_at_once(place: Place) {
    let db = place.open().await;
    db.write(add("taken")).await.expect("written");
    // Of each task, two units succeed; one breaks a unique rule behind a whole thing, one expects what is not there.
    let task = |db: Db, i: usize| async move {
        let id = |j: usize| format!("{i:02}-{j}");
        let absent = sql("UPDATE things SET used_at = 1 WHERE id = 'absent'");
        [
            db.write(add(&id(0))).await.is_ok(),
            matches!(
                db.write(add(&id(1)).append(add("taken"))).await,
                Err(Error::Unique { statement: 3 })
            ),
            matches!(
                db.write(add(&id(2)).expect(1, absent)).await,
                Err(Error::Touched {
                    statement: 3,
                    expected: 1,
                    touched: 0
                })
            ),
            db.write(add(&id(3))).await.is_ok(),
        ]
    };
    let results = at_once((0..64).map(|i| task(db.clone(), i))).await;
    for (i, results) in results.into_iter().enumerate() {
        assert_eq!(results, [true; 4], "task {i}");
    }
    let found: BTreeSet<(String, i64)> = things(&db).await.into_iter().collect();
    let whole = (0..64).flat_map(|i| [(format!("{i:02}-0"), 2), (format!("{i:02}-3"), 2)]);
    let expected: BTreeSet<_> = whole.chain([("taken".to_owned(), 2)]).collect();
    assert_eq!(found, expected);
}

pub(crate) async fn one_of_many_wins(place: Place) {
    let db = place.open().await;
    for round in 0..8 {
        let id = format!("round {round}");
        db.write(add(&id)).await.expect("written");
        let spend = |db: Db, id: String, by: i64| async move {
            let spend = "UPDATE things SET used_at = $1 WHERE id = $2 AND used_at IS NULL";
            db.write(Unit::new().expect(1, sql(spend).bind(by).bind(id)))
                .await
        };
        let results = at_once((0..64).map(|by| spend(db.clone(), id.clone(), by))).await;
        let winners: Vec<i64> = (0..)
            .zip(&results)
            .filter(|(_, result)| result.is_ok())
            .map(|(by, _)| by)
            .collect();
        let others = results
            .iter()
            .filter(|result| result.as_ref().is_err_and(Error::is_touched))
            .count();
        assert_eq!((winners.len(), others), (1, 63));
        let by = db
            .one(
                sql("SELECT used_at FROM things WHERE id = $1").bind(id),
                |row| row.int("used_at"),
            )
            .await;
        assert_eq!(by.expect("read"), Some(winners[0]));
    }
}

pub(crate) async fn a_caller_that_goes_away_changes_nothing(place: Place) {
    let db = place.open().await;
    for i in 0..100 {
        let writing = db.write(add(&format!("{i:03}")));
        let mut writing = pin!(writing);
        // Asked for, and dropped before the answer.
        std::future::poll_fn(|context| {
            let _ = writing.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
    }
    db.close().await;
    let db = place.open().await;
    let things = things(&db).await;
    assert_eq!(things.len(), 100);
    assert!(things.iter().all(|(_, parts)| *parts == 2));
}

pub(crate) async fn questions_do_not_wait_for_writers(place: Place) {
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    let held = crate::hold_a_write(&place).await;
    // The other transaction has changed the row and not committed: this must answer, with the state before.
    assert_eq!(things(&db).await, [("a".to_owned(), 2)]);
    db.ping().await.expect("it answers");
    crate::let_go(&held).await;
    assert_eq!(count(&db).await, 0);
}
