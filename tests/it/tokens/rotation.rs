//! One signing key follows another, and no token is lost on the way.

use std::sync::Arc;
use std::time::Duration;

use doorward::audit::By;
use doorward::sessions::{Carried, Session};
use doorward::tokens::keys::{self, JWKS_MAX_AGE, KeyRing, PUBLISH_AHEAD, Rotated, Rotation};
use doorward::tokens::{Tokens, store};
use doorward::users;
use jose::Algorithm;
use serde_json::Value;

use super::endings::owner;
use super::forge::{ALGORITHMS, Forger, for_each_algorithm, with};
use crate::harness::{ADA, PASSWORD, Server, asking, server_with};

const LIFETIME: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);

/// The operator makes the next key, which signs `ahead` from now.
async fn rotate(server: &Server, ahead: Duration) -> Option<Rotation> {
    let app = &server.app;
    let by = By::Operator(server.clock.now());
    let rotation = keys::rotate(&app.db, app.sealer(), &app.config.tokens, by, ahead);
    match rotation.await.unwrap() {
        Rotated::Made(rotation) => Some(rotation),
        _ => None,
    }
}

/// The names of the published keys, in order.
async fn published(server: &Server) -> Vec<Value> {
    let jwks = server.get("/.well-known/jwks.json").await;
    assert_eq!(jwks.header("cache-control"), "public, max-age=600");
    let keys = jwks.json()["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].clone()).collect()
}

/// A new token, and the name of the key that signed it.
async fn sign_in(server: &Server) -> (String, Value) {
    let token = server
        .signs_in(ADA, PASSWORD)
        .await
        .token()
        .unwrap()
        .to_owned();
    let (header, _) = jose::decode_unverified(&token).unwrap();
    (token, header["kid"].clone())
}

#[tokio::test]
async fn T29_the_next_key_is_known_before_it_signs_and_the_last_one_until_its_tokens_are_gone() {
    for_each_algorithm(async |forger| {
        let server = forger.server;
        let has_names = forger.algorithm != Algorithm::Hs256;
        let old = forger.header["kid"].clone();
        assert_eq!(old.is_string(), has_names);
        assert_eq!(
            published(server).await,
            if has_names { vec![old.clone()] } else { vec![] }
        );

        let begun = server.clock.now();
        let rotation = rotate(server, PUBLISH_AHEAD).await.unwrap();
        assert_eq!(rotation.signs_from, begun.plus(PUBLISH_AHEAD));
        assert!(
            rotate(server, PUBLISH_AHEAD).await.is_none(),
            "the last one has not begun"
        );
        server.app.refresh_keys().await.unwrap();
        // Published, and not signing before every cache that may be kept has run out.
        assert!(JWKS_MAX_AGE < PUBLISH_AHEAD);
        let keys = published(server).await;
        assert_eq!(keys.len(), if has_names { 2 } else { 0 });
        assert_eq!(
            keys.iter().filter(|kid| **kid != old).count(),
            usize::from(has_names)
        );
        server.wait(PUBLISH_AHEAD.saturating_sub(SECOND));
        let (last, kid) = sign_in(server).await;
        assert_eq!(kid, old, "the old one signs until the very end");

        server.wait(SECOND);
        let (first, new) = sign_in(server).await;
        assert_eq!(new != old, has_names, "the new one signs");
        assert!(new == Value::Null || keys.contains(&new));
        for token in [&forger.token, &last, &first] {
            forger.accepted(token, "both verify").await;
        }
        by_the_old_key_to_its_end(forger, &rotation, &last).await;
        assert_eq!(
            published(server).await,
            if has_names { vec![new] } else { vec![] }
        );
    })
    .await;
}

/// The last token of the old key lives its whole life; then the key is worth nothing, in whoever's hands it is.
async fn by_the_old_key_to_its_end(forger: &Forger<'_>, rotation: &Rotation, last: &str) {
    let server = forger.server;
    server.wait(LIFETIME.saturating_sub(2 * SECOND));
    forger.accepted(last, "its last second").await;
    server.wait(SECOND);
    forger
        .refused_as("token_expired", last, "its time is up")
        .await;
    let until_the_end = rotation.previous_until.micros() - server.clock.now().micros();
    server.wait(Duration::from_micros(
        u64::try_from(until_the_end).unwrap() - 1,
    ));
    // Whoever has the old key may say what they like of a session that lives.
    let (living, _) = sign_in(server).await;
    let (_, claims) = jose::decode_unverified(&living).unwrap();
    let forged = forger.signed(&forger.header.to_string(), &claims.to_string());
    forger.accepted(&forged, "the old key's last moment").await;
    server.wait(Duration::from_micros(1));
    forger.refused(&forged, "by a key that has ended").await;
    forger.accepted(&living, "by the new key").await;
}

#[tokio::test]
async fn T29_a_key_signs_from_the_first_rotation_to_the_third() {
    for_each_algorithm(async |forger| {
        let server = forger.server;
        let mut names = vec![forger.header["kid"].clone()];
        for _ in 0..3 {
            assert!(rotate(server, SECOND).await.is_some());
            server.app.refresh_keys().await.unwrap();
            server.wait(SECOND);
            let (token, kid) = sign_in(server).await;
            forger.accepted(&token, "by the newest").await;
            names.push(kid);
        }
        forger.accepted(&forger.token, "by the first").await;
        names.dedup();
        let has_names = forger.algorithm != Algorithm::Hs256;
        assert_eq!(names.len(), if has_names { 4 } else { 1 });
    })
    .await;
}

#[tokio::test]
async fn T29_another_node_takes_a_new_key_in_before_it_signs() {
    for_each_algorithm(async |forger| {
        let (server, app) = (forger.server, &forger.server.app);
        let config = &app.config.tokens;
        let now = server.clock.now();
        let ring = KeyRing::open(config, &app.db, app.sealer(), now)
            .await
            .unwrap();
        let other = Tokens::new(config, Arc::new(ring));
        assert!(other.verify(&forger.token, now).is_ok());

        rotate(server, PUBLISH_AHEAD).await.unwrap();
        other
            .keys
            .refresh(config, &app.db, app.sealer())
            .await
            .unwrap();
        // The other node signs with the new key when its time has come, even before this one has looked.
        server.wait(PUBLISH_AHEAD);
        app.refresh_keys().await.unwrap();
        let now = server.clock.now();
        let (token, _) = sign_in(server).await;
        assert!(other.verify(&token, now).is_ok());
        assert_eq!(other.keys.published(now), app.tokens.keys.published(now));
    })
    .await;
}

#[tokio::test]
async fn T28_T29_keys_of_an_algorithm_that_is_no_longer_used_verify_nothing() {
    with(Algorithm::Hs256, async |forger| {
        // One database, served by one algorithm after the other: each has keys of its own in it.
        let app = &forger.server.app;
        let now = forger.server.clock.now();
        let user = users::store::by_id(&app.db, &owner(forger))
            .await
            .unwrap()
            .unwrap();
        let session = Session::begin(
            user.id.clone(),
            Carried::Token,
            &["pwd"],
            &app.config.sessions,
            &app.tokens,
            &asking(now),
        );
        let mut by_algorithm = Vec::new();
        for algorithm in ALGORITHMS {
            let mut config = app.config.tokens.clone();
            config.algorithm = algorithm;
            let ring = KeyRing::open(&config, &app.db, app.sealer(), now)
                .await
                .unwrap();
            let tokens = Tokens::new(&config, Arc::new(ring));
            by_algorithm.push((tokens.issue(&user, &session, now).unwrap().text, tokens));
        }
        for (by, (token, _)) in by_algorithm.iter().enumerate() {
            for (at, (_, tokens)) in by_algorithm.iter().enumerate() {
                assert_eq!(tokens.verify(token, now).is_ok(), by == at, "{by} at {at}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_of_the_operators_is_not_rotated_here() {
    let secret = "a secret that the back end knows too";
    server_with(&[("tokens.hs256_secret", secret)], async |server| {
        let token = server.signs_up(ADA).await;
        server.app.refresh_keys().await.unwrap();
        assert_eq!(server.get_as(&token, "/auth/me").await.status, 200);
        assert!(published(server).await.is_empty());
        assert!(
            store::all(&server.app.db, Algorithm::Hs256)
                .await
                .unwrap()
                .is_empty()
        );
    })
    .await;
}
