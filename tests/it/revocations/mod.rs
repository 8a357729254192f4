//! Revoked means refused: on the node that did it at once, on every other one within a second, whatever fails.

mod endings;
mod feed;
mod restored;

use db::{Db, Sql, Unit};
use doorward::app::App;
use doorward::ids::{SessionId, UserId};
use doorward::revocations::Verdict;
use doorward::revocations::store::{Which, end};

use crate::harness::{PASSWORD, Server};

/// Somebody's token, and what is in it.
struct Held {
    token: String,
    user: UserId,
    session: SessionId,
}

impl Held {
    fn of(token: &str) -> Self {
        let (_, claims) = jose::decode_unverified(token).unwrap();
        let id = |claim: &str| claims[claim].as_str().unwrap().to_owned();
        Self {
            token: token.to_owned(),
            user: UserId::from_stored(id("sub")),
            session: SessionId::from_stored(id("sid")),
        }
    }

    /// From a sign-up.
    async fn new(server: &Server, email: &str) -> Self {
        Self::of(&server.signs_up(email).await)
    }

    /// From one more sign-in.
    async fn again(server: &Server, email: &str) -> Self {
        Self::of(server.signs_in(email, PASSWORD).await.token().unwrap())
    }

    fn one(&self) -> Which<'_> {
        Which::One {
            user: &self.user,
            session: &self.session,
        }
    }

    /// What `app` knows of it by itself.
    fn verdict(&self, app: &App) -> Verdict {
        app.revocations.verdict(&self.session, app.clock.now())
    }

    /// Whether `app` takes it, after the database if need be.
    async fn is_live(&self, app: &App) -> bool {
        let now = app.clock.now();
        let is_live = app
            .revocations
            .is_live(&app.db, &self.session, &self.user, now);
        is_live.await.unwrap()
    }
}

/// Ends sessions, and asks again while the database has too much to do.
async fn ends(app: &App, which: Which<'_>) {
    let unit = end(which, app.clock.now());
    loop {
        match app.revocations.write(&app.db, unit.clone()).await {
            Err(error) if error.is_unavailable() => {}
            done => return drop(done.unwrap()),
        }
    }
}

async fn refresh(app: &App) {
    let now = app.clock.now();
    app.revocations.refresh(&app.db, now).await.unwrap();
}

/// A number that a query calls `n`.
async fn number(db: &Db, query: Sql) -> i64 {
    let n = db.one(query, |row| row.int("n")).await;
    n.unwrap().unwrap()
}

async fn run(db: &Db, statement: Sql) {
    db.write(Unit::new().run(statement)).await.unwrap();
}
