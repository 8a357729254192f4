//! Units: all or nothing, and what comes back.

use std::time::Duration;

use db::{Engine, Error, Unit, sql};
use tokio::time::timeout;

use super::{Place, add, count, things};

pub(crate) async fn all_or_nothing(place: Place) {
    let db = place.open().await;
    let spend = || sql("UPDATE things SET used_at = $1 WHERE id = $2 AND used_at IS NULL");
    let missing = add("a")
        .expect(1, spend().bind(7).bind("missing"))
        .append(add("b"));
    match db.write(missing).await {
        Err(Error::Touched {
            statement: 3,
            expected: 1,
            touched: 0,
        }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(count(&db).await, 0);

    db.write(add("a").append(add("b"))).await.expect("written");
    // The first that fails is told, whatever comes of those behind it.
    let missing = Unit::new()
        .expect(1, spend().bind(7).bind("missing"))
        .append(add("a"));
    match db.write(missing).await {
        Err(Error::Touched { statement: 0, .. }) => {}
        other => panic!("{other:?}"),
    }
    let all = Unit::new().expect(1, sql("UPDATE things SET used_at = 1"));
    match db.write(all).await {
        Err(Error::Touched {
            statement: 0,
            expected: 1,
            touched: 2,
        }) => {}
        other => panic!("{other:?}"),
    }
    let broken = add("c").run(sql("UPDATE things SET nothing = 1"));
    assert!(matches!(db.write(broken).await, Err(Error::Broken(_))));
    assert_eq!(
        things(&db).await,
        [("a".to_owned(), 2), ("b".to_owned(), 2)]
    );

    let spent = db
        .write(Unit::new().expect(1, spend().bind(7).bind("a")))
        .await
        .expect("spent");
    assert_eq!(spent.touched(0), 1);
    let again = db
        .write(Unit::new().expect(1, spend().bind(8).bind("a")))
        .await;
    assert!(again.is_err_and(|e| e.is_touched()));
}

pub(crate) async fn a_broken_unique_rule_names_its_statement(place: Place) {
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    let number = |id: &'static str| sql("INSERT INTO things (id, number) VALUES ($1, 5)").bind(id);
    let cases = [
        (add("b").append(add("a")), 3),
        (Unit::from(number("c")).run(number("d")), 1),
        (
            Unit::new()
                .run(number("e"))
                .returning(sql("INSERT INTO things (id) VALUES ('e') RETURNING id")),
            1,
        ),
    ];
    for (unit, position) in cases {
        match db.write(unit).await {
            Err(Error::Unique { statement }) => assert_eq!(statement, position),
            other => panic!("{other:?}"),
        }
        assert_eq!(count(&db).await, 1, "nothing else happened");
    }
    let kept = sql("INSERT INTO things (id, number) VALUES ('a', 6) ON CONFLICT (id) DO NOTHING");
    assert_eq!(db.write(kept).await.expect("written").touched(0), 0);
}

pub(crate) async fn rows_come_back(place: Place) {
    let db = place.open().await;
    let insert =
        || sql("INSERT INTO things (id, number) VALUES ($1, $2) RETURNING id, number, used_at");
    let unit = Unit::new()
        .run(insert().bind("silent").bind(1))
        .expect(1, insert().bind("expected").bind(2))
        .returning(sql(
            "UPDATE things SET number = number + 10 WHERE number < 3 RETURNING number",
        ))
        .returning(sql("DELETE FROM things WHERE id = 'missing' RETURNING id"))
        .expect(2, sql("SELECT id FROM things"));
    let written = db.write(unit).await.expect("written");
    assert!(written.rows(0).is_empty());
    let row = written.row(1).expect("a row");
    assert_eq!(
        (
            row.text("id").expect("text"),
            row.int("number").expect("int")
        ),
        ("expected".to_owned(), 2)
    );
    assert_eq!(row.opt_int("used_at").expect("int"), None);
    let mut numbers: Vec<i64> = written
        .rows(2)
        .iter()
        .map(|row| row.int("number").expect("int"))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [11, 12]);
    assert!(written.row(3).is_none() && written.row(99).is_none());
    let touched: Vec<u64> = (0..6).map(|i| written.touched(i)).collect();
    assert_eq!(touched, [1, 1, 2, 0, 2, 0]);
}

pub(crate) async fn joined_units_are_one(place: Place) {
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    let joined = add("b").append(add("c")).append(add("a")).append(add("d"));
    assert!(matches!(
        db.write(joined).await,
        Err(Error::Unique { statement: 6 })
    ));
    assert_eq!(count(&db).await, 1);
}

pub(crate) async fn foreign_keys_hold(place: Place) {
    let db = place.open().await;
    let orphan = sql("INSERT INTO parts (thing_id) VALUES ('missing')");
    assert!(matches!(db.write(orphan).await, Err(Error::Broken(_))));
    db.write(add("a").run(sql("INSERT INTO parts (thing_id) VALUES ('a')")))
        .await
        .expect("written");
    let part = sql("SELECT part FROM parts WHERE part LIKE 'a%'");
    assert_eq!(
        db.one(part, |row| row.text("part"))
            .await
            .expect("read")
            .as_deref(),
        Some("a BYTEA; quoted")
    );
    db.write(sql("DELETE FROM things")).await.expect("deleted");
    let left = db
        .one(sql("SELECT count(*) AS n FROM parts"), |row| row.int("n"))
        .await;
    assert_eq!(left.expect("read"), Some(0));
}

pub(crate) async fn an_empty_unit_is_written(place: Place) {
    let db = place.open().await;
    assert_eq!(
        db.write(Unit::new())
            .await
            .expect("nothing to do")
            .touched(0),
        0
    );
}

pub(crate) async fn a_closed_database_says_so(place: Place) {
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    db.close().await;
    db.close().await;
    assert!(matches!(
        db.write(add("b")).await,
        Err(Error::Unavailable(_))
    ));
    assert!(db.ping().await.is_err_and(|e| e.is_unavailable()));
    let db = place.open().await;
    assert_eq!(count(&db).await, 1);
}

pub(crate) async fn who_waits_for_company_is_written_all_the_same(place: Place) {
    let db = place.open().await;
    let at_most = Duration::from_millis(50);
    let alone = db.write(add("a").wait_for_company(at_most));
    alone.await.expect("written");
    assert_eq!(count(&db).await, 1);

    let wait = |id| db.write(add(id).wait_for_company(at_most));
    let (b, c, d) = tokio::join!(wait("b"), wait("c"), wait("d"));
    for written in [b, c, d] {
        written.expect("written");
    }
    assert_eq!(count(&db).await, 4);

    let left = timeout(Duration::ZERO, db.write(add("e").wait_for_company(at_most)));
    left.await.expect_err("it waits");
    db.close().await;
    assert_eq!(count(&place.open().await).await, 5);
}

pub(crate) async fn a_unit_that_is_refused_undoes_nothing_of_its_company(place: Place) {
    let db = place.open().await;
    db.write(add("taken")).await.expect("written");
    let touch = |id| sql("UPDATE things SET used_at = 7 WHERE id = $1").bind(id);
    let at_once = |unit: Unit| db.write(unit.wait_for_company(Duration::from_millis(50)));

    // Refused by its first check, and so with nothing to undo.
    let (a, missing, b) = tokio::join!(
        at_once(add("a")),
        at_once(Unit::new().expect(1, touch("missing"))),
        at_once(add("b")),
    );
    let (a, b) = (a.expect("written"), b.expect("written"));
    assert_eq!([a.touched(2), a.touched(3), b.touched(2)], [1, 0, 1]);
    assert!(missing.is_err_and(|e| e.is_touched()));

    // When it had changed something, by the database, and as nonsense.
    let half = Unit::new()
        .expect(1, touch("a"))
        .expect(1, touch("missing"));
    let (c, half, d) = tokio::join!(at_once(add("c")), at_once(half), at_once(add("d")));
    c.and(d).expect("written");
    match half {
        Err(Error::Touched { statement: 1, .. }) => {}
        other => panic!("{other:?}"),
    }
    let twice = add("x").append(add("taken"));
    let (beside, twice) = tokio::join!(at_once(add("e")), at_once(twice));
    beside.expect("written");
    match twice {
        Err(Error::Unique { statement: 3 }) => {}
        other => panic!("{other:?}"),
    }
    let nonsense = add("y").run(sql("UPDATE things SET nothing = 1"));
    let (beside, broken) = tokio::join!(at_once(add("f")), at_once(nonsense));
    beside.expect("written");
    assert!(matches!(broken, Err(Error::Broken(_))), "{broken:?}");
    let there = ["a", "b", "c", "d", "e", "f", "taken"].map(|id| (id.to_owned(), 2));
    assert_eq!(things(&db).await, there);
    let used = sql("SELECT id FROM things WHERE used_at IS NOT NULL");
    assert!(db.one(used, |_| Ok(())).await.expect("read").is_none());
}

pub(crate) async fn what_is_asked_is_counted(place: Place) {
    let db = place.open().await;
    let before = db.counts();
    db.write(add("a")).await.expect("written");
    db.write(add("b")).await.expect("written");
    assert_eq!(count(&db.clone()).await, 2);
    let after = db.counts();
    assert_eq!(after.questions - before.questions, 1);
    assert_eq!(after.units - before.units, 2);
    assert_eq!(after.changes - before.changes, 6);
}

pub(crate) async fn it_answers_and_is_whole(place: Place) {
    let db = place.open().await;
    db.ping().await.expect("it answers");
    db.integrity().await.expect("it is whole");
    assert_eq!(
        db.kind() == Engine::Postgres,
        place.url.starts_with("postgres")
    );
    if db.kind() == Engine::Sqlite {
        assert!(db.edition(None).await.is_some());
    }
    let stats = db.stats();
    assert!(stats.read_connections > 0);
    assert_eq!((stats.reads_waiting, stats.writes_waiting), (0, 0));
}
