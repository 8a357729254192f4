//! Second factors that are used up, replaced or over.

use std::time::Duration;

use doorward::challenges::{self, Challenge, LIFETIME};
use doorward::password::{Norm, Stored};
use doorward::sessions::Carried;
use doorward::trusted_devices::{self, Mark};
use doorward::{recovery_codes, totp};

use super::{password_of, shut, touches};
use crate::harness::phone::Phone;
use crate::harness::{ADA, asking, server};
use crate::totp::owner;

/// As close as the clock goes.
fn just_before(end: Duration) -> Duration {
    end.saturating_sub(Duration::from_micros(1))
}

#[tokio::test]
async fn a_challenge_is_held_tried_and_met_until_it_is_over() {
    use challenges::store::{charge, hold, insert, spend};
    server(async |server| {
        let user = &owner(server, &server.signs_up(ADA).await).await;
        let hash = &password_of(server, user).await;
        let now = server.clock.now();
        let (last, over) = (now.plus(just_before(LIFETIME)), now.plus(LIFETIME));
        let begun = async || {
            let challenge = Challenge::new();
            let begin = insert(&challenge, user, Carried::Token, hash, now);
            assert!(touches(server, begin).await);
            challenge
        };

        for statement in [hold, charge, spend] {
            let challenge = begun().await;
            assert!(!touches(server, statement(&challenge, over)).await);
            assert!(touches(server, statement(&challenge, last)).await);
        }

        let tried = begun().await;
        while touches(server, charge(&tried, now)).await {}
        assert!(!touches(server, hold(&tried, now)).await);

        let met = begun().await;
        assert!(touches(server, spend(&met, now)).await);
        for statement in [hold, charge, spend] {
            assert!(!touches(server, statement(&met, now)).await);
        }
    })
    .await;
}

#[tokio::test]
async fn a_challenge_does_not_begin_by_what_counts_no_more() {
    server(async |server| {
        let user = &owner(server, &server.signs_up(ADA).await).await;
        let hash = &password_of(server, user).await;
        let begins = async |hash: &str| {
            let now = server.clock.now();
            let challenge = Challenge::new();
            let begin = challenges::store::insert(&challenge, user, Carried::Token, hash, now);
            touches(server, begin).await
        };
        assert!(begins(hash).await);
        assert!(!begins("another").await);
        shut(server, user).await;
        assert!(!begins(hash).await);
    })
    .await;
}

#[tokio::test]
async fn an_app_is_confirmed_once_and_for_what_it_showed() {
    use totp::store::{confirm, enrolled};
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let user = &owner(server, &token).await;
        let (db, now) = (&server.app.db, server.clock.now());
        Phone::enrols(server, &token).await;
        let replaced = enrolled(db, user).await.unwrap().unwrap();
        let phone = Phone::enrols(server, &token).await;
        let shown = enrolled(db, user).await.unwrap().unwrap();
        assert!(!touches(server, confirm(user, &replaced, now)).await);
        assert_eq!(phone.confirms(server, &token).await.status, 200);
        assert!(!touches(server, confirm(user, &shown, now)).await);
    })
    .await;
}

#[tokio::test]
async fn a_recovery_code_is_used_once_and_only_the_one_that_was_verified() {
    use recovery_codes::store::{spend, unused};
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let user = &owner(server, &token).await;
        Phone::is_set_up(server, &token).await;
        let now = server.clock.now();
        let verified = unused(&server.app.db, user, 0).await.unwrap().unwrap();
        let another = Stored {
            hash: "another".to_owned(),
            norm: Norm::Raw,
        };
        assert!(!touches(server, spend(user, 0, &another, now)).await);
        assert!(touches(server, spend(user, 0, &verified, now)).await);
        assert!(!touches(server, spend(user, 0, &verified, now)).await);
    })
    .await;
}

#[tokio::test]
async fn a_device_is_trusted_until_its_time() {
    use trusted_devices::store::{insert, still};
    const SPAN: Duration = Duration::from_mins(1);
    server(async |server| {
        let user = &owner(server, &server.signs_up(ADA).await).await;
        let now = server.clock.now();
        let mark = Mark::of(&[1; 16], user, &server.app.stamp);
        let trust = insert(&mark, user, SPAN, &asking(now));
        assert!(touches(server, trust).await);
        let last = now.plus(just_before(SPAN));
        assert!(touches(server, still(&mark, user, last)).await);
        assert!(!touches(server, still(&mark, user, now.plus(SPAN))).await);
        let other = Mark::of(&[2; 16], user, &server.app.stamp);
        assert!(!touches(server, still(&other, user, now)).await);
    })
    .await;
}
