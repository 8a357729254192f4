//! The refresh held against a model of it, under whatever comes together: tabs that share one storage, answers that are
//! lost, retries, two tabs at once, nodes that restart, time that passes, and a thief with a copy.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use tokio::runtime::Handle;

use crate::harness::{Answer, Server, server, together};

/// How many plays there are.
const CASES: u32 = 96;

/// What happens next; numbers pick a node.
#[derive(Debug, Clone)]
enum Step {
    /// A tab refreshes with what is in the storage, and stores what it gets.
    Refresh(usize),
    /// The same, and the answer never arrives.
    Lost(usize),
    /// Two tabs refresh at once.
    Both(usize, usize),
    /// A tab's refresh arrives that was on its way while another's was answered.
    Late(usize),
    /// A node loses all that it had in memory.
    Restart(usize),
    /// Less than a session may be idle.
    Pass(Duration),
    /// The thief copies the storage.
    Steal,
    /// The thief refreshes with the newest that they have.
    Thief(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = || 0..2_usize;
    let step = prop_oneof![
        6 => node().prop_map(Step::Refresh),
        3 => node().prop_map(Step::Lost),
        2 => (node(), node()).prop_map(|(one, other)| Step::Both(one, other)),
        2 => node().prop_map(Step::Late),
        1 => node().prop_map(Step::Restart),
        1 => (1..1_000_u64).prop_map(|minutes| Step::Pass(Duration::from_mins(minutes))),
        1 => Just(Step::Steal),
        2 => node().prop_map(Step::Thief),
    ];
    prop::collection::vec(step, 1..40)
}

/// What the model knows of a family.
struct Family {
    is_alive: bool,
    /// The newest token that was ever given.
    newest: usize,
    /// Every token that there is, by its text.
    generations: HashMap<String, usize>,
    texts: Vec<String>,
}

impl Family {
    fn new(first: &str) -> Self {
        Self {
            is_alive: true,
            newest: 0,
            generations: HashMap::from([(first.to_owned(), 0)]),
            texts: vec![first.to_owned()],
        }
    }

    /// Whether a token was renewed, and so was what it was renewed to.
    fn is_past(&self, presented: &str) -> bool {
        self.generations[presented] + 1 < self.newest
    }

    /// Holds the answer to a token against what the contract says, and gives what comes next.
    fn judge(&mut self, presented: &str, answer: &Given) -> Result<Option<String>, TestCaseError> {
        let generation = self.generations[presented];
        if !self.is_alive {
            prop_assert_eq!(answer.code.as_str(), "refresh_token_invalid");
            return Ok(None);
        }
        if self.is_past(presented) {
            prop_assert_eq!(answer.code.as_str(), "refresh_token_reused");
            self.is_alive = false;
            return Ok(None);
        }
        let next = answer.next.clone();
        prop_assert!(
            next.is_some(),
            "an honest refresh was refused: {}",
            answer.code
        );
        let next = next.unwrap_or_default();
        if let Some(known) = self.texts.get(generation + 1) {
            prop_assert_eq!(known, &next, "a second child");
        } else {
            prop_assert!(!self.generations.contains_key(&next), "an old token again");
            self.generations.insert(next.clone(), generation + 1);
            self.texts.push(next.clone());
            self.newest = generation + 1;
        }
        Ok(Some(next))
    }
}

/// What a refresh gave.
struct Given {
    code: String,
    next: Option<String>,
    /// What shows whether the session lives: an access token.
    access: Option<String>,
}

/// Who asks: the holder of a refresh token, or a browser with its cookie.
#[derive(Debug, Clone, Copy)]
enum Carried {
    Refresh,
    Cookie,
}

impl Carried {
    async fn begins(self, server: &Server, email: &str) -> Answer {
        let name = match self {
            Self::Refresh => "refresh",
            Self::Cookie => "cookie",
        };
        server.begins(email, name).await
    }

    fn read(self, answer: &Answer) -> Given {
        let next = match self {
            Self::Refresh => answer.refresh_token(),
            Self::Cookie => answer.cookie(),
        };
        Given {
            code: answer.code().to_owned(),
            next: next.map(str::to_owned),
            access: answer.token().map(str::to_owned),
        }
    }

    async fn refreshes(self, server: &Server, held: &str) -> Given {
        let answer = match self {
            Self::Refresh => server.refreshes(held).await,
            Self::Cookie => {
                let body = json!({});
                server
                    .call_by(held, Method::POST, "/auth/refresh", Some(&body))
                    .await
            }
        };
        self.read(&answer)
    }
}

/// One run: the nodes, the model, and what everybody holds.
struct Play<'a> {
    first: &'a Server,
    nodes: Vec<Server>,
    carried: Carried,
    family: Family,
    stored: String,
    before: String,
    stolen: Option<String>,
    thief_came: bool,
    access: Vec<String>,
}

impl Play<'_> {
    async fn present(&mut self, node: usize, held: &str) -> Result<Option<String>, TestCaseError> {
        let given = self.carried.refreshes(&self.nodes[node], held).await;
        self.access.extend(given.access.clone());
        self.family.judge(held, &given)
    }

    fn store(&mut self, next: Option<String>) {
        if let Some(next) = next
            && next != self.stored
        {
            self.before = std::mem::replace(&mut self.stored, next);
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Refresh(node) => {
                let next = self.present(node, &self.stored.clone()).await?;
                self.store(next);
            }
            Step::Lost(node) => {
                self.present(node, &self.stored.clone()).await?;
            }
            Step::Both(one, other) => {
                let held = self.stored.clone();
                let asked =
                    [one, other].map(|node| self.carried.refreshes(&self.nodes[node], &held));
                let mut given = together(asked).await;
                // Of two who show a copy one ends the session, whoever that is.
                given.sort_by_key(|given| given.code != "refresh_token_reused");
                for given in given {
                    self.access.extend(given.access.clone());
                    let next = self.family.judge(&held, &given)?;
                    self.store(next);
                }
            }
            // Nobody's request is on its way for so long that two others are answered meanwhile.
            Step::Late(_) if self.family.is_past(&self.before) => {}
            Step::Late(node) => {
                let next = self.present(node, &self.before.clone()).await?;
                self.store(next);
            }
            Step::Restart(node) => {
                let started = self.first.another().await;
                stop(std::mem::replace(&mut self.nodes[node], started)).await;
            }
            Step::Pass(span) => self.first.wait(span),
            Step::Steal => self.stolen = Some(self.stored.clone()),
            Step::Thief(node) => {
                if let Some(held) = self.stolen.clone() {
                    self.thief_came = true;
                    self.stolen = self.present(node, &held).await?.or(Some(held));
                }
            }
        }
        Ok(())
    }

    /// Plays it to its end, and on: the owner refreshes as ever, and the thief with all that they could have.
    async fn play(&mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        for step in steps {
            self.step(step).await?;
            prop_assert!(
                self.family.is_alive || self.thief_came,
                "an honest client was signed out"
            );
        }
        for node in [0, 1, 0] {
            self.step(&Step::Refresh(node)).await?;
        }
        if !self.thief_came {
            prop_assert!(self.family.is_alive, "an honest client was signed out");
            return Ok(());
        }
        // The owner is three steps on, so the newest that the thief has gives them away.
        let held = self.stolen.clone().unwrap_or_default();
        self.present(0, &held).await?;
        prop_assert!(!self.family.is_alive, "nobody noticed the thief");
        for held in self.family.texts.clone() {
            self.present(1, &held).await?;
        }
        for access in &self.access {
            let me = self.nodes[1].get_as(access, "/auth/me").await;
            prop_assert_eq!(me.status.as_u16(), 401, "what a thief may have is alive");
        }
        Ok(())
    }
}

async fn stop(node: Server) {
    node.app.passwords.stop().await;
    node.app.db.close().await;
}

/// Everybody begins with a session of their own, on two nodes of one database.
async fn play(server: &Server, carried: Carried, steps: &[Step]) -> Result<(), TestCaseError> {
    let email = format!(
        "{:032x}@example.com",
        u128::from_le_bytes(doorward::secret::bytes())
    );
    server.signs_up(&email).await;
    let begun = carried.begins(server, &email).await;
    let given = carried.read(&begun);
    let first = given.next.unwrap();
    let mut play = Play {
        first: server,
        nodes: vec![server.another().await, server.another().await],
        carried,
        family: Family::new(&first),
        stored: first.clone(),
        before: first,
        stolen: None,
        thief_came: false,
        access: given.access.into_iter().collect(),
    };
    let outcome = play.play(steps).await;
    for node in play.nodes {
        stop(node).await;
    }
    outcome
}

async fn holds(carried: Carried) {
    server(async |server| {
        let runtime = Handle::current();
        let config = Config {
            failure_persistence: None,
            ..Config::with_cases(CASES)
        };
        let played = tokio::task::block_in_place(|| {
            TestRunner::new(config).run(&steps(), |steps| {
                runtime.block_on(play(server, carried, &steps))
            })
        });
        if let Err(failed) = played {
            panic!("{failed}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lost_answer_signs_out_and_no_thief_stays_in_by_refresh_token() {
    holds(Carried::Refresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lost_answer_signs_out_and_no_thief_stays_in_by_cookie() {
    holds(Carried::Cookie).await;
}
