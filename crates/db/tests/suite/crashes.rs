//! What was acknowledged outlives the process that acknowledged it.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
};

use db::{Db, Migration, sql};

use super::{Place, add, things};

/// The test is its own child, which writes until it is killed, and says what was acknowledged.
pub(crate) async fn kill_9_loses_nothing(place: Place) {
    if place.is_child {
        return storm(&place.open().await).await;
    }
    let mut acknowledged = BTreeSet::new();
    for round in 0..12 {
        let mut child = place
            .child("kill_9_loses_nothing")
            .spawn()
            .expect("it starts");
        let said = BufReader::new(child.stdout.take().expect("piped"));
        let mut heard = 0;
        // Killed after another number of acknowledgements each round; what was said before death still counts.
        for line in said.lines().map_while(Result::ok) {
            let Some((_, id)) = line.split_once("acknowledged ") else {
                continue;
            };
            acknowledged.insert(id.to_owned());
            heard += 1;
            if heard == 1 + round * 37 {
                child.kill().expect("killed");
            }
        }
        assert!(!child.wait().expect("it ended").success(), "it was killed");
        let db = place.open().await;
        let found = things(&db).await;
        assert!(
            found.iter().all(|(_, parts)| *parts == 2),
            "no unit is half there"
        );
        let found: BTreeSet<String> = found.into_iter().map(|(id, _)| id).collect();
        let lost: Vec<_> = acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        db.integrity().await.expect("whole");
        db.close().await;
    }
}

/// The test is its own child, which migrates until it is killed.
pub(crate) async fn kill_9_in_a_migration(place: Place) {
    const MANY: u32 = 240;
    let table = |n: u32| {
        let text = format!("CREATE TABLE t{n} (a TEXT); INSERT INTO t{n} (a) VALUES ('x'), ('y')");
        Migration {
            version: n,
            name: "a table",
            sql: text.leak(),
        }
    };
    let migrations: Vec<Migration> = (1..=MANY).map(table).collect();
    if place.is_child {
        Db::open(&place.url, &migrations).await.expect("it opens");
        return;
    }
    for killed_at in [1, 40, 90, 150] {
        let mut child = place
            .child("kill_9_in_a_migration")
            .spawn()
            .expect("it starts");
        while crate::applied(&place).await < killed_at {
            tokio::task::yield_now().await;
        }
        child.kill().expect("killed");
        assert!(
            !child.wait().expect("it ended").success(),
            "it was killed in the middle"
        );
        // What was noted is there: none of it is refused. What was not noted is not: the next round makes it anew.
        let done = usize::try_from(crate::applied(&place).await).expect("a count");
        assert!(done < migrations.len(), "it was killed in the middle");
        Db::open(&place.url, &migrations[..done])
            .await
            .expect("untouched or done")
            .close()
            .await;
    }
    let db = Db::open(&place.url, &migrations)
        .await
        .expect("it completes");
    let last = sql("SELECT count(*) AS n FROM t240");
    assert_eq!(
        db.one(last, |row| row.int("n")).await.expect("asked"),
        Some(2)
    );
}

async fn storm(db: &Db) {
    let writer = |task: u32| {
        let db = db.clone();
        async move {
            for n in 0.. {
                let id = format!("{}-{task}-{n}", std::process::id());
                db.write(add(&id)).await.expect("written");
                let line = format!("acknowledged {id}\n");
                std::io::stdout().write_all(line.as_bytes()).expect("said");
            }
        }
    };
    let writers: Vec<_> = (0..32).map(|task| tokio::spawn(writer(task))).collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
}
