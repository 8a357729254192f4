//! One signing key follows another while many sign and verify.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use doorward::app::App;
use doorward::audit::By;
use doorward::sessions::{Carried, Session};
use doorward::tokens::Tokens;
use doorward::tokens::keys::{self, KeyRing, Rotated};
use doorward::users::{self, User};
use jose::Algorithm;
use tokio::task::JoinSet;

use super::endings::owner;
use super::forge::{Forger, with};
use crate::harness::asking;

const TASKS: usize = 64;
const ROUNDS: usize = 3;
const AHEAD: Duration = Duration::from_secs(1);

/// What the tasks share: two nodes of one service.
struct Nodes {
    app: App,
    other: Tokens,
    user: User,
    signed: AtomicUsize,
    is_over: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn X17_every_token_signed_while_keys_rotate_verifies_on_every_node() {
    // Without names for the keys, and with them.
    for algorithm in [Algorithm::Hs256, Algorithm::Es256] {
        with(algorithm, while_keys_rotate).await;
    }
}

async fn while_keys_rotate(forger: &Forger<'_>) {
    let app = forger.server.app.clone();
    let tokens = &app.config.tokens;
    let ring = KeyRing::open(tokens, &app.db, app.sealer(), app.clock.now())
        .await
        .unwrap();
    let nodes = Arc::new(Nodes {
        other: Tokens::new(tokens, Arc::new(ring)),
        user: users::store::by_id(&app.db, &owner(forger))
            .await
            .unwrap()
            .unwrap(),
        signed: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
        app,
    });
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        tasks.spawn(sign_and_verify(Arc::clone(&nodes)));
    }
    for _ in 0..ROUNDS {
        rotate(&nodes).await;
        let signed = nodes.signed.load(Ordering::SeqCst);
        // As many as there are tasks, under the new key.
        while nodes.signed.load(Ordering::SeqCst) < signed + TASKS {
            if let Some(ended) = tasks.try_join_next() {
                ended.unwrap(); // it ends early only when it fails
            }
            tokio::task::yield_now().await;
        }
    }
    nodes.is_over.store(true, Ordering::SeqCst);
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    forger.accepted(&forger.token, "by the first key").await;
}

/// The next key: made, taken in by one node and then by the other, and then its time comes.
async fn rotate(nodes: &Nodes) {
    let Nodes { app, other, .. } = nodes;
    let tokens = &app.config.tokens;
    let by = By::Operator(app.clock.now());
    let rotation = keys::rotate(&app.db, app.sealer(), tokens, by, AHEAD).await;
    assert!(matches!(rotation.unwrap(), Rotated::Made(_)));
    app.refresh_keys().await.unwrap();
    other
        .keys
        .refresh(tokens, &app.db, app.sealer())
        .await
        .unwrap();
    app.clock.advance(AHEAD);
}

async fn sign_and_verify(nodes: Arc<Nodes>) {
    let both = [&nodes.app.tokens, &nodes.other];
    while !nodes.is_over.load(Ordering::SeqCst) {
        for signs in both {
            let now = nodes.app.clock.now();
            let session = Session::begin(
                nodes.user.id.clone(),
                Carried::Token,
                &["pwd"],
                &nodes.app.config.sessions,
                signs,
                &asking(now),
            );
            let token = signs.issue(&nodes.user, &session, now).unwrap().text;
            nodes.signed.fetch_add(1, Ordering::SeqCst);
            for verifies in both {
                let believed = verifies.verify(&token, nodes.app.clock.now()).unwrap();
                assert_eq!(believed.claims.sid, session.id);
            }
        }
        tokio::task::yield_now().await;
    }
}
