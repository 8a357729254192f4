//! What the rows of an account say of its second factors together.

use db::{Db, Sql, sql};

use crate::error::Error;
use crate::ids::{SessionId, UserId};

/// What is true of an account with a second factor.
macro_rules! has_second_factor {
    () => {
        "(EXISTS (SELECT 1 FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL) \
         OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1))"
    };
}
pub(crate) use has_second_factor;

/// Whether an account has one.
pub async fn are_there(db: &Db, user: &UserId) -> Result<bool, Error> {
    let query = sql(concat!(
        "SELECT 1 AS one FROM users WHERE id = $1 AND ",
        has_second_factor!()
    ))
    .bind(user);
    Ok(db.one(query, |_| Ok(())).await?.is_some())
}

/// Touches the row of an account with one, and no other. A statement of its own: on PostgreSQL one that waits for the row asks
/// the rest as it was before.
pub fn ask(user: &UserId) -> Sql {
    sql(concat!(
        "UPDATE users SET updated_at = updated_at WHERE id = $1 AND ",
        has_second_factor!()
    ))
    .bind(user)
}

/// Touches the row of an account without one, and no other.
pub fn ask_none(user: &UserId) -> Sql {
    sql(concat!(
        "UPDATE users SET updated_at = updated_at WHERE id = $1 AND NOT ",
        has_second_factor!()
    ))
    .bind(user)
}

/// Touches the row of an account whose session has shown a second factor, and of one without a second factor; and where the
/// operator let somebody in, who has nothing to show.
pub fn ask_shown(user: &UserId, session: &SessionId) -> Sql {
    sql(concat!(
        "UPDATE users SET updated_at = updated_at WHERE id = $1 AND (NOT ",
        has_second_factor!(),
        " OR EXISTS (SELECT 1 FROM sessions WHERE id = $2 AND (amr = '' OR ' ' || amr || ' ' LIKE '% mfa %')))"
    ))
    .bind(user)
    .bind(session)
}
