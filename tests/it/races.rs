//! Sign-ins and refreshes that cross a change of what they rely on. The numbers are those of one catalogue of races:
//! whoever is first, once a change is acknowledged nothing begins by what it replaced.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

mod refresh;
mod word;

use std::thread;

use db::{Unit, sql};
use doorward::audit::By;
use doorward::error::{Broken, Error};
use doorward::ids::UserId;
use doorward::password::{self, Norm, Stored};
use doorward::secret::Secret;
use doorward::users;
use passhash::{Cost, Hasher};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::harness::{Answer, PASSWORD, Server, server, together};

const ROUNDS: usize = 200;
const TASKS: usize = 64;
/// More than there are cores where this is tested; to start one for each task took a quarter of a round.
const THREADS: usize = 8;
const NEW_PASSWORD: &str = "another walk in the hills";

/// What came of many who asked and a change that crossed them.
struct Race {
    answers: Vec<Answer>,
    /// How many sessions there were, live or ended, when the change was acknowledged.
    sessions_at_change: i64,
}

/// Asks `TASKS` times at once, from `THREADS` threads, while `change` is made: it begins when `head_start` of the answers
/// are there. `ask` is told which of them it is.
fn crossed(
    server: &Server,
    who: &Person,
    head_start: usize,
    ask: impl AsyncFn(usize) -> Answer + Sync,
    change: impl AsyncFnOnce() + Send,
) -> Race {
    let (over, runtime) = (Semaphore::new(0), Handle::current());
    let ask = async |n: usize| {
        let answer = ask(n).await;
        over.add_permits(1);
        answer
    };
    let changed = async {
        over.acquire_many(u32::try_from(head_start).unwrap())
            .await
            .unwrap()
            .forget();
        change().await;
        who.sessions(server).await
    };
    let race = || {
        thread::scope(|threads| {
            let ask = &ask;
            let runtime = &runtime;
            let asking: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let mine = (thread..TASKS).step_by(THREADS);
                    threads.spawn(move || runtime.block_on(together(mine.map(ask))))
                })
                .collect();
            Race {
                sessions_at_change: runtime.block_on(changed),
                answers: asking
                    .into_iter()
                    .flat_map(|thread| thread.join().unwrap())
                    .collect(),
            }
        })
    };
    tokio::task::block_in_place(race)
}

/// Somebody with an account.
struct Person {
    email: String,
    id: UserId,
}

impl Person {
    async fn signs_up(server: &Server, round: usize) -> Self {
        let email = format!("ada-{round}@example.com");
        let token = server.signs_up(&email).await;
        let me = server.get_as(&token, "/auth/me").await;
        let id = UserId::from_stored(me.json()["id"].as_str().unwrap().to_owned());
        Self { email, id }
    }

    /// How they sign in by the first password.
    fn signs_in(&self, server: &Server) -> impl AsyncFn(usize) -> Answer + Sync {
        async move |_| server.signs_in(&self.email, PASSWORD).await
    }

    async fn sessions(&self, server: &Server) -> i64 {
        self.count(
            server,
            "SELECT CAST(count(*) AS BIGINT) AS n FROM sessions WHERE user_id = $1",
        )
        .await
    }

    async fn live_sessions(&self, server: &Server) -> i64 {
        let live = "SELECT CAST(count(*) AS BIGINT) AS n FROM sessions WHERE user_id = $1 AND ended_at IS NULL";
        self.count(server, live).await
    }

    async fn count(&self, server: &Server, query: &'static str) -> i64 {
        let n = server
            .app
            .db
            .one(sql(query).bind(&self.id), |row| row.int("n"))
            .await;
        n.unwrap().unwrap()
    }

    /// Hashes a password as it was done once, when hashes were cheaper.
    async fn has_an_old_hash(&self, server: &Server) {
        let cost = Cost::new(8, 1, 1).unwrap();
        let hash = Hasher::new(&cost)
            .unwrap()
            .hash(PASSWORD.as_bytes(), &cost)
            .unwrap();
        let old = Stored {
            hash,
            norm: Norm::Nfc,
        };
        let now = server.clock.now();
        let set = password::store::set(&self.id, &old, now);
        server
            .app
            .db
            .write(Unit::new().expect(1, set))
            .await
            .unwrap();
    }
}

/// Every sign-in got a whole answer, and nothing of what was answered before the change counts after it.
async fn nothing_is_left_of(race: &Race, server: &Server, who: &Person) {
    assert_eq!(
        who.sessions(server).await,
        race.sessions_at_change,
        "sessions that began after the change"
    );
    assert_eq!(who.live_sessions(server).await, 0);
    for answer in &race.answers {
        match answer.token() {
            Some(token) => {
                let me = server.get_as(token, "/auth/me").await;
                assert_eq!((me.status.as_u16(), me.code()), (401, "session_revoked"));
            }
            // Too many at once for the database is an answer too, and begins nothing.
            None => assert!(matches!(answer.status.as_u16(), 401 | 503), "{answer:?}"),
        }
    }
}

/// Asks again while the database has too much to do, as an operator would.
async fn until_available<T>(change: impl AsyncFn() -> Result<T, Error>) -> T {
    loop {
        match change().await {
            Err(Error::Broken(Broken::Unavailable(_))) => {}
            done => return done.unwrap(),
        }
    }
}

async fn set_password(server: &Server, who: &Person) {
    let app = &server.app;
    let user = users::store::by_id(&app.db, &who.id)
        .await
        .unwrap()
        .unwrap();
    let new = Secret::new(NEW_PASSWORD.to_owned());
    let by = By::Operator(server.clock.now());
    let set = until_available(async || {
        password::set(
            &app.db,
            &app.revocations,
            &app.passwords,
            &app.stamp,
            &user,
            &new,
            by,
        )
        .await
    });
    assert!(set.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn X16_no_session_begins_by_a_password_that_was_changed() {
    server(async |server| {
        for round in 0..ROUNDS {
            let who = Person::signs_up(server, round).await;
            let race = crossed(
                server,
                &who,
                round % TASKS,
                who.signs_in(server),
                async || {
                    set_password(server, &who).await;
                },
            );
            nothing_is_left_of(&race, server, &who).await;
            assert_eq!(server.signs_in(&who.email, PASSWORD).await.status, 401);
            assert_eq!(server.signs_in(&who.email, NEW_PASSWORD).await.status, 200);
        }
    })
    .await;
}

/// Each of the sign-ins would replace the old hash by a stronger one of the same, old, password.
#[tokio::test(flavor = "multi_thread")]
async fn X16_no_stronger_hash_brings_back_a_password_that_was_changed() {
    server(async |server| {
        for round in 0..ROUNDS {
            let who = Person::signs_up(server, round).await;
            who.has_an_old_hash(server).await;
            let race = crossed(
                server,
                &who,
                round % TASKS,
                who.signs_in(server),
                async || {
                    set_password(server, &who).await;
                },
            );
            nothing_is_left_of(&race, server, &who).await;
            assert_eq!(server.signs_in(&who.email, PASSWORD).await.status, 401);
            assert_eq!(server.signs_in(&who.email, NEW_PASSWORD).await.status, 200);
        }
    })
    .await;
}

/// The hash that one of them replaces is the hash that the others verified.
#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_that_replace_an_old_hash_are_not_in_each_others_way() {
    server(async |server| {
        for round in 0..ROUNDS {
            let who = Person::signs_up(server, round).await;
            who.has_an_old_hash(server).await;
            let race = crossed(server, &who, 0, who.signs_in(server), async || ());
            let refused = race
                .answers
                .iter()
                .filter(|answer| !matches!(answer.status.as_u16(), 200 | 503))
                .count();
            assert_eq!(refused, 0, "right passwords refused");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn X10_no_session_begins_in_an_account_that_was_shut() {
    server(async |server| {
        for round in 0..ROUNDS {
            let who = Person::signs_up(server, round).await;
            let by = By::Operator(server.clock.now());
            let race = crossed(
                server,
                &who,
                round % TASKS,
                who.signs_in(server),
                async || {
                    let app = &server.app;
                    let shut = until_available(async || {
                        users::disable(&app.db, &app.revocations, &who.id, by).await
                    });
                    assert!(shut.await);
                },
            );
            assert!(users::enable(&server.app.db, &who.id, by).await.unwrap());
            nothing_is_left_of(&race, server, &who).await;
            assert_eq!(server.signs_in(&who.email, PASSWORD).await.status, 200);
        }
    })
    .await;
}
