//! What a request found, and another changed before it wrote: then it touches no row. The races bring the same about by chance.

mod second_factors;
mod sessions;

use db::{Sql, Unit, sql};
use doorward::audit::{self, About, By, Event};
use doorward::ids::UserId;
use doorward::users;

use crate::harness::Server;

/// Whether a statement touches the one row that it is about.
async fn touches(server: &Server, statement: Sql) -> bool {
    server.writes(Unit::new().expect(1, statement)).await
}

/// Whether a statement touches one row, for what nobody may do and leave no note of it.
async fn is_noted(server: &Server, statement: Sql, event: Event, about: About<'_>) -> bool {
    let by = By::Operator(server.clock.now());
    let unit = Unit::new().expect(1, statement);
    server.writes(unit.run(audit::row(event, by, about))).await
}

/// The hash of somebody's password.
async fn password_of(server: &Server, user: &UserId) -> String {
    let stored = sql("SELECT hash FROM passwords WHERE user_id = $1").bind(user);
    let stored = server.app.db.one(stored, |row| row.text("hash")).await;
    stored.unwrap().unwrap()
}

/// Shuts an account, and ends nothing that was begun.
async fn shut(server: &Server, user: &UserId) {
    let about = About {
        user: Some(user),
        session: None,
    };
    let shut = users::store::disable(user, server.clock.now());
    assert!(is_noted(server, shut, Event::UserDisabled, about).await);
}
