//! Connections that are there and say nothing, or next to nothing, by the hundred.

#![expect(
    clippy::print_stdout,
    reason = "how much memory a connection takes is worth knowing, and no promise"
)]

use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use doorward::http::server::{Limits, raise_open_files};
use tokio::net::{TcpSocket, TcpStream};

use super::line::Line;
use super::listening::{Door, Listening, listening_at};
use super::slow::{drip, is_answered};
use crate::harness::{meanwhile, together};

/// Connections that one address may have.
const SHARE: usize = 50;
/// Addresses that attack at the most, in each of two ways.
const ATTACKERS: usize = 10;
/// Places that are left for others.
const LEFT: usize = 20;

/// How many addresses can fill their share in each of two ways with half of the files that this process may open: a
/// connection takes two, for both of its ends are here.
fn attackers() -> usize {
    let files = raise_open_files().unwrap_or(1_024);
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    (files / 2 / 2 / 2 / SHARE).clamp(1, ATTACKERS)
}

/// A loopback address of this number; the whole of 127.0.0.0/8 is this machine.
fn address(group: u8, number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, group, u8::try_from(number).unwrap())
}

async fn connect(on: &Listening<'_>, from: Ipv4Addr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(on.address).await.unwrap()
}

/// The memory that this process holds, in KiB.
fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0)
}

/// From each address as many as it may have; one more is closed without a word.
async fn fill<T>(
    on: &Listening<'_>,
    group: u8,
    attackers: usize,
    open: impl AsyncFn(TcpStream) -> T,
) -> Vec<T> {
    let mut opened = Vec::new();
    for number in 1..=attackers {
        for _ in 0..SHARE {
            opened.push(open(connect(on, address(group, number)).await).await);
        }
        let mut beyond = Line::new(connect(on, address(group, number)).await);
        assert_eq!(beyond.rest().await, b"");
    }
    opened
}

#[tokio::test]
async fn L6_idle_and_slow_connections_by_the_hundred_leave_room_and_end() {
    let attackers = attackers();
    let crowd = 2 * attackers * SHARE;
    let limits = Limits {
        head: Duration::from_secs(5),
        idle: Duration::from_secs(5),
        connections: crowd + LEFT,
        connections_per_address: SHARE,
        ..Limits::default()
    };
    let door = Door {
        limits,
        counts_everybody: true,
        ..Door::default()
    };
    listening_at(&[], door, async |on| {
        let before = memory();
        let idle = fill(on, 1, attackers, is_answered).await;
        let slow = fill(on, 2, attackers, async |stream| stream).await;
        let attack = async {
            let idling = together(idle.into_iter().map(async |mut line| line.rest().await));
            let dripping = together(
                slow.into_iter()
                    .map(async |stream| drip(stream, b"GET / HTTP/1.1\r\nX: ").await.rest().await),
            );
            let watching = async {
                let each = memory().saturating_sub(before) * 1_024 / crowd;
                println!("{crowd} connections, {each} bytes each with both ends");
            };
            tokio::join!(idling, dripping, watching)
        };
        let ask = async || {
            is_answered(connect(on, address(3, 1)).await).await;
        };
        let (idle, slow, ()) = meanwhile(attack, ask).await;
        assert_eq!(idle.len() + slow.len(), crowd);
        assert!(
            idle.iter().chain(&slow).all(Vec::is_empty),
            "somebody was answered"
        );
        are_all_free(on, crowd + LEFT).await;
    })
    .await;
}

/// As many connections at once as there are places, each answered.
async fn are_all_free(on: &Listening<'_>, places: usize) {
    let mut held = Vec::new();
    for n in 0..places {
        let from = address(4, 1 + n / SHARE);
        held.push(is_answered(connect(on, from).await).await);
    }
    assert_eq!(held.len(), places);
}

/// A proxy may stand there, as one does that the operator names.
#[tokio::test]
async fn L6_this_machine_is_not_held_to_the_share_of_one_address() {
    let limits = Limits {
        connections_per_address: 1,
        ..Limits::default()
    };
    let door = Door {
        limits,
        ..Door::default()
    };
    listening_at(&[], door, async |on| {
        let first = is_answered(on.tcp().await).await;
        let second = is_answered(on.tcp().await).await;
        drop((first, second));
    })
    .await;
}
