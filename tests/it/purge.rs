//! What is over leaves the database by itself, all of it and nothing else.

use db::{Db, Unit, sql};
use doorward::app::MIGRATIONS;
use doorward::clock::Clock;

use crate::harness::process::Place;

/// Rows that are over: far more than a step removes.
const OVER: i64 = 2_000;
/// Rows that are not, until the year 2096.
const LIVING: i64 = 50;
const LATER: i64 = 4_000_000_000_000_000;

#[tokio::test]
async fn a_backlog_is_worked_off_and_what_lives_stays() {
    let place = Place::new().await;
    // Makes the database.
    drop(place.serve());
    let db = Db::open_beside(&place.database_url(), MIGRATIONS)
        .await
        .unwrap();
    let user = sql(
        "INSERT INTO users (id, email, email_key, email_verified, roles, metadata, created_at, updated_at) \
         VALUES ('u', 'a@example.com', 'a@example.com', FALSE, '', '{}', 0, 0)",
    );
    db.write(Unit::new().expect(1, user)).await.unwrap();
    let rows = Unit::new()
        .append(sessions(0, OVER))
        .append(revocations(0, OVER))
        .append(spent_proofs(0, OVER))
        .append(ceremonies(0, OVER))
        .append(audit(0, OVER))
        .append(sessions(LATER, LIVING))
        .append(revocations(LATER, LIVING))
        .append(spent_proofs(LATER, LIVING))
        .append(ceremonies(LATER, LIVING))
        .append(audit(LATER, LIVING));
    db.write(rows).await.unwrap();

    let _server = place.serve();
    let counts = [
        "SELECT CAST(count(*) AS BIGINT) AS n FROM sessions WHERE expires_at <= $1",
        "SELECT CAST(count(*) AS BIGINT) AS n FROM revocations WHERE until <= $1",
        "SELECT CAST(count(*) AS BIGINT) AS n FROM spent_proofs WHERE until <= $1",
        "SELECT CAST(count(*) AS BIGINT) AS n FROM ceremonies WHERE expires_at <= $1",
        "SELECT CAST(count(*) AS BIGINT) AS n FROM audit WHERE user_id = 'u' AND at <= $1",
    ];
    for count in counts {
        let of = async |until: i64| {
            let n = db.one(sql(count).bind(until), |row| row.int("n")).await;
            n.unwrap().unwrap()
        };
        while of(OVER).await > 0 {}
        assert_eq!(of(i64::MAX).await, LIVING, "{count}");
    }
    db.close().await;
}

/// So many sessions that are over a microsecond after the other, from `first` on.
fn sessions(first: i64, count: i64) -> Unit {
    let rows = sql(
        "INSERT INTO sessions (id, user_id, auth_time, amr, created_at, expires_at, ip) \
         WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1 + $2) \
         SELECT CAST(i AS TEXT), 'u', 0, 'pwd', 0, i, '192.0.2.1' FROM n",
    );
    Unit::new().run(rows.bind(first).bind(count))
}

/// The same of revocations.
fn revocations(first: i64, count: i64) -> Unit {
    let rows = sql("INSERT INTO revocations (session_id, until) \
         WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1 + $2) \
         SELECT CAST(i AS TEXT), i FROM n");
    Unit::new().run(rows.bind(first).bind(count))
}

/// The same of proofs of work.
fn spent_proofs(first: i64, count: i64) -> Unit {
    let row = sql("INSERT INTO spent_proofs (proof, until) VALUES ($1, $2)");
    (first..first + count).fold(Unit::new(), |unit, until| {
        unit.run(row.clone().bind(until.to_be_bytes()).bind(until))
    })
}

/// The same of ceremonies.
fn ceremonies(first: i64, count: i64) -> Unit {
    let row = sql(
        "INSERT INTO ceremonies (id, kind, state, expires_at, epoch) VALUES ($1, 'sign_in', '{}', $2, 0)",
    );
    (first..first + count).fold(Unit::new(), |unit, until| {
        unit.run(row.clone().bind(until.to_be_bytes()).bind(until))
    })
}

/// The same of the audit trail.
fn audit(first: i64, count: i64) -> Unit {
    let row = sql(
        "INSERT INTO audit (id, at, event, actor, user_id) VALUES ($1, $2, 'tested', 'service', 'u')",
    );
    (first..first + count).fold(Unit::new(), |unit, at| {
        unit.run(row.clone().bind(format!("{at:016}")).bind(at))
    })
}

/// A trail that is kept for good is left alone, and what is younger than it is kept for stays.
#[tokio::test]
async fn the_trail_is_kept_for_as_long_as_the_operator_says() {
    const DAY: i64 = 24 * 3_600 * 1_000_000;
    let now = Clock::system().now().micros();
    for (keep, left) in [("off", 3), ("30d", 2), ("5d", 1)] {
        let place = Place::new().await.with("audit.keep", keep);
        drop(place.serve());
        let db = Db::open_beside(&place.database_url(), MIGRATIONS)
            .await
            .unwrap();
        for days in [1, 20, 40] {
            db.write(audit(now - days * DAY, 1)).await.unwrap();
        }
        // Purged before it, in the same round.
        db.write(ceremonies(0, 1)).await.unwrap();
        let _server = place.serve();
        let count = async |of: &'static str| {
            let n = db.one(sql(of), |row| row.int("n")).await;
            n.unwrap().unwrap()
        };
        while count("SELECT CAST(count(*) AS BIGINT) AS n FROM ceremonies").await > 0 {}
        let trail = "SELECT CAST(count(*) AS BIGINT) AS n FROM audit WHERE user_id = 'u'";
        while count(trail).await > left {}
        assert_eq!(count(trail).await, left, "{keep}");
        db.close().await;
    }
}
