//! The server is killed at random, two hundred times, while people sign up, change their names and get new passwords:
//! what was acknowledged is there, and of what was not, all or nothing.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::chance::Chance;
use super::store::Store;
use crate::harness::Answer;
use crate::harness::process::{Place, Process};
use crate::harness::wire::Connection;

const ROUNDS: usize = 200;
const CLIENTS: usize = 4;
/// How long there is traffic before the kill, at the most.
const TRAFFIC: Duration = Duration::from_millis(250);
/// How long a command may run before it is killed, now and then.
const COMMAND: Duration = Duration::from_millis(120);

/// What a client knows of somebody: what was acknowledged, and what was asked for and may have happened.
struct Person {
    email: String,
    is_made: bool,
    token: Option<String>,
    password: String,
    maybe_password: Option<String>,
    name: Option<String>,
    maybe_name: Option<String>,
}

/// A client and its journal; nobody else changes its people.
struct Client {
    number: usize,
    chance: Chance,
    people: Vec<Person>,
    acknowledged: usize,
    /// The people from here on were touched since the last look.
    touched: Vec<usize>,
}

#[tokio::test]
async fn nothing_that_was_acknowledged_is_lost_to_two_hundred_kills() {
    let mut chance = Chance::of("kills");
    let place = Place::new().await;
    let mut clients: Vec<Client> = (0..=CLIENTS)
        .map(|number| Client::new(number, chance.split()))
        .collect();
    let mut server = place.serve();
    for _ in 0..ROUNDS {
        let address = server.address();
        let until_kill = chance.span(TRAFFIC);
        thread::scope(|scope| {
            let (operator, others) = clients.split_first_mut().unwrap();
            scope.spawn(|| operator.sets_passwords(address, &place));
            for client in others {
                scope.spawn(move || client.lives(address));
            }
            thread::sleep(until_kill);
            server.kill();
        });
        place.settles().await;
        server = place.serve();
        for client in &mut clients {
            client.looks_again(server.address());
        }
    }
    for client in &mut clients {
        client.touched = (0..client.people.len()).collect();
        client.looks_again(server.address());
    }
    server.kill();
    nothing_is_half_there(&place).await;
    let changes: usize = clients.iter().map(|client| client.acknowledged).sum();
    println!("{ROUNDS} kills, {changes} acknowledged changes, none lost");
    assert!(changes > ROUNDS, "the clients hardly got anything done");
}

async fn nothing_is_half_there(place: &Place) {
    let store = Store::open(place).await;
    store.is_sound().await;
    let without = "SELECT CAST(count(*) AS BIGINT) AS n FROM users u \
                   WHERE NOT EXISTS (SELECT 1 FROM passwords p WHERE p.user_id = u.id)";
    assert_eq!(store.count(without).await, 0, "accounts without a password");
    let unheard = "SELECT CAST(count(*) AS BIGINT) AS n FROM users u WHERE \
                   (SELECT count(*) FROM audit a WHERE a.user_id = u.id AND a.event = 'signed_up') <> 1";
    assert_eq!(
        store.count(unheard).await,
        0,
        "accounts that were not made exactly once"
    );
    store.close().await;
}

impl Client {
    fn new(number: usize, chance: Chance) -> Self {
        Self {
            number,
            chance,
            people: Vec::new(),
            acknowledged: 0,
            touched: Vec::new(),
        }
    }

    /// Signs people up and changes names until the server is gone.
    fn lives(&mut self, address: SocketAddr) {
        let Ok(mut connection) = Connection::open(address) else {
            return;
        };
        loop {
            let knows_somebody = self.people.iter().any(|person| person.token.is_some());
            let went_on = if knows_somebody && self.chance.below(2) == 0 {
                self.renames(&mut connection)
            } else {
                self.signs_up(&mut connection)
            };
            if went_on.is_err() {
                return;
            }
        }
    }

    fn signs_up(&mut self, connection: &mut Connection) -> io::Result<()> {
        let email = format!("{}-{}@example.com", self.number, self.people.len());
        let password = format!("a first password {}", self.chance.below(u64::MAX));
        self.touched.push(self.people.len());
        self.people.push(Person {
            email: email.clone(),
            is_made: false,
            token: None,
            password: password.clone(),
            maybe_password: None,
            name: None,
            maybe_name: None,
        });
        let body = json!({"email": email, "password": password});
        let answer = connection.call("POST", "/auth/signup", None, Some(&body))?;
        if is_too_busy(&answer) {
            return Ok(());
        }
        assert_eq!(answer.status, 201, "{answer:?}");
        let person = self.people.last_mut().unwrap();
        person.is_made = true;
        person.token = answer.token().map(str::to_owned);
        self.acknowledged += 1;
        Ok(())
    }

    fn renames(&mut self, connection: &mut Connection) -> io::Result<()> {
        let known: Vec<usize> = (0..self.people.len())
            .filter(|&at| self.people[at].token.is_some())
            .collect();
        let at = known[usize::try_from(self.chance.below(known.len() as u64)).unwrap()];
        self.touched.push(at);
        let name = format!("name {}", self.chance.below(u64::MAX));
        let person = &mut self.people[at];
        person.maybe_name = Some(name.clone());
        let body = json!({ "name": name });
        let answer = connection.call("PATCH", "/auth/me", person.token.as_deref(), Some(&body))?;
        if is_too_busy(&answer) {
            return Ok(());
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        person.name = person.maybe_name.take();
        self.acknowledged += 1;
        Ok(())
    }

    /// Gives people new passwords from the command line, beside the server and while it dies; some commands die too.
    fn sets_passwords(&mut self, address: SocketAddr, place: &Place) {
        if let Ok(mut connection) = Connection::open(address) {
            let _ = self.signs_up(&mut connection);
        }
        let Some(at) = self.people.iter().rposition(|person| person.is_made) else {
            return;
        };
        self.touched.push(at);
        let password = format!("a later password {}", self.chance.below(u64::MAX));
        let person = &mut self.people[at];
        person.maybe_password = Some(password.clone());
        let command = place.command(&["user", "set-password", &person.email, "--password-stdin"]);
        let command = Process::start_with(command, &password);
        if self.chance.below(3) == 0 {
            thread::sleep(self.chance.span(COMMAND));
            command.kill();
        } else {
            let ended = command.ended();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            person.password = password;
            person.maybe_password = None;
            self.acknowledged += 1;
        }
        person.token = None;
    }

    /// Holds the journal against what the server, started again, knows.
    fn looks_again(&mut self, address: SocketAddr) {
        let mut connection = Connection::open(address).unwrap();
        self.touched.sort_unstable();
        self.touched.dedup();
        for at in std::mem::take(&mut self.touched) {
            self.people[at].is_as_acknowledged(&mut connection);
        }
    }
}

/// Nothing was acknowledged, and nothing was refused.
fn is_too_busy(answer: &Answer) -> bool {
    answer.status == 503
}

impl Person {
    fn is_as_acknowledged(&mut self, connection: &mut Connection) {
        let by_old = self.signs_in(connection, &self.password.clone());
        let by_new = self
            .maybe_password
            .take()
            .map(|password| (self.signs_in(connection, &password), password));
        let token = match (by_old, by_new) {
            (Some(_), Some((Some(_), _))) => panic!("{} has two passwords", self.email),
            (Some(token), _) => token,
            (None, Some((Some(token), password))) => {
                self.password = password;
                token
            }
            (None, _) => {
                assert!(
                    !self.is_made,
                    "{} was acknowledged and is not there",
                    self.email
                );
                return;
            }
        };
        self.is_made = true;
        let me = connection
            .call("GET", "/auth/me", Some(&token), None)
            .unwrap();
        let found = me.json()["name"].as_str().map(str::to_owned);
        let maybe = self.maybe_name.take();
        let is_known = found == self.name || (maybe.is_some() && found == maybe);
        assert!(
            is_known,
            "{}: {found:?} is neither {:?} nor {maybe:?}",
            self.email, self.name
        );
        self.name = found;
        if let Some(held) = &self.token {
            let held = connection
                .call("GET", "/auth/me", Some(held), None)
                .unwrap();
            assert_eq!(held.status, 200, "{}: {held:?}", self.email);
        }
        self.token = Some(token);
    }

    /// The token, if the password is the right one.
    fn signs_in(&self, connection: &mut Connection, password: &str) -> Option<String> {
        let body = json!({"email": self.email, "password": password});
        let answer = connection
            .call("POST", "/auth/signin", None, Some(&body))
            .unwrap();
        assert!(matches!(answer.status.as_u16(), 200 | 401), "{answer:?}");
        answer.token().map(str::to_owned)
    }
}
