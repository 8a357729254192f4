//! The server is killed each second, a hundred times, while fifty clients refresh as fast as they can: whatever each of them
//! holds goes on, though answers were lost and writes were half on their way.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::store::Store;
use crate::harness::process::Place;
use crate::harness::wire::Connection;

const ROUNDS: usize = 100;
const CLIENTS: usize = 50;
const UNTIL_KILL: Duration = Duration::from_secs(1);

/// Somebody who holds a refresh token, and knows of nobody else's.
struct Client {
    held: String,
    /// How often they were given the next.
    steps: usize,
    /// How often no answer came.
    lost: usize,
}

impl Client {
    fn signs_up(number: usize, connection: &mut Connection) -> Self {
        let email = format!("{number}@example.com");
        let account =
            json!({"email": email, "password": "a walk in the storm", "session": "refresh"});
        let answer = connection.call("POST", "/auth/signup", None, Some(&account));
        let answer = answer.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        Self {
            held: answer.refresh_token().unwrap().to_owned(),
            steps: 0,
            lost: 0,
        }
    }

    /// Refreshes until the server is gone, `most` times at the most.
    fn refreshes(&mut self, address: SocketAddr, most: usize) {
        let Ok(mut connection) = Connection::open(address) else {
            return;
        };
        for _ in 0..most {
            let body = json!({"refreshToken": self.held});
            let Ok(answer) = connection.call("POST", "/auth/refresh", None, Some(&body)) else {
                self.lost += 1;
                return;
            };
            match answer.status.as_u16() {
                200 => {
                    answer.refresh_token().unwrap().clone_into(&mut self.held);
                    self.steps += 1;
                }
                // On PostgreSQL the row may be held for a moment by what the dead server had begun.
                503 => {}
                _ => panic!("an honest client was signed out: {answer:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_hundred_kills_in_a_storm_of_refreshes_sign_nobody_out() {
    let place = Place::new().await;
    let mut server = place.serve();
    let mut connection = Connection::open(server.address()).unwrap();
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|number| Client::signs_up(number, &mut connection))
        .collect();
    for _ in 0..ROUNDS {
        let address = server.address();
        thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(move || client.refreshes(address, usize::MAX));
            }
            thread::sleep(UNTIL_KILL);
            server.kill();
        });
        server = place.serve();
    }
    let address = server.address();
    for client in &mut clients {
        let before = client.steps;
        while client.steps == before {
            client.refreshes(address, 1);
        }
    }
    server.kill();
    let store = Store::open(&place).await;
    store.is_sound().await;
    let copied = "SELECT CAST(count(*) AS BIGINT) AS n FROM audit WHERE event = 'refresh_reused'";
    assert_eq!(store.count(copied).await, 0, "copies where there were none");
    store.close().await;
    let steps: usize = clients.iter().map(|client| client.steps).sum();
    let lost: usize = clients.iter().map(|client| client.lost).sum();
    println!("{ROUNDS} kills, {steps} refreshes, {lost} answers lost, nobody signed out");
    assert!(lost > CLIENTS, "hardly an answer was lost");
}
