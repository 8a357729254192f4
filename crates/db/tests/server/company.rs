//! Units that leave together, and what only a server can do to some of them.

use std::time::Duration;

use db::{Db, Error, Unit, Written, sql};
use tokio::task::JoinHandle;

use super::wire::Cut;
use crate::{
    beside, by_wire, hold_a_write, let_go, place,
    suite::{Place, add, count},
};

/// Units that wait for others at the same moment.
fn write_in_company(
    db: &Db,
    units: impl IntoIterator<Item = Unit>,
) -> Vec<JoinHandle<Result<Written, Error>>> {
    let write = |unit: Unit| {
        let (db, unit) = (db.clone(), unit.wait_for_company(Duration::from_millis(50)));
        tokio::spawn(async move { db.write(unit).await })
    };
    units.into_iter().map(write).collect()
}

/// What came of each.
async fn all(writing: Vec<JoinHandle<Result<Written, Error>>>) -> Vec<Result<Written, Error>> {
    let mut written = Vec::new();
    for it in writing {
        written.push(it.await.expect("no panic"));
    }
    written
}

/// How many transactions made the things that there are.
async fn transactions(place: &Place) -> i64 {
    let counted = beside(place)
        .await
        .query_one("SELECT count(DISTINCT xmin::text) FROM things", &[])
        .await;
    counted.expect("counted").get(0)
}

/// More than one transaction holds, and with one that is refused and has changed nothing.
#[tokio::test]
async fn who_leaves_together_shares_a_transaction() {
    let place = place("company").await;
    let db = place.open().await;
    let names: Vec<String> = (0..100).map(|i| i.to_string()).collect();
    let refused = sql("UPDATE things SET used_at = 1 WHERE id = 'missing'");
    let mut units: Vec<Unit> = names.iter().map(|id| add(id)).collect();
    units.insert(7, Unit::new().expect(1, refused));
    let mut written = all(write_in_company(&db, units)).await;
    let refused = written.remove(7).expect_err("nothing is there");
    assert!(refused.is_touched(), "{refused}");
    for written in written {
        written.expect("written");
    }
    assert_eq!(count(&db).await, 100);
    let transactions = transactions(&place).await;
    // And a few more where they did not come in one millisecond.
    assert!((2..10).contains(&transactions), "{transactions}");
}

/// A page that cannot be read, say: the server fails at one unit, and not at its company.
#[tokio::test]
async fn what_the_server_says_of_one_unit_is_told_to_no_other() {
    let place = place("damaged").await;
    let db = place.open().await;
    let damage = "CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF NEW.id = 'bad' THEN RAISE 'could not read a block' USING ERRCODE = '58030'; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER damage BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION damage()";
    beside(&place)
        .await
        .batch_execute(damage)
        .await
        .expect("damaged");
    let mut written = all(write_in_company(&db, ["a", "bad", "b"].map(add))).await;
    let refused = written.remove(1).expect_err("it cannot be written");
    assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
    for written in written {
        written.expect("written");
    }
    assert_eq!(count(&db).await, 2);
}

/// A row that somebody holds: who wants it waits, and the others of its company for much less.
#[tokio::test]
async fn a_held_row_does_not_hold_up_company() {
    let place = place("held_company").await;
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    let held = hold_a_write(&place).await;
    let touch = || sql("UPDATE things SET used_at = 1 WHERE id = 'a'");
    let units = [touch().into(), add("b"), add("c"), add("d")];
    let mut company = write_in_company(&db, units);
    let waits = company.remove(0);
    tokio::select! {
        biased;
        refused = db.write(touch()) => panic!("they wait as long as this one: {refused:?}"),
        others = all(company) => for written in others {
            written.expect("written");
        },
    }
    let_go(&held).await;
    let touched = waits.await.expect("no panic").expect("a is gone");
    assert_eq!((touched.touched(0), count(&db).await), (0, 3));
}

/// What is not known of a transaction is not known of any of its units, and what did not happen is done.
#[tokio::test]
async fn company_shares_the_fate_of_its_connection() {
    let place = place("lost_company").await;
    let direct = place.open().await;
    let (wire, db) = by_wire(&place).await;
    for written in all(write_in_company(&db, ["a", "b", "c"].map(add))).await {
        written.expect("written");
    }
    wire.cut(Cut::Once("lock_timeout"));
    for written in all(write_in_company(&db, ["d", "e", "f"].map(add))).await {
        written.expect("on other connections");
    }
    wire.cut(Cut::AnswerOf("COMMIT"));
    for lost in all(write_in_company(&db, ["g", "h", "i"].map(add))).await {
        assert!(matches!(lost, Err(Error::OutcomeUnknown(_))), "{lost:?}");
    }
    wire.mend();
    // It had arrived.
    while count(&direct).await < 9 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count(&direct).await, 9);
}
