//! What must hold on both databases. Each target names the place where its database is and runs all of it.

pub(crate) mod crashes;
pub(crate) mod migrations;
pub(crate) mod races;
pub(crate) mod statements;
pub(crate) mod units;

use std::process::{Command, Stdio};

use db::{Db, Error, Migration, Unit, sql};
use tempfile::TempDir;

/// Where the database of one test is: empty, and nobody else's.
pub(crate) struct Place {
    pub(crate) url: String,
    /// Whether this process was started by a test, to do something to the database of that test.
    pub(crate) is_child: bool,
    /// The folder of a file database, removed with this.
    pub(crate) _folder: Option<TempDir>,
}

/// The schema of the tests.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "things",
        sql: "CREATE TABLE things (
                id TEXT PRIMARY KEY,
                number BIGINT,
                flag BOOLEAN,
                bytes BYTEA, -- the word BYTEA; in a comment stays
                used_at BIGINT
              );
              CREATE UNIQUE INDEX things_number ON things (number);",
    },
    Migration {
        version: 2,
        name: "parts",
        sql: "CREATE TABLE parts (
                thing_id TEXT NOT NULL REFERENCES things (id) ON DELETE CASCADE,
                part TEXT NOT NULL DEFAULT 'a BYTEA; quoted',
                PRIMARY KEY (thing_id, part)
              )",
    },
];

impl Place {
    /// The place of the test that started this process.
    pub(crate) fn inherited() -> Option<Place> {
        let url = std::env::var("DB_PLACE").ok()?;
        Some(Place {
            url,
            is_child: true,
            _folder: None,
        })
    }

    /// This test once more, as a process of its own at the same place.
    pub(crate) fn child(&self, test: &str) -> Command {
        let mut child = Command::new(std::env::current_exe().expect("the test"));
        child
            .args([test, "--exact", "--nocapture"])
            .env("DB_PLACE", &self.url)
            .stdout(Stdio::piped());
        child
    }

    pub(crate) async fn open(&self) -> Db {
        Db::open(&self.url, MIGRATIONS).await.expect("it opens")
    }
}

/// A unit that adds a thing with two parts.
pub(crate) fn add(id: &str) -> Unit {
    Unit::new()
        .expect(1, sql("INSERT INTO things (id) VALUES ($1)").bind(id))
        .expect(
            1,
            sql("INSERT INTO parts (thing_id, part) VALUES ($1, 'left')").bind(id),
        )
        .expect(
            1,
            sql("INSERT INTO parts (thing_id, part) VALUES ($1, 'right')").bind(id),
        )
}

/// Each thing there is, with how many parts it has.
pub(crate) async fn things(db: &Db) -> Vec<(String, i64)> {
    db.all(
        sql(
            "SELECT t.id, (SELECT count(*) FROM parts p WHERE p.thing_id = t.id) AS parts
             FROM things t ORDER BY t.id",
        ),
        |row| Ok((row.text("id")?, row.int("parts")?)),
    )
    .await
    .expect("the things are listed")
}

/// How many things there are.
pub(crate) async fn count(db: &Db) -> i64 {
    let count = db
        .one(sql("SELECT count(*) AS n FROM things"), |row| row.int("n"))
        .await;
    count.expect("it counts").expect("a row")
}

/// What an error shows of itself, by every way there is.
pub(crate) fn shown(error: &Error) -> String {
    format!("{error} {error:?}")
}

/// Runs every test of the suite at the place that the target makes.
macro_rules! suite {
    ($place:path) => {
        $crate::suite::tests! { $place;
            statements: every_kind_comes_back_as_it_went_in, nulls_have_a_kind, placeholders_are_numbers,
                a_mismatch_is_refused_before_anything_runs, one_is_one, a_question_does_not_write,
                both_databases_mean_the_same, a_column_is_read_as_what_it_is, errors_never_quote_values,
                who_asks_without_end_gives_way_to_others;
            units: all_or_nothing, a_broken_unique_rule_names_its_statement, rows_come_back,
                joined_units_are_one, foreign_keys_hold, an_empty_unit_is_written, a_closed_database_says_so,
                who_waits_for_company_is_written_all_the_same,
                a_unit_that_is_refused_undoes_nothing_of_its_company, what_is_asked_is_counted, it_answers_and_is_whole;
            races: many_writers_at_once, one_of_many_wins, a_caller_that_goes_away_changes_nothing,
                questions_do_not_wait_for_writers;
            migrations: they_run_once, a_newer_schema_is_refused, a_changed_migration_is_refused,
                a_failing_migration_leaves_nothing, transactions_are_not_their_business,
                their_numbers_ascend, many_processes_make_one_schema;
            crashes: kill_9_loses_nothing, kill_9_in_a_migration;
        }
    };
}
pub(crate) use suite;

macro_rules! tests {
    ($place:path; $($module:ident: $($name:ident),* ;)*) => {$($(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let place = match crate::suite::Place::inherited() {
                Some(place) => place,
                None => $place(stringify!($name)).await,
            };
            crate::suite::$module::$name(place).await;
        }
    )*)*};
}
pub(crate) use tests;
