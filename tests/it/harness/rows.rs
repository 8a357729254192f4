//! All that a database holds, as text that can be compared: table by table as the database itself lists them, so that a
//! table that is added is looked at without a word here.

use db::{Db, Engine, sql};
use tokio::sync::OnceCell;

/// Written on every attempt, and meant to be.
const TRAIL: &str = "audit";

/// How everything but the trail is read, and how the trail is. All databases of a process have one schema.
static READING: OnceCell<[&str; 2]> = OnceCell::const_new();

/// What tables held at one moment: the name of each and a text for each of its rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Rows(Vec<(String, String)>);

/// Everything but the audit trail, and but for the ceremonies of passkeys that anybody may begin without saying who they are:
/// whoever asks for one changes nothing for anybody.
pub async fn all(db: &Db) -> Rows {
    let [all, _] = READING.get_or_init(async || reading(db).await).await;
    let Rows(mut rows) = Rows::read(db, all).await;
    rows.retain(|(table, line)| table != "ceremonies" || !line.contains("sign_in"));
    Rows(rows)
}

/// The audit trail.
pub async fn trail(db: &Db) -> Rows {
    let [_, trail] = READING.get_or_init(async || reading(db).await).await;
    Rows::read(db, trail).await
}

impl Rows {
    async fn read(db: &Db, reading: &'static str) -> Self {
        let rows = db.all(sql(reading), |row| {
            Ok((row.text("name")?, row.text("line")?))
        });
        Self(rows.await.unwrap())
    }

    /// Whether any of them has `text` in it.
    pub fn hold(&self, text: &str) -> bool {
        self.0.iter().any(|(_, line)| line.contains(text))
    }
}

/// One row of the audit trail, about a request.
pub struct Audit {
    pub event: String,
    pub ip: String,
}

/// What the audit trail tells of the request `id`.
pub async fn audited(db: &Db, id: &str) -> Vec<Audit> {
    let rows = sql("SELECT event, ip FROM audit WHERE request_id = $1").bind(id);
    let rows = db.all(rows, |row| {
        Ok(Audit {
            event: row.text("event")?,
            ip: row.text("ip")?,
        })
    });
    rows.await.unwrap()
}

async fn reading(db: &Db) -> [&'static str; 2] {
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
    [all, trail].map(joined)
}

/// One statement of them all. A statement lives as long as the process, and the names in it are the schema's own.
fn joined(tables: Vec<(String, String)>) -> &'static str {
    let readings: Vec<String> = tables.into_iter().map(|(_, reading)| reading).collect();
    format!("{} ORDER BY name, line", readings.join(" UNION ALL ")).leak()
}
