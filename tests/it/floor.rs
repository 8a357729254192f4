//! The floor under refusals: that it follows the slowest hash that is stored, whoever stored it, and is one for all nodes.
//! How even the answers are is measured, not tested: no test asks a clock.
#![expect(non_snake_case, reason = "the catalogue names its cases in capitals")]

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use db::{Unit, sql};
use doorward::app::App;
use doorward::password::{self, Norm, Passwords, Stored};
use doorward::secret::Secret;
use doorward::users::Email;
use passhash::{Recipe, Turn};
use tokio::time::Instant;

use crate::harness::{ADA, BEGINNING, PASSWORD, Server, configuration, server};
use crate::passwords::rehash::imported;

/// What bcrypt's slow hashes begin with here, and one of nobody's password.
const SLOW: &str = "$2b$12$";
const OF_NOBODY: &str = "$2b$12$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn2";
/// bcrypt's longest that is taken.
const SLOWEST: &str = "$2b$15$";

async fn noted(server: &Server) -> Vec<String> {
    password::store::recipes(&server.app.db).await.unwrap()
}

/// The recipe of the hashes that this service makes.
fn own(server: &Server) -> Recipe {
    Recipe::made_at(&server.app.config.password.argon2)
}

/// Whether `app` knows of slow hashes, some hundred times as slow as its own: no machine is so uneven that it could be in
/// doubt.
fn is_raised(app: &App, before: Duration) -> bool {
    app.passwords.floor() > 2 * before
}

#[tokio::test]
async fn N11_the_floor_follows_the_slowest_hash_that_is_tried() {
    server(async |server| {
        let before = server.app.passwords.floor();
        imported(server, OF_NOBODY, Norm::Raw).await;
        assert!(!is_raised(&server.app, before));
        assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 401);
        assert!(is_raised(&server.app, before), "{before:?}");
    })
    .await;
}

#[tokio::test]
async fn N11_what_one_node_finds_is_told_to_the_others_and_forgotten_when_it_is_gone() {
    server(async |server| {
        let other = server.another_node().await;
        let (here, there) = (&server.app, &other);
        let before = here.passwords.floor();
        let id = imported(server, OF_NOBODY, Norm::Raw).await;
        server.signs_in(ADA, PASSWORD).await;
        for app in [here, there] {
            app.passwords.refresh_recipes(&app.db).await.unwrap();
        }
        assert_eq!(noted(server).await, [SLOW]);
        assert!(is_raised(there, before), "{before:?}");

        // It stays while there is such a password, and goes with it.
        password::survey(&here.db).await.unwrap();
        assert_eq!(noted(server).await, [SLOW]);
        let ours = here
            .passwords
            .accept(
                &Secret::new(PASSWORD.to_owned()),
                &Email::parse(ADA).unwrap(),
                Turn::default(),
            )
            .await
            .unwrap();
        let set = password::store::set(&id, &ours, BEGINNING);
        here.db.write(Unit::new().expect(1, set)).await.unwrap();
        password::survey(&here.db).await.unwrap();
        assert_eq!(noted(server).await, [own(server).as_str()]);
        for app in [here, there] {
            app.passwords.refresh_recipes(&app.db).await.unwrap();
            assert!(!is_raised(app, before), "{before:?}");
        }
        other.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn N11_hashes_that_nobody_has_tried_are_found() {
    server(async |server| {
        let before = server.app.passwords.floor();
        imported(server, OF_NOBODY, Norm::Raw).await;
        for email in ["bea@example.com", "cyd@example.com"] {
            server.signs_up(email).await;
        }
        password::survey(&server.app.db).await.unwrap();
        let mut found = noted(server).await;
        found.sort();
        assert_eq!(found, [SLOW, own(server).as_str()]);
        let other = server.another_node().await;
        assert!(is_raised(&other, before), "known from the start");
        other.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn N11_what_is_no_hash_does_not_hide_what_is_behind_it() {
    server(async |server| {
        let id = imported(server, "not a hash", Norm::Raw).await;
        server.signs_up("zoe@example.com").await;
        password::survey(&server.app.db).await.unwrap();
        assert_eq!(noted(server).await, [own(server).as_str()]);
        let none = Stored {
            hash: OF_NOBODY.to_owned(),
            norm: Norm::Raw,
        };
        let set = password::store::set(&id, &none, BEGINNING);
        server
            .app
            .db
            .write(Unit::new().expect(1, set))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn N11_a_refusal_waits_for_the_floor_and_no_longer() {
    let config = configuration(&[]);
    let passwords = Passwords::start(&config.password, "localhost", None, |_, _| ()).unwrap();
    let began = Instant::now();
    passwords.wait_for_floor(began).await;
    let waited = began.elapsed();
    assert!(waited >= passwords.floor());
    // What took longer anyway is not held back.
    passwords.wait_for_floor(began).await;
    assert_eq!(began.elapsed(), waited);
    passwords.stop().await;
}

#[tokio::test]
async fn N1_N2_a_refusal_is_written_down_and_held_back_whoever_is_asked_for() {
    server(async |server| {
        let db = &server.app.db;
        let note = password::store::note_recipe(SLOWEST);
        db.write(note).await.unwrap();
        server.app.passwords.refresh_recipes(db).await.unwrap();
        server.signs_up(ADA).await;
        let written = async || {
            let rows = sql("SELECT id FROM audit WHERE event = 'sign_in_failed'");
            db.all(rows, |row| row.text("id")).await.unwrap().len()
        };
        for (n, email) in [ADA, "nobody@example.com"].into_iter().enumerate() {
            let mut refused = pin!(server.signs_in(email, "not the password"));
            let mut is_over = async || {
                poll_fn(|context| Poll::Ready(refused.as_mut().poll(context).is_ready())).await
            };
            while written().await == n {
                assert!(!is_over().await, "answered before it was written down");
            }
            // Writes end in their order, so it has been told by now that it is written.
            db.write(password::store::note_recipe(SLOWEST))
                .await
                .unwrap();
            assert!(!is_over().await, "answered at once");
        }
    })
    .await;
}
