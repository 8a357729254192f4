//! The rows of proofs that were taken.

use db::{Sql, sql};

use crate::clock::Timestamp;

/// Takes the proof of this sum; touches no row when it was taken before.
pub fn spend(sum: &[u8], until: Timestamp) -> Sql {
    sql("INSERT INTO spent_proofs (proof, until) VALUES ($1, $2) ON CONFLICT (proof) DO NOTHING")
        .bind(sum)
        .bind(until)
}

/// Forgets up to `limit` proofs that had to be known until before `moment`.
pub fn delete_over(moment: Timestamp, limit: u32) -> Sql {
    sql("DELETE FROM spent_proofs WHERE proof IN \
         (SELECT proof FROM spent_proofs WHERE until < $1 ORDER BY until LIMIT $2)")
    .bind(moment)
    .bind(i64::from(limit))
}
