//! How many nodes hold which waiting time when a hundred million people sign in: what a sign-in takes is measured, and everything
//! else is simulated, event by event.

mod day;
mod days;
mod histogram;
mod measure;
mod nodes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::{self, ScopedJoinHandle};

use anyhow::Context as _;

use crate::chance::Chance;
use crate::figures::{float, median, percentile};
use crate::record::keep;
use crate::results::Figure;
use crate::setting;
use day::{BUSIEST, DAY, Day, HOUR};
use nodes::{Balance, MAX_WAIT, Nodes, Outcome};

/// Milliseconds within which 99 of 100 are to be signed in, the longest first.
const TARGETS: [f64; 4] = [1000.0, 250.0, 100.0, 50.0];
/// Hash threads a node.
const THREADS: [usize; 3] = [2, 16, 64];
/// How long nodes run before anything is counted, in seconds: longer than anybody waits.
const LEAD: usize = 600;
/// What nodes hold in the busiest hour of which a whole day is simulated, or the next longer target that any hold.
const USUAL: f64 = 100.0;

/// `simulate WORK`: measures a server with its data in the folder `WORK`, then simulates.
///
/// # Errors
/// When the server cannot be measured.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let work = PathBuf::from(arguments.next().context("call it by dev/bench")?);
    let people = setting("PEOPLE", 100_000_000)?;
    let a_day = setting("A_DAY", 1)?;
    let seed = setting("SEED", 1)? as u64;
    let measured = measure::services(&work, setting("DURATION", 5)?)?;
    let simulation = Simulation {
        day: Day::of(float(people) * float(a_day)),
        services: measured.seconds,
        seed,
    };
    let mut figures = simulation.given(people, a_day)?;
    figures.extend(simulation.answers()?);
    let note = format!(
        "{people} people who sign in {a_day} times a day each, most of them at {}:00: a Poisson process whose rate goes with \
         exp(2 cos t). What a sign-in takes of a hash thread is drawn from {} sign-ins that were measured over as many connections \
         as there are hash threads, so that none waited; {:.0}% of the machine was used by others. Who would wait for more than \
         {MAX_WAIT} s is refused. The p99 is that of the busiest hour. Seed {seed}.",
        BUSIEST / HOUR,
        simulation.services.len(),
        100.0 * measured.others
    );
    keep(&note, figures)
}

struct Simulation {
    day: Day,
    /// What a sign-in takes of a thread, in seconds, any as likely as any other.
    services: Vec<f64>,
    seed: u64,
}

impl Simulation {
    /// What goes in.
    fn given(&self, people: usize, a_day: usize) -> anyhow::Result<Vec<Figure>> {
        let (services, load) = (&self.services, self.day.busiest() * self.service());
        let day = |what, unit, value| {
            Figure::of_rounds(["a day", &format!("{people} people"), what, unit], &[value])
        };
        let service = |what, unit, value| {
            Figure::of_rounds(
                [
                    "measured",
                    "a sign-in with all hash threads busy",
                    what,
                    unit,
                ],
                &[value],
            )
        };
        Ok(vec![
            service("mean", "ms", 1e3 * self.service())?,
            service("p50", "ms", 1e3 * median(services.clone()))?,
            service("p99", "ms", 1e3 * percentile(services.clone(), 99))?,
            day(
                "sign-ins on the average",
                "/s",
                float(people) * float(a_day) / float(DAY),
            )?,
            day("sign-ins at the busiest moment", "/s", self.day.busiest())?,
            day(
                "hash threads busy at that moment, if none is refused",
                "",
                load,
            )?,
        ])
    }

    fn service(&self) -> f64 {
        self.services.iter().sum::<f64>() / float(self.services.len())
    }

    /// How many nodes hold what, and whole days of some of them.
    fn answers(&self) -> anyhow::Result<Vec<Figure>> {
        let held = thread::scope(|scope| -> anyhow::Result<Vec<_>> {
            let running = THREADS.map(|threads| scope.spawn(move || self.held(threads)));
            running.into_iter().map(joined).collect()
        })?;
        let mut figures = Vec::new();
        for (threads, held) in THREADS.iter().zip(&held) {
            for (target, nodes) in TARGETS.iter().zip(held) {
                let Some(nodes) = nodes else { continue };
                let what = format!("nodes for a p99 of {target} ms");
                figures.push(Figure::of_rounds(
                    ["hash threads a node", &threads.to_string(), &what, ""],
                    &[float(*nodes)],
                )?);
            }
        }
        for (threads, held) in THREADS.iter().zip(held) {
            let usual = TARGETS
                .iter()
                .zip(held)
                .filter(|(target, _)| **target >= USUAL);
            if let Some(nodes) = usual.filter_map(|(_, nodes)| nodes).next_back() {
                figures.extend(days::figures(self, *threads, nodes)?);
            }
        }
        Ok(figures)
    }

    /// The least nodes that hold each target in the busiest hour, of those up to three times what the load needs.
    fn held(&self, threads: usize) -> [Option<usize>; TARGETS.len()] {
        let load = self.day.busiest() * self.service() / float(threads);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of machines"
        )]
        let least = load.ceil().max(1.0) as usize;
        let alone = 1e3 * percentile(self.services.clone(), 99);
        let mut known = BTreeMap::new();
        let mut p99 = |nodes| {
            *known
                .entry(nodes)
                .or_insert_with(|| self.busiest_p99(nodes, threads))
        };
        TARGETS.map(|target| {
            if alone > target {
                return None; // what takes longer without any wait
            }
            let (mut too_few, mut enough) = (least - 1, 3 * least);
            while enough - too_few > 1 {
                let nodes = usize::midpoint(too_few, enough);
                if p99(nodes) <= target {
                    enough = nodes;
                } else {
                    too_few = nodes;
                }
            }
            (p99(enough) <= target).then_some(enough)
        })
    }

    /// In milliseconds, with who was refused as one who waits for ever.
    fn busiest_p99(&self, nodes: usize, threads: usize) -> f64 {
        let group = Group::of(nodes, threads, Balance::InTurn);
        let hour = self.busiest_hour(group);
        // One in a thousand may be, whoever else is quick.
        if hour.refused * 1000 > hour.took.len() {
            return f64::INFINITY;
        }
        1e3 * hour.took.permille(990)
    }

    fn busiest_hour(&self, group: Group) -> Outcome {
        self.run(group, BUSIEST - HOUR / 2, BUSIEST + HOUR / 2)
    }

    /// What comes of the sign-ins from one second to another.
    fn run(&self, group: Group, from: usize, to: usize) -> Outcome {
        let mut chance = Chance::of(self.seed);
        let begin = from.saturating_sub(LEAD);
        let arrivals = self.day.arrivals(begin, to, Chance::of(chance.bits()));
        let mut nodes = Nodes::new(group.nodes, group.threads, group.balance, chance);
        let mut outcome = Outcome::default();
        let mut counting = begin == from;
        for at in arrivals {
            if !counting && at >= float(from) {
                (counting, outcome) = (true, Outcome::default());
            }
            nodes.sign_in(at, &self.services, &mut outcome);
        }
        outcome
    }
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> anyhow::Result<T> {
    thread.join().ok().context("a simulation panicked")
}

/// What is simulated.
#[derive(Debug, Clone, Copy)]
struct Group {
    nodes: usize,
    /// Of each node.
    threads: usize,
    balance: Balance,
}

impl Group {
    const fn of(nodes: usize, threads: usize, balance: Balance) -> Self {
        Self {
            nodes,
            threads,
            balance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulation(sign_ins: f64, services: Vec<f64>) -> Simulation {
        Simulation {
            day: Day::of(sign_ins),
            services,
            seed: 1,
        }
    }

    #[test]
    fn nodes_that_hold_a_shorter_wait_are_no_fewer() {
        // 32 sign-ins a second at the busiest moment, of 50 ms each.
        let held = simulation(864_000.0, vec![0.05]).held(1);
        let nodes: Vec<usize> = held
            .iter()
            .take(3)
            .map(|nodes| nodes.expect("held"))
            .collect();
        assert!(nodes[0] >= 2 && nodes.is_sorted(), "{held:?}");
        assert!(
            simulation(864_000.0, vec![0.06]).held(1)[3].is_none(),
            "50 ms by services of 60"
        );
    }

    #[test]
    fn threads_work_as_long_as_the_load_says_and_no_longer() {
        let group = Group::of(4, 1, Balance::InTurn);
        let day = simulation(864_000.0, vec![0.04, 0.06]).run(group, 0, DAY);
        assert_eq!(day.refused, 0);
        assert!(
            (day.worked / (864_000.0 * 0.05) - 1.0).abs() < 0.01,
            "{}",
            day.worked
        );
        let overloaded = Group::of(1, 1, Balance::InTurn);
        let hour = simulation(864_000.0, vec![0.05]).busiest_hour(overloaded);
        assert!(hour.refused > 0);
        // Nobody waits for more than the longest wait and a service.
        assert!(
            hour.took.permille(1000) <= (MAX_WAIT + 0.05) * (1.0 + 1.0 / 64.0),
            "{}",
            hour.took.permille(1000)
        );
        assert!(
            (hour.worked / float(HOUR) - 1.0).abs() < 0.01,
            "{}",
            hour.worked
        );
    }
}
