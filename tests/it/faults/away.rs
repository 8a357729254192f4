//! The database goes away under people who sign up, in and out: its disk is full, or its server cannot be reached. Each of
//! them is told so and nothing else; what was acknowledged holds when it is back, and that needs no hand.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::json;

use super::store::Store;
use crate::harness::database::is_postgres;
use crate::harness::process::{Place, Process};
use crate::harness::relay::Relay;
use crate::harness::wire::Connection;
use crate::harness::{Answer, PASSWORD};

const CLIENTS: usize = 8;
const ROUNDS: usize = 5;
/// How long the database is there, and how long it is not.
const WHILE: Duration = Duration::from_secs(1);
/// Before somebody who was refused comes again.
const PAUSE: Duration = Duration::from_millis(5);

/// What keeps the server from its database.
enum Fault {
    /// Its files may not be written to. It is told so as of a disk that has no room.
    Full(Pid),
    /// Its connections break, and nothing answers new ones.
    Unreachable(Relay),
}

impl Fault {
    fn begins(&self) {
        match self {
            Self::Full(server) => let_write(*server, false),
            Self::Unreachable(relay) => relay.cut(),
        }
    }

    fn ends(&self) {
        match self {
            Self::Full(server) => let_write(*server, true),
            Self::Unreachable(relay) => relay.mend(),
        }
    }
}

/// Whether a process of ours may write to its files.
fn let_write(process: Pid, may: bool) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    let current = if may { maximum } else { Some(0) };
    prlimit(Some(process), Resource::Fsize, Rlimit { current, maximum }).unwrap();
}

/// Someone who does one thing after the other, and what they were told.
struct Client {
    number: usize,
    /// How many people they signed up.
    made: usize,
    /// Sessions that began and were not ended.
    live: Vec<String>,
    ended: Vec<String>,
    refused: usize,
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_database_that_goes_away() {
    let (place, server, fault) = serving().await;
    let address = server.address();
    let mut clients: Vec<Client> = (0..CLIENTS).map(Client::new).collect();
    for _ in 0..ROUNDS {
        let is_over = AtomicBool::new(false);
        let [live, ready] = thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(|| client.lives(address, &is_over));
            }
            thread::sleep(WHILE);
            fault.begins();
            thread::sleep(WHILE);
            let health = ["/livez", "/readyz"].map(|path| {
                let mut connection = Connection::open(address)?;
                connection.call("GET", path, None, None)
            });
            fault.ends();
            // Each of them stays until it gets somewhere again.
            is_over.store(true, Ordering::Release);
            health.map(|answer| answer.unwrap().status)
        });
        assert_eq!(live, 200, "it lives");
        // Who is signed in already is still known where the database can be read.
        let can_read = matches!(fault, Fault::Full(_));
        assert_eq!(ready, if can_read { 200 } else { 503 }, "and says so");
    }
    server.kill();
    place.settles().await;
    let store = Store::open(&place).await;
    store.is_sound().await;
    let made: usize = clients.iter().map(|client| client.made).sum();
    let people = store
        .count("SELECT CAST(count(*) AS BIGINT) AS n FROM users")
        .await;
    assert!(people >= i64::try_from(made).unwrap(), "{people} of {made}");
    store.close().await;
    let server = place.serve();
    let mut connection = Connection::open(server.address()).unwrap();
    for client in &clients {
        for (tokens, status) in [(&client.live, 200), (&client.ended, 401)] {
            for token in tokens {
                let answer = connection.call("GET", "/auth/me", Some(token), None);
                let answer = answer.unwrap();
                assert_eq!(answer.status, status, "{answer:?}");
            }
        }
    }
    let refused: usize = clients.iter().map(|client| client.refused).sum();
    let ended: usize = clients.iter().map(|client| client.ended.len()).sum();
    println!("{made} sign-ups and {ended} sign-outs acknowledged, none lost; {refused} refused");
    assert!(
        made > CLIENTS && ended > CLIENTS && refused > CLIENTS,
        "hardly anything happened"
    );
}

/// A server, and what can be done to it.
async fn serving() -> (Place, Process, Fault) {
    if is_postgres() {
        let mut relay = None;
        let place = Place::new()
            .await
            .reached_by(|database| relay.insert(Relay::to(database)).address());
        let server = place.serve();
        return (place, server, Fault::Unreachable(relay.expect("a relay")));
    }
    let place = Place::new().await;
    // A process that does not ignore the signal dies of a write beyond what it may.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    shell.arg(env!("CARGO_BIN_EXE_doorward"));
    let mut server = Process::start(place.wrapped(shell, &["serve"]));
    server.listening().expect("it serves");
    let fault = Fault::Full(server.pid());
    (place, server, fault)
}

impl Client {
    fn new(number: usize) -> Self {
        Self {
            number,
            made: 0,
            live: Vec::new(),
            ended: Vec::new(),
            refused: 0,
        }
    }

    /// Goes on until the database is back and all has worked since.
    fn lives(&mut self, address: SocketAddr, is_over: &AtomicBool) {
        let mut connection = Connection::open(address).unwrap();
        for step in 0.. {
            let was_over = is_over.load(Ordering::Acquire);
            if self.comes_and_goes(&mut connection, step) && was_over {
                return;
            }
        }
    }

    /// Signs somebody up and in, asks who they are, and every other time signs them out. Whether all of it worked.
    fn comes_and_goes(&mut self, connection: &mut Connection, step: usize) -> bool {
        let email = format!("{}-{}@example.com", self.number, crate::harness::unique());
        let credential = json!({"email": email, "password": PASSWORD});
        let mut call = |method, path, token, body| {
            let answer = connection.call(method, path, token, body).unwrap();
            let worked = is_granted(&answer);
            if !worked {
                self.refused += 1;
                thread::sleep(PAUSE);
            }
            worked.then_some(answer)
        };
        if call("POST", "/auth/signup", None, Some(&credential)).is_none() {
            return false;
        }
        self.made += 1;
        let Some(answer) = call("POST", "/auth/signin", None, Some(&credential)) else {
            return false;
        };
        let token = answer.token().expect("a token").to_owned();
        let known = call("GET", "/auth/me", Some(&token), None).is_some();
        if step.is_multiple_of(2) {
            self.live.push(token);
            return known;
        }
        let ended = call("POST", "/auth/signout", Some(&token), None).is_some();
        // Who was refused may be signed out or not.
        if ended {
            self.ended.push(token);
        }
        known && ended
    }
}

/// Whether it was done. What was not, is refused for the one reason there is.
fn is_granted(answer: &Answer) -> bool {
    let is_away = answer.status == 503 && answer.code() == "unavailable";
    assert!(answer.status.is_success() || is_away, "{answer:?}");
    !is_away
}
