//! A while in which people ask for what they want on a fixed schedule, and others flood the sign-in, or nobody does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;

use super::people::{Person, Wish};
use crate::figures::float;
use crate::http::{Connection, network, post};
use crate::ticks::Ticks;

/// Connections for each wish: while some wait for an answer, the others keep to the schedule.
pub(super) const CONNECTIONS: usize = 8;
/// How much lower the priority of those who flood is than the server's, in steps of nice(2): they stand for other machines,
/// and take no time from this one that anybody else wants.
const NICE: i32 = 19;

/// Who keeps the hash threads busy, beside the people with their wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowd {
    /// Nobody.
    Nobody,
    /// So many connections, each of which signs in to its own account on a known device.
    SignsIn(usize),
    /// So many connections that send wrong passwords.
    Floods(usize),
}

impl Crowd {
    /// One phase after the other. What a flood of 64 does to the hash threads is held against as many who sign in; of the last,
    /// more than fit into the queue come at once.
    pub(super) const ALL: [Self; 4] = [
        Self::Nobody,
        Self::SignsIn(64),
        Self::Floods(64),
        Self::Floods(512),
    ];

    /// As it is called in a table.
    pub(super) fn name(self) -> String {
        match self {
            Self::Nobody => "idle".to_owned(),
            Self::SignsIn(connections) => format!("{connections} connections sign in"),
            Self::Floods(connections) => format!("{connections} connections flood"),
        }
    }

    pub(super) const fn connections(self) -> usize {
        match self {
            Self::Nobody => 0,
            Self::SignsIn(connections) | Self::Floods(connections) => connections,
        }
    }
}

/// Which server, for how long, and who crowds it.
pub(super) struct Plan<'a> {
    pub(super) host: &'a str,
    /// The id of its process.
    pub(super) process: u32,
    pub(super) lasts: Duration,
    /// Who crowds it.
    pub(super) crowd: Crowd,
    /// How many requests a second the crowd sends together at most.
    pub(super) rate: f64,
}

/// What one request came to.
#[derive(Clone, Copy)]
pub(super) struct Event {
    /// When its answer came, since the phase began.
    pub(super) at: Duration,
    /// How long it took from when it should have been sent.
    pub(super) took: Duration,
    /// 0 where the connection broke.
    pub(super) status: u16,
}

/// What a phase came to.
pub(super) struct Phase {
    /// By wish, in the order of [`Wish::ALL`].
    pub(super) wishes: Vec<Vec<Event>>,
    /// Of the crowd.
    pub(super) crowd: Vec<Event>,
    /// The share of the machine's time that neither the server nor this program used.
    pub(super) others: f64,
}

/// Numbers the attempts of all crowds, so that none is like another.
static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);

/// Runs a phase with these people: as many for each wish as it has connections, and then those who may be a crowd.
pub(super) fn run(plan: &Plan<'_>, people: &mut [Person]) -> anyhow::Result<Phase> {
    let before = Ticks::now(Some(plan.process))?;
    let began = Instant::now();
    thread::scope(|threads| {
        let (people, crowd) = people
            .split_at_mut_checked(CONNECTIONS * Wish::ALL.len())
            .context("too few people")?;
        let mut people = people.chunks_mut(CONNECTIONS);
        let mut wishing = Vec::new();
        for wish in Wish::ALL {
            let asking = people
                .next()
                .context("too few people")?
                .iter_mut()
                .enumerate();
            let asking: Vec<_> = asking
                .map(|(turn, person)| threads.spawn(move || ask(plan, began, wish, turn, person)))
                .collect();
            wishing.push(asking);
        }
        let connections = plan.crowd.connections();
        let spacing = Duration::from_secs_f64(float(connections) / plan.rate);
        let crowd: &[Person] = crowd;
        let crowding: Vec<_> = (0..connections)
            .map(|turn| {
                let first = spacing.mul_f64(float(turn) / float(connections));
                let person = match plan.crowd {
                    Crowd::SignsIn(_) => crowd.get(turn),
                    Crowd::Nobody | Crowd::Floods(_) => None,
                };
                threads.spawn(move || attempt(plan, began, first, spacing, person))
            })
            .collect();
        Ok(Phase {
            wishes: wishing
                .into_iter()
                .map(gathered)
                .collect::<anyhow::Result<_>>()?,
            crowd: gathered(crowding)?,
            others: Ticks::now(Some(plan.process))?.of_others_since(before),
        })
    })
}

type Part = anyhow::Result<Vec<Event>>;

fn gathered(threads: Vec<ScopedJoinHandle<'_, Part>>) -> Part {
    let mut all = Vec::new();
    for thread in threads {
        all.extend(thread.join().ok().context("a thread panicked")??);
    }
    Ok(all)
}

/// Asks for one thing again and again, when its turn on the schedule comes or as soon after that as the connection is free.
fn ask(plan: &Plan<'_>, began: Instant, wish: Wish, turn: usize, person: &mut Person) -> Part {
    let every = Duration::from_secs_f64(float(CONNECTIONS) / wish.rate());
    let mut due = every.mul_f64(float(turn) / float(CONNECTIONS));
    let mut line = Line::new(plan.host)?;
    let mut events = Vec::new();
    while due < plan.lasts {
        sleep_until(began + due);
        let answer = line.ask(&person.request(wish, plan.host))?;
        let at = began.elapsed();
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        events.push(Event {
            at,
            took: at.saturating_sub(due),
            status,
        });
        if let Some(answer) = answer {
            person.take(wish, &answer)?;
        }
        due += every;
    }
    Ok(events)
}

/// Signs `person` in, or else sends wrong passwords, each for an address of its own; each from a network of its own, one as soon
/// as the last is answered but no more often than every `spacing`.
fn attempt(
    plan: &Plan<'_>,
    began: Instant,
    first: Duration,
    spacing: Duration,
    person: Option<&Person>,
) -> Part {
    rustix::process::nice(NICE)?;
    let mut line = Line::new(plan.host)?;
    let mut events = Vec::new();
    let mut due = first;
    while due < plan.lasts {
        sleep_until(began + due);
        let number = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
        let credential = person.map_or_else(
            || {
                json!({
                    "email": format!("somebody{number}@example.com"),
                    "password": format!("guess number {number}"),
                })
            },
            Person::on_known_device,
        );
        let request = post("/auth/signin", plan.host, &network(number), &credential);
        let sent = began.elapsed();
        let answer = line.ask(&request)?;
        let (at, status) = (began.elapsed(), answer.map_or(0, |answer| answer.status));
        events.push(Event {
            at,
            took: at.saturating_sub(sent),
            status,
        });
        due = at.max(due + spacing);
    }
    Ok(events)
}

/// A connection that is made anew when it breaks.
struct Line<'a> {
    host: &'a str,
    connection: Connection,
}

impl<'a> Line<'a> {
    fn new(host: &'a str) -> anyhow::Result<Self> {
        let connection = Connection::to(host)?;
        Ok(Self { host, connection })
    }

    /// Nothing where it broke before there was an answer.
    fn ask(&mut self, request: &[u8]) -> anyhow::Result<Option<crate::http::Answer>> {
        if let Ok(answer) = self.connection.ask(request) {
            return Ok(Some(answer));
        }
        self.connection = Connection::to(self.host)?;
        Ok(None)
    }
}

fn sleep_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}
