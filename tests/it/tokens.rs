//! Tokens and the keys behind them. Tests named `T<n>_..` are the cases of one catalogue of bad tokens, each against the
//! bearer routes of a whole service that signs by each algorithm; the token crate has more of them for itself.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

mod bytes;
mod claims;
pub mod endings;
pub mod forge;
mod forged;
mod form;
mod header;
mod rotation;
mod rotation_races;

use std::time::Duration;

use crate::harness::{ADA, server};
#[tokio::test]
async fn a_token_is_good_until_its_time_is_up() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        server.wait(Duration::from_secs(3_599));
        assert_eq!(server.get_as(&token, "/auth/me").await.status, 200);
        server.wait(Duration::from_secs(1));
        let answer = server.get_as(&token, "/auth/me").await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (401, "token_expired")
        );
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer error=\"invalid_token\""
        );
    })
    .await;
}
