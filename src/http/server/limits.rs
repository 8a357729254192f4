//! What one client, and all of them together, may cost.

use std::num::NonZero;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More connections than this are not useful on one machine, however many files it may open.
const MOST_CONNECTIONS: usize = 10_000;
/// Files that stay for the rest, however few there are, and so many more for each core: its thread that serves has four, and
/// its connection to the database two or three.
const RESERVED_FILES: u64 = 24;
const RESERVED_FILES_A_CORE: u64 = 8;
/// When the system does not say how many files may be open: what a login shell usually gets.
const ASSUMED_OPEN_FILES: u64 = 1_024;

/// Bounds on connections and on the time and memory that they take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// Without a request, at the beginning or between two. Load balancers commonly keep connections for 60 seconds, and it must be they who close first:
    /// a request that crosses our close on the wire would be lost.
    pub idle: Duration,
    /// From a request's head to the last byte of its answer handed to the system.
    pub request: Duration,
    /// For the request line and headers of one request; more is answered with 431. At least 8,192.
    pub head_bytes: usize,
    /// Open connections at once, all clients together.
    pub connections: usize,
    /// Open connections at once of one IPv4 address or IPv6 /64. Those that many people share are not counted: see
    /// [`Listener::is_shared`](super::Listener::is_shared).
    pub connections_per_address: usize,
    /// Requests at once on one HTTP/2 connection.
    pub streams: u32,
}

impl Default for Limits {
    /// Of the files that this process may open, a quarter, and at least 24 and eight for each core, stay for the database, logs,
    /// certificates and what serves.
    /// The rest goes to connections, at most 10,000 of them.
    fn default() -> Self {
        let open_files = getrlimit(Resource::Nofile)
            .current
            .unwrap_or(ASSUMED_OPEN_FILES);
        let cores = thread::available_parallelism().map_or(1, NonZero::get) as u64;
        Self {
            head: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            request: Duration::from_secs(30),
            head_bytes: 32 * 1024,
            connections: connections_within(open_files, cores),
            connections_per_address: 512,
            streams: 128,
        }
    }
}

fn connections_within(open_files: u64, cores: u64) -> usize {
    let reserved = RESERVED_FILES + RESERVED_FILES_A_CORE * cores;
    let free = open_files.saturating_sub(reserved.max(open_files / 4));
    usize::try_from(free).map_or(MOST_CONNECTIONS, |free| free.clamp(1, MOST_CONNECTIONS))
}

/// Raises the number of files that this process may open to as many as it is allowed to ask for, and says how many that
/// is. Systems start services with 1,024 for the sake of programs that use `select`, which this is not.
pub fn raise_open_files() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert_eq!(connections_within(0, 2), 1);
        assert_eq!(connections_within(64, 1), 32);
        assert_eq!(connections_within(64, 2), 24);
        assert_eq!(connections_within(1_024, 2), 768);
        assert_eq!(connections_within(1_024, 64), 488);
        assert_eq!(connections_within(524_288, 64), MOST_CONNECTIONS);
        assert_eq!(connections_within(u64::MAX, 64), MOST_CONNECTIONS);
    }
}
