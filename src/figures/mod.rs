//! The service in figures, as Prometheus reads them: durations, outcomes, queues. No label holds anything that a
//! stranger typed, nor a person.

pub mod routes;

use std::fs;
use std::time::Duration;

use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::app::App;
use crate::error::Error;
use crate::sessions;

/// From half a millisecond to ten seconds.
const BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What was counted so far.
#[derive(Clone)]
pub struct Figures(PrometheusHandle);

/// Begins to count; once a process.
pub fn start() -> Result<Figures, BuildError> {
    let recorder = recorder()?;
    let figures = Figures(recorder.handle());
    // A second recorder in one process is a test's; the first one goes on counting.
    let _ = metrics::set_global_recorder(recorder);
    describe();
    Ok(figures)
}

fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let durations = Matcher::Suffix("duration_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(durations, BUCKETS)?;
    Ok(builder.build_recorder())
}

impl Figures {
    /// Adds up what was measured since the last time: until then each duration is kept by itself, and where nobody asks for
    /// figures that is all there ever were.
    pub fn add_up(&self) {
        self.0.run_upkeep();
    }

    /// Everything as text, gauges as of now.
    fn render(&self, app: &App) -> String {
        look_at(app);
        self.add_up();
        self.0.render()
    }
}

fn look_at(app: &App) {
    let load = app.passwords.load();
    gauge("doorward_password_hash_queue", load.queued);
    gauge("doorward_password_hash_queue_ahead", load.ahead);
    gauge("doorward_password_hash_busy", load.busy);
    let counts = app.passwords.counts();
    metrics::counter!("doorward_password_hash_refused_total").absolute(counts.refused);
    metrics::counter!("doorward_password_hash_refused_by_share_total")
        .absolute(counts.refused_by_share);
    metrics::counter!("doorward_password_hash_abandoned_total").absolute(counts.abandoned);
    let stats = app.db.stats();
    gauge("doorward_db_pool_read_connections", stats.read_connections);
    gauge("doorward_db_pool_reads_waiting", stats.reads_waiting);
    gauge(
        "doorward_db_pool_write_connections",
        stats.write_connections,
    );
    gauge("doorward_db_pool_writes_waiting", stats.writes_waiting);
    look_at_process();
}

/// Counts the sessions that live. Apart from the figures that each scrape looks at: of a million sessions it takes a
/// good part of a second.
pub async fn count_sessions(app: &App) -> Result<(), Error> {
    let live = sessions::store::count_live(&app.db, app.clock.now()).await?;
    gauge(
        "doorward_sessions_active",
        usize::try_from(live).unwrap_or(0),
    );
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and no figure here comes near 2^52"
)]
fn gauge(name: &'static str, value: usize) {
    metrics::gauge!(name).set(value as f64);
}

/// The process as the kernel sees it (proc(5)); a figure that cannot be read is left out.
fn look_at_process() {
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        gauge("process_open_fds", files.count());
    }
    let Ok(statm) = fs::read_to_string("/proc/self/statm") else {
        return;
    };
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    if let Some(pages) = pages {
        gauge(
            "process_resident_memory_bytes",
            pages * rustix::param::page_size(),
        );
    }
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else {
        return;
    };
    // The second field is the program's name in parentheses and may hold anything; user and system time are the 14th
    // and 15th, in clock ticks.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: Option<u64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().ok())
        .sum::<Option<u64>>();
    let began = fields
        .split_whitespace()
        .nth(19)
        .and_then(|ticks| ticks.parse::<u64>().ok());
    if let Some(seconds) = began.and_then(since_epoch) {
        metrics::gauge!("process_start_time_seconds").set(seconds);
    }
    if let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        gauge(
            "process_max_fds",
            usize::try_from(limit).unwrap_or(usize::MAX),
        );
    }
    if let Some(ticks) = ticks {
        let per_second = rustix::param::clock_ticks_per_second();
        let used = Duration::from_micros(ticks.saturating_mul(1_000_000) / per_second.max(1));
        metrics::gauge!("process_cpu_seconds_total").set(used.as_secs_f64());
    }
}

/// A moment in clock ticks since the machine began, in seconds since the Unix epoch.
#[expect(
    clippy::cast_precision_loss,
    reason = "ticks and seconds stay far below 2^52"
)]
fn since_epoch(ticks: u64) -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 = stat
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    Some(boot as f64 + ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

fn describe() {
    metrics::describe_counter!(
        "doorward_signins_total",
        "Sign-in attempts that were decided, by method and outcome"
    );
    metrics::describe_counter!("doorward_tokens_issued_total", "Tokens issued, by kind");
    metrics::describe_counter!(
        "doorward_panics_total",
        "Handlers that panicked: a bug each"
    );
    metrics::describe_counter!(
        "doorward_password_hash_refused_total",
        "Hashes refused because the queue was full or the network that asked held its share of it"
    );
    metrics::describe_counter!(
        "doorward_password_hash_refused_by_share_total",
        "Hashes among the refused that had room but for the share of the network that asked"
    );
    metrics::describe_counter!(
        "doorward_password_hash_abandoned_total",
        "Hashes not made because the client had gone"
    );
    metrics::describe_histogram!(
        "doorward_password_hash_duration_seconds",
        "How long one hash took"
    );
    metrics::describe_counter!(
        "doorward_purged_rows_total",
        "Rows that were over and were removed, by table"
    );
    metrics::describe_histogram!(
        "doorward_purge_step_duration_seconds",
        "How long a step of that removal took"
    );
    metrics::describe_histogram!(
        "http_server_request_duration_seconds",
        "How long an answer took"
    );
    metrics::describe_gauge!(
        "doorward_password_hash_queue",
        "Passwords that wait for a thread"
    );
    metrics::describe_gauge!(
        "doorward_password_hash_queue_ahead",
        "Passwords among the waiting that go ahead of the others"
    );
    metrics::describe_gauge!(
        "doorward_sessions_active",
        "Sessions that live, as counted within the last minute"
    );
    metrics::describe_gauge!("doorward_build_info", "Always 1; the version is a label");
    metrics::gauge!("doorward_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn resident() -> usize {
        let statm = fs::read_to_string("/proc/self/statm").expect("statm");
        let pages = statm.split(' ').nth(1).expect("a second field");
        pages.parse::<usize>().expect("a number") * rustix::param::page_size()
    }

    #[test]
    fn durations_that_are_added_up_take_no_memory_each() {
        let recorder = recorder().expect("a recorder");
        let figures = Figures(recorder.handle());
        let before = resident();
        metrics::with_local_recorder(&recorder, || {
            let durations = metrics::histogram!("some_duration_seconds");
            // Eight bytes each, 64 MiB together.
            for _ in 0..1_000 {
                (0..8_192).for_each(|_| durations.record(0.003));
                figures.add_up();
            }
        });
        let more = resident().saturating_sub(before);
        assert!(more < 16 * MIB, "{more} bytes for eight million durations");
        let text = figures.0.render();
        assert!(
            text.contains("some_duration_seconds_count 8192000"),
            "{text}"
        );
    }
}
