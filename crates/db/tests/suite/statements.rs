//! Values in and out, and what the shared dialect refuses.

use db::{Error, Kind, Sql, ToValue, Value, sql};

use super::{Place, add, count, shown};

const INSERT: &str =
    "INSERT INTO things (id, number, flag, bytes, used_at) VALUES ($1, $2, $3, $4, $5)";
const SELECT: &str = "SELECT id, number, flag, bytes, used_at FROM things WHERE id = $1";

pub(crate) async fn every_kind_comes_back_as_it_went_in(place: Place) {
    let db = place.open().await;
    let texts = [
        "",
        "plain",
        "grüße, 漢字, \u{1f511}",
        "'; DROP TABLE things; --",
        "a\u{1}\n\t\\",
    ];
    let numbers = [i64::MIN, -1, 0, 1, i64::MAX];
    let bytes: [&[u8]; 5] = [b"", b"\0", b"\0\xff\x80", &[0x5c; 300], b"text"];
    for ((text, number), bytes) in texts.into_iter().zip(numbers).zip(bytes) {
        let flag = number >= 0;
        db.write(
            sql(INSERT)
                .bind(text)
                .bind(number)
                .bind(flag)
                .bind(bytes)
                .bind(number),
        )
        .await
        .expect("inserted");
        let row = db
            .one(sql(SELECT).bind(text), |row| Ok(row.clone()))
            .await
            .expect("read")
            .expect("there");
        assert_eq!(row.text("id").expect("text"), text);
        assert_eq!(row.int("number").expect("int"), number);
        assert_eq!(row.bool("flag").expect("bool"), flag);
        assert_eq!(row.bytes("bytes").expect("bytes"), bytes);
        assert_eq!(row.opt_int("used_at").expect("int"), Some(number));
    }
    let found = db.all(
        sql("SELECT id FROM things WHERE flag AND number >= $1").bind(0),
        |row| row.text("id"),
    );
    assert_eq!(found.await.expect("read").len(), 3);
}

pub(crate) async fn nulls_have_a_kind(place: Place) {
    let db = place.open().await;
    let insert = sql(INSERT)
        .bind("bare")
        .bind(None::<i64>)
        .bind(None::<bool>)
        .bind(None::<Vec<u8>>)
        .bind(None::<i32>);
    db.write(insert).await.expect("inserted");
    let row = db
        .one(sql(SELECT).bind("bare"), |row| Ok(row.clone()))
        .await
        .expect("read")
        .expect("there");
    assert_eq!(row.opt_int("number").expect("int"), None);
    assert_eq!(row.opt_bool("flag").expect("bool"), None);
    assert_eq!(row.opt_bytes("bytes").expect("bytes"), None);
    assert!(
        matches!(row.int("number"), Err(Error::Broken(_))),
        "a null is no number"
    );

    // PostgreSQL could not guess the kind of this placeholder.
    let either = "SELECT id FROM things WHERE $1 IS NULL OR id = $1";
    let all = db
        .all(sql(either).bind(None::<&str>), |row| row.text("id"))
        .await
        .expect("read");
    let none = db
        .all(sql(either).bind(Some("other".to_owned())), |row| {
            row.text("id")
        })
        .await
        .expect("read");
    assert_eq!((all.len(), none.len()), (1, 0));
    assert!(matches!(None::<u32>.to_value(), Value::Null(Kind::Int)));
}

pub(crate) async fn placeholders_are_numbers(place: Place) {
    let db = place.open().await;
    // SQLite would number them by their first appearance.
    let text = "SELECT $2 AS b, $1 AS a, $2 AS c, '$3' AS quoted -- $4\n /* $5 */";
    let row = db.one(sql(text).bind("first").bind(2), |row| {
        Ok((
            row.text("a")?,
            row.int("b")?,
            row.int("c")?,
            row.text("quoted")?,
        ))
    });
    let row = row.await.expect("read").expect("a row");
    assert_eq!(row, ("first".to_owned(), 2, 2, "$3".to_owned()));
}

pub(crate) async fn a_mismatch_is_refused_before_anything_runs(place: Place) {
    let db = place.open().await;
    let refused: [Sql; 10] = [
        sql("SELECT $1 AS a"),
        sql("SELECT $1 AS a, $3 AS b").bind(1).bind(2),
        sql("SELECT $1 AS a").bind(1).bind(2),
        sql("SELECT $01 AS a").bind(1),
        sql("SELECT ? AS a").bind(1),
        sql("SELECT :a AS a").bind(1),
        sql("SELECT $1::bigint AS a").bind(1),
        sql("SELECT 1 AS a; SELECT 2 AS b"),
        sql("SELECT $1 AS a").bind("a\0b"),
        sql("SELECT 'a AS a"),
    ];
    for question in refused {
        let unit = add("never").run(question.clone());
        assert!(
            matches!(db.write(unit).await, Err(Error::Broken(_))),
            "{question:?}"
        );
        let asked = db.one(question.clone(), |_| Ok(())).await;
        assert!(matches!(asked, Err(Error::Broken(_))), "{question:?}");
    }
    assert_eq!(count(&db).await, 0);
}

pub(crate) async fn one_is_one(place: Place) {
    let db = place.open().await;
    let ids = || sql("SELECT id FROM things");
    assert_eq!(
        db.one(ids(), |row| row.text("id")).await.expect("read"),
        None
    );
    db.write(add("a")).await.expect("written");
    assert_eq!(
        db.one(ids(), |row| row.text("id"))
            .await
            .expect("read")
            .as_deref(),
        Some("a")
    );
    db.write(add("b")).await.expect("written");
    assert!(matches!(
        db.one(ids(), |row| row.text("id")).await,
        Err(Error::Broken(_))
    ));
    assert_eq!(
        db.all(ids(), |row| row.text("id"))
            .await
            .expect("read")
            .len(),
        2
    );
}

pub(crate) async fn a_question_does_not_write(place: Place) {
    let db = place.open().await;
    for write in [
        "INSERT INTO things (id) VALUES ('sly') RETURNING id",
        "INSERT INTO things (id) VALUES ('sly')",
        "DROP TABLE parts",
    ] {
        let asked = db.all(sql(write), |row| row.text("id")).await;
        assert!(matches!(asked, Err(Error::Broken(_))), "{asked:?}");
    }
    assert_eq!(count(&db).await, 0);
}

pub(crate) async fn both_databases_mean_the_same(place: Place) {
    let db = place.open().await;
    let truth = |text| {
        let db = &db;
        async move { db.one(sql(text), |row| row.bool("yes")).await }
    };
    // SQLite alone would say otherwise: LIKE there ignores case, and a name that it does not know is a string.
    assert_eq!(
        truth("SELECT 'A' LIKE 'a' AS yes").await.expect("asked"),
        Some(false)
    );
    assert!(matches!(
        truth("SELECT \"nothing\" = 'nothing' AS yes").await,
        Err(Error::Broken(_))
    ));
    assert_eq!(
        truth("SELECT NULL IS NOT DISTINCT FROM NULL AS yes")
            .await
            .expect("asked"),
        Some(true)
    );
    let sum = sql(
        "SELECT CAST(sum(x) AS BIGINT) AS sum FROM (SELECT 1 AS x UNION ALL SELECT 2 AS x) AS t",
    );
    assert_eq!(
        db.one(sum, |row| row.int("sum")).await.expect("asked"),
        Some(3)
    );
    let fraction = db.one(sql("SELECT 1.5 AS x"), |row| row.int("x")).await;
    assert!(matches!(fraction, Err(Error::Broken(_))));
}

pub(crate) async fn a_column_is_read_as_what_it_is(place: Place) {
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    let wrong = [
        db.one(sql("SELECT id FROM things"), |row| row.int("id").map(drop))
            .await,
        db.one(sql("SELECT id FROM things"), |row| {
            row.bytes("id").map(drop)
        })
        .await,
        db.one(sql("SELECT id FROM things"), |row| {
            row.text("other").map(drop)
        })
        .await,
        db.one(sql("SELECT 2 AS n"), |row| row.bool("n").map(drop))
            .await,
        db.one(sql("SELECT nothing FROM things"), |_| Ok(())).await,
    ];
    for answer in wrong {
        assert!(matches!(answer, Err(Error::Broken(_))), "{answer:?}");
    }
}

pub(crate) async fn errors_never_quote_values(place: Place) {
    const CANARY: &str = "canary-4711";
    let db = place.open().await;
    let insert = || sql("INSERT INTO things (id, number) VALUES ($1, 1)").bind(CANARY);
    db.write(insert()).await.expect("written");
    let statement = format!("{:?}", insert());
    assert!(
        statement.contains("Text") && !statement.contains(CANARY),
        "{statement}"
    );
    let failing = [
        insert(),
        sql("INSERT INTO parts (thing_id, part) VALUES ('no such thing', $1)").bind(CANARY),
        sql("UPDATE things SET id = $1 WHERE nothing = $1").bind(CANARY),
        sql("INSERT INTO parts (thing_id, part) VALUES (NULL, $1)").bind(CANARY),
        sql("UPDATE things SET number = CAST($1 AS BIGINT) / 0 WHERE id = 'x'")
            .bind("17")
            .bind(CANARY),
    ];
    for statement in failing {
        let error = db.write(statement.clone()).await.expect_err("it fails");
        assert!(!shown(&error).contains(CANARY), "{}", shown(&error));
    }
    let row = db
        .one(sql("SELECT id FROM things"), |row| Ok(row.clone()))
        .await
        .expect("read")
        .expect("there");
    assert!(!format!("{row:?}").contains(CANARY), "{row:?}");
    let wrong = row.int("id").expect_err("text is no number");
    assert!(!shown(&wrong).contains(CANARY), "{}", shown(&wrong));
}

pub(crate) async fn who_asks_without_end_gives_way_to_others(place: Place) {
    let db = place.open().await;
    let others_turn = std::cell::Cell::new(false);
    let asking = async {
        for _ in 0..10_000 {
            let key = sql("SELECT id FROM things WHERE id = $1").bind("a");
            let found = db.one(key, |row| row.text("id")).await;
            assert_eq!(found.expect("read"), None);
            if others_turn.get() {
                return true;
            }
        }
        false
    };
    let other = async { others_turn.set(true) };
    let (gave_way, ()) = tokio::join!(biased; asking, other);
    assert!(gave_way);
}
