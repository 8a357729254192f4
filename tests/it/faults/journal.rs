//! A journal that comes back damaged: SQLite then goes on, without a word, from the last commit before the damage, and every
//! revocation behind it is forgotten. Each byte of the frames that hold revocations is flipped, each frame is cut off, the
//! whole journal goes: the revocations are there, or every session is over and it is said so. Never does one live that was
//! revoked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use db::Db;
use doorward::app::MIGRATIONS;
use doorward::clock::Clock;
use doorward::ids::{SessionId, UserId};
use doorward::revocations::{Forgotten, Revocations, Verdict, recover};
use rustix::process::Signal;
use serde_json::json;
use tokio::runtime;

use crate::harness::database::is_postgres;
use crate::harness::process::{Place, Process};
use crate::harness::wire::Connection;
use crate::harness::{PASSWORD, unique};

/// The least that SQLite takes: what holds for a small page holds for a large one, and has fewer bytes to damage.
const PAGE: usize = 512;
/// The journal of a database, as SQLite's file format has it (section 4.1 of its description): a header, then frames.
const HEAD: usize = 32;
const FRAME: usize = 24 + PAGE;
/// Every so many bytes the real binary is started on the damage too.
const SAMPLE: usize = 61;

/// A token, by what it names.
struct Held {
    token: String,
    user: UserId,
    session: SessionId,
}

/// What a service left behind that was killed: three people whose sessions were ended, each in another way and in this
/// order, and one whose session was not.
struct Remains {
    revoked: Vec<Held>,
    bystander: Held,
    /// The files, by name.
    files: BTreeMap<String, Vec<u8>>,
    /// Where in the journal each revocation's commit ends, by bytes.
    commits: Vec<usize>,
}

/// What a start on damaged remains came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// As if nothing were damaged.
    Intact,
    /// All sessions are over, and it was said.
    AllEnded,
}

const JOURNAL: &str = "doorward.db-wal";

impl Held {
    fn signs_up(connection: &mut Connection, email: &str) -> Self {
        let body = json!({"email": email, "password": PASSWORD});
        let made = connection
            .call("POST", "/auth/signup", None, Some(&body))
            .unwrap();
        let token = made.token().unwrap().to_owned();
        let (_, claims) = jose::decode_unverified(&token).unwrap();
        let id = |claim: &str| claims[claim].as_str().unwrap().to_owned();
        Self {
            user: UserId::from_stored(id("sub")),
            session: SessionId::from_stored(id("sid")),
            token,
        }
    }
}

impl Remains {
    async fn new() -> Self {
        let place = Place::new().await;
        fs::create_dir_all(place.data()).unwrap();
        rusqlite::Connection::open(place.data().join("doorward.db"))
            .and_then(|file| file.execute_batch(&format!("PRAGMA page_size = {PAGE}; VACUUM")))
            .unwrap();
        let server = place.serve();
        let mut connection = Connection::open(server.address()).unwrap();
        let mut sign_up =
            |name: &str| Held::signs_up(&mut connection, &format!("{name}@example.com"));
        let revoked = ["ada", "carol", "dave"].map(&mut sign_up).into();
        let bystander = sign_up("bob");
        // Who stops in peace leaves no journal, so that the next one begins with what matters here.
        server.signal(Signal::TERM);
        assert_eq!(server.ended().code, Some(0));

        let server = place.serve();
        let mut remains = Self {
            revoked,
            bystander,
            files: BTreeMap::new(),
            commits: Vec::new(),
        };
        remains.revokes_each(&place, &server);
        server.kill();
        for name in ["doorward.db", JOURNAL, "revocations.mark", "secret.key"] {
            let bytes = fs::read(place.data().join(name)).unwrap();
            remains.files.insert(name.to_owned(), bytes);
        }
        remains
    }

    /// By the operator's word, by a new password, and by the session's own token.
    fn revokes_each(&mut self, place: &Place, server: &Process) {
        let journal = place.data().join(JOURNAL);
        for (number, held) in self.revoked.iter().enumerate() {
            match number {
                0 => {
                    let shut = place.run(&["user", "disable", held.user.as_str()], "");
                    assert_eq!(shut.code, Some(0), "{shut:?}");
                }
                1 => {
                    let set = [
                        "user",
                        "set-password",
                        held.user.as_str(),
                        "--password-stdin",
                    ];
                    let set = place.run(&set, "another walk in the hills");
                    assert_eq!(set.code, Some(0), "{set:?}");
                }
                _ => {
                    let mut connection = Connection::open(server.address()).unwrap();
                    let left = connection.call(
                        "POST",
                        "/auth/signout",
                        Some(&held.token),
                        Some(&json!({})),
                    );
                    assert_eq!(left.unwrap().status, 204);
                }
            }
            self.commits.push(fs::read(&journal).unwrap().len());
        }
    }

    fn journal(&self) -> &[u8] {
        &self.files[JOURNAL]
    }

    /// Puts the files into `folder`, with `journal` for the journal; none when it is `None`.
    fn put(&self, folder: &Path, journal: Option<&[u8]>) {
        fs::create_dir(folder).unwrap();
        for (name, bytes) in &self.files {
            match journal {
                Some(journal) if name == JOURNAL => fs::write(folder.join(name), journal).unwrap(),
                None if name == JOURNAL => {}
                _ => fs::write(folder.join(name), bytes).unwrap(),
            }
        }
    }

    /// Opens the remains as a start of the service does, in this process, and asks of each session whether it lives.
    async fn opened(&self, journal: Option<&[u8]>) -> Outcome {
        let folder = in_memory().join(format!("doorward-torn-{}", unique()));
        self.put(&folder, journal);
        let url = folder.join("doorward.db").display().to_string();
        let db = Db::open(&url, MIGRATIONS).await.unwrap();
        let now = Clock::system().now();
        let recovered = recover(&db, &folder, now).await.unwrap();
        let revocations = Revocations::open(&db, &folder).await.unwrap();
        let is_live = async |held: &Held| {
            let asked = revocations
                .is_live(&db, &held.session, &held.user, now)
                .await;
            asked.unwrap()
        };
        let has_bystander = is_live(&self.bystander).await;
        for held in &self.revoked {
            assert!(!is_live(held).await, "revoked, and it lives");
        }
        revocations.refresh(&db, now).await.unwrap();
        for held in &self.revoked {
            let verdict = revocations.verdict(&held.session, now);
            assert_ne!(verdict, Verdict::Live, "revoked, and it lives");
        }
        db.close().await;
        fs::remove_dir_all(folder).unwrap();
        match recovered {
            None => {
                assert!(has_bystander, "over, and nobody was told");
                Outcome::Intact
            }
            Some(recovered) => {
                assert!(matches!(recovered.found, Forgotten::Behind { .. }));
                assert!(!has_bystander, "the sessions are said to be over");
                Outcome::AllEnded
            }
        }
    }

    /// Starts the real binary on the remains, and shows it each token.
    async fn served(&self, journal: Option<&[u8]>) -> Outcome {
        let place = Place::new().await;
        self.put(&place.data(), journal);
        let server = place.serve();
        let mut connection = Connection::open(server.address()).unwrap();
        let mut me = |held: &Held| {
            let me = connection.call("GET", "/auth/me", Some(&held.token), None);
            let me = me.unwrap();
            (me.status.as_u16(), me.code().to_owned())
        };
        let refused = (401, "session_revoked".to_owned());
        for held in &self.revoked {
            assert_eq!(me(held), refused);
        }
        let bystander = me(&self.bystander);
        let said = server.kill().said;
        let is_told = said.contains("ALL SESSIONS WERE ENDED") && said.contains("\"ERROR\"");
        if is_told {
            assert_eq!(bystander, refused, "{said}");
            Outcome::AllEnded
        } else {
            assert_eq!(bystander.0, 200, "over, and nobody was told: {said}");
            Outcome::Intact
        }
    }
}

/// Where files need no disk, when there is such a place: what a disk does to them is done by the test.
fn in_memory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    }
}

/// Opens the remains with one bit turned in each of these bytes of the journal, on all cores.
fn open_each(remains: &Remains, bytes: &[usize]) {
    let cores = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|threads| {
        for core in 0..cores {
            threads.spawn(move || {
                let runtime = runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    for at in bytes.iter().skip(core).step_by(cores) {
                        let journal = flipped(remains.journal(), *at);
                        let outcome = remains.opened(Some(&journal)).await;
                        assert_eq!(outcome, Outcome::AllEnded, "byte {at}");
                    }
                });
            });
        }
    });
}

/// Another bit for each byte.
fn flipped(journal: &[u8], at: usize) -> Vec<u8> {
    let mut flipped = journal.to_vec();
    flipped[at] ^= 1 << (at % 8);
    flipped
}

#[tokio::test]
async fn no_byte_of_what_was_revoked_last_can_be_damaged_unnoticed() {
    if is_postgres() {
        return; // what is torn here is SQLite's
    }
    let remains = Remains::new().await;
    let [.., before, end] = remains.commits[..] else {
        panic!("several commits")
    };
    // The head, part of the earlier commits, and all of the last one.
    let bytes: Vec<usize> = (0..HEAD)
        .chain((HEAD..before).step_by(16))
        .chain(before..end)
        .collect();
    open_each(&remains, &bytes);
    let sample: Vec<usize> = (before..end).step_by(SAMPLE).collect();
    for at in &sample {
        let journal = flipped(remains.journal(), *at);
        let outcome = remains.served(Some(&journal)).await;
        assert_eq!(outcome, Outcome::AllEnded, "byte {at}");
    }
    let (opened, served) = (bytes.len(), sample.len());
    println!(
        "{opened} damaged bytes, {served} of them under the real binary: no revoked session lived"
    );
}

/// At each end of a frame and in the middle of each; only a journal that ends behind the last commit has it all.
#[tokio::test]
async fn a_journal_that_is_cut_off_anywhere_or_gone_is_noticed() {
    if is_postgres() {
        return; // what is torn here is SQLite's
    }
    let remains = Remains::new().await;
    let whole = remains.journal();
    assert_eq!((whole.len() - HEAD) % FRAME, 0, "whole frames");
    assert_eq!(Some(&whole.len()), remains.commits.last());
    for end in (HEAD..whole.len()).step_by(FRAME) {
        for cut in [&whole[..end], &whole[..end + FRAME / 2]] {
            assert_eq!(remains.opened(Some(cut)).await, Outcome::AllEnded);
        }
        let outcome = remains.served(Some(&whole[..end])).await;
        assert_eq!(outcome, Outcome::AllEnded);
    }
    for nothing in [Some(&[][..]), None] {
        assert_eq!(remains.opened(nothing).await, Outcome::AllEnded);
        assert_eq!(remains.served(nothing).await, Outcome::AllEnded);
    }
}

/// A write that was torn before anybody was told of it is no reason to sign anybody out.
#[tokio::test]
async fn what_was_never_acknowledged_costs_nobody_a_session() {
    if is_postgres() {
        return; // what is torn here is SQLite's
    }
    let remains = Remains::new().await;
    let whole = remains.journal();
    let next = &whole[whole.len() - FRAME..];
    for torn in [0, 1, FRAME / 2, FRAME - 1] {
        let journal = [whole, &next[..torn]].concat();
        assert_eq!(remains.opened(Some(&journal)).await, Outcome::Intact);
        assert_eq!(remains.served(Some(&journal)).await, Outcome::Intact);
    }
}
