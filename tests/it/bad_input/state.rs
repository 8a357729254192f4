//! All that a database holds, table by table, as the database itself lists them: a table that is added is looked at
//! without a word here.

use db::{Db, Engine, sql};

/// Written on every attempt, and meant to be.
const TRAIL: &str = "audit";

/// How all the tables are read, and how the trail is.
pub struct Tables {
    all: &'static str,
    trail: &'static str,
}

/// What each table held at one moment: its name and a text for each row.
#[derive(Debug, PartialEq, Eq)]
pub struct Rows(Vec<(String, String)>);

impl Tables {
    pub async fn of(db: &Db) -> Self {
        let listed = match db.kind() {
            Engine::Sqlite => {
                "SELECT m.name AS name, 'SELECT ''' || m.name || ''' AS name, ' || \
                 group_concat('quote(\"' || c.name || '\")', ' || '' '' || ') || ' AS line FROM \"' || m.name || '\"' AS reading \
                 FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' GROUP BY m.name"
            }
            Engine::Postgres => {
                "SELECT CAST(table_name AS TEXT) AS name, \
                 'SELECT ''' || table_name || ''' AS name, CAST(t AS TEXT) AS line FROM \"' || table_name || '\" t' AS reading \
                 FROM information_schema.tables WHERE table_schema = current_schema()"
            }
        };
        let tables = db.all(sql(listed), |row| {
            Ok((row.text("name")?, row.text("reading")?))
        });
        let (trail, all): (Vec<_>, Vec<_>) = tables
            .await
            .unwrap()
            .into_iter()
            .partition(|(name, _)| name == TRAIL);
        assert!(all.iter().any(|(name, _)| name == "users"), "{all:?}");
        Self {
            all: joined(all),
            trail: joined(trail),
        }
    }

    /// Everything but the audit trail.
    pub async fn look(&self, db: &Db) -> Rows {
        Rows::read(db, self.all).await
    }

    /// The audit trail.
    pub async fn trail(&self, db: &Db) -> Rows {
        Rows::read(db, self.trail).await
    }
}

/// One statement of them all. A statement must live as long as the process, and the names in it are the schema's own.
fn joined(tables: Vec<(String, String)>) -> &'static str {
    let readings: Vec<String> = tables.into_iter().map(|(_, reading)| reading).collect();
    format!("{} ORDER BY name, line", readings.join(" UNION ALL ")).leak()
}

impl Rows {
    async fn read(db: &Db, reading: &'static str) -> Self {
        let rows = db.all(sql(reading), |row| {
            Ok((row.text("name")?, row.text("line")?))
        });
        Self(rows.await.unwrap())
    }

    /// Whether any row of any table has `text` in it.
    pub fn hold(&self, text: &str) -> bool {
        self.0.iter().any(|(_, line)| line.contains(text))
    }
}
