//! The real binary, as child processes that end with the test that started them.

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use db::{Db, sql};
use doorward::app::MIGRATIONS;
use rustix::process::{Pid, Signal, kill_process};

use super::database::Database;
use super::unique;

/// How much of what a process said is kept: its last lines.
const LINES: usize = 200;

/// What the nodes share on PostgreSQL. With SQLite it is made on first start.
const SECRET_KEY: &str = "the nodes' own secret key, long enough";

/// Where processes run: a data folder, and a database that they share. Gone with the test.
pub struct Place {
    folder: PathBuf,
    database_url: Option<String>,
    settings: Vec<(String, String)>,
}

impl Place {
    /// A new folder and an empty database of the kind that the tests run on, for development: sign-up open, the
    /// cheapest hash, no limits, any free port, and a log of warnings alone.
    pub async fn new() -> Self {
        let database_url = match Database::new().await {
            // The folder of SQLite is this one: what `serve` makes by itself is what is tested.
            database @ Database::Sqlite(_) => {
                database.remove().await;
                None
            }
            Database::Postgres { url } => Some(url),
        };
        let database_url = database_url.map(|url| format!("{url}&application_name={}", unique()));
        let place = Self {
            folder: new_folder(),
            database_url,
            settings: Vec::new(),
        };
        place
            .with("listen", "127.0.0.1:0")
            .with("metrics_listen", "off")
            .with("limits.enabled", "false")
            .with("log.filter", "warn")
            .with("password.argon2.memory_kib", "8")
            .with("password.argon2.iterations", "1")
            .with("password.max_wait", "20s")
    }

    /// Where one more node runs: on the same database, with a data folder of its own. With PostgreSQL only.
    pub fn another(&self) -> Self {
        assert!(self.database_url.is_some(), "a file has one node");
        Self {
            folder: new_folder(),
            database_url: self.database_url.clone(),
            settings: self.settings.clone(),
        }
    }

    /// The same with a setting changed.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.set(key, value);
        self
    }

    /// Changes a setting, for processes that start from now on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// The same with PostgreSQL reached by another address, which stands for the one that is given.
    #[must_use]
    pub fn reached_by(mut self, other: impl FnOnce(SocketAddr) -> SocketAddr) -> Self {
        let url = self.database_url.as_mut().expect("a server");
        let (credential, rest) = url.split_once('@').expect("a user");
        let (address, rest) = rest.split_once('/').expect("a database");
        let other = other(address.parse().expect("an address and a port"));
        *url = format!("{credential}@{other}/{rest}");
        self
    }

    /// Where commands run.
    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Where the files are. It does not exist before the first process has made it.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where the database is, as `db` takes it.
    pub fn database_url(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| self.data().join("doorward.db").display().to_string())
    }

    /// `doorward` with these arguments, in this place and nothing of the environment of the tests.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.wrapped(Command::new(env!("CARGO_BIN_EXE_doorward")), arguments)
    }

    /// The same, run by `program`, which ends with executing what comes behind its own arguments.
    pub fn wrapped(&self, mut program: Command, arguments: &[&str]) -> Command {
        program.env_clear();
        program.envs(
            ["PATH", "TMPDIR"]
                .into_iter()
                .filter_map(|name| Some((name, env::var_os(name)?))),
        );
        if let Some(url) = &self.database_url {
            program.env("DOORWARD_DATABASE_URL", url);
            program.env("DOORWARD_SECRET_KEY", SECRET_KEY);
        }
        program
            .current_dir(&self.folder)
            .args(arguments)
            .arg("--dev");
        let data = ("data_dir".to_owned(), self.data().display().to_string());
        for (key, value) in self.settings.iter().chain([&data]) {
            program.arg("--set").arg(format!("{key}={value}"));
        }
        program
    }

    /// Waits until nothing is left of a server that was killed: PostgreSQL may finish what its client did not live to see.
    pub async fn settles(&self) {
        let Some(url) = &self.database_url else {
            return;
        };
        let (server, name) = url.rsplit_once('=').unwrap();
        let db = Db::open_beside(&format!("{server}=another"), MIGRATIONS)
            .await
            .unwrap();
        let connected = "SELECT CAST(count(*) AS BIGINT) AS n FROM pg_stat_activity WHERE application_name = $1";
        while db
            .one(sql(connected).bind(name), |row| row.int("n"))
            .await
            .unwrap()
            != Some(0)
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        db.close().await;
    }

    /// Starts a server and waits until it serves.
    pub fn serve(&self) -> Process {
        let mut server = Process::start(self.command(&["serve"]));
        if let Err(ended) = server.listening() {
            panic!("the server did not start: {ended:?}");
        }
        server
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str], input: &str) -> Ended {
        Process::start_with(self.command(arguments), input).ended()
    }
}

fn new_folder() -> PathBuf {
    let folder = env::temp_dir().join(format!("doorward-{}", unique()));
    fs::create_dir(&folder).unwrap();
    folder
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A running process. It is killed when nobody wants it any more, so that no test leaves one behind.
pub struct Process {
    child: Child,
    address: Option<SocketAddr>,
    // Its standard error, line by line, as far as nobody has waited for more.
    heard: Receiver<String>,
    // Standard output and standard error, read to their ends.
    said: [Option<JoinHandle<String>>; 2],
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub output: String,
    /// The last lines of its standard error.
    pub said: String,
}

impl Process {
    /// Starts it, with nothing to read.
    pub fn start(command: Command) -> Self {
        Self::start_with(command, "")
    }

    /// Starts it, with `input` to read.
    pub fn start_with(mut command: Command, input: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (say, heard) = mpsc::channel();
        let (mut output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let output = thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).unwrap();
            text
        });
        let errors = thread::spawn(move || listen(BufReader::new(errors), &say));
        let mut stdin = child.stdin.take().unwrap();
        // A process that has ended reads nothing; how it ended is for the test to judge.
        let _ = stdin.write_all(input.as_bytes());
        Self {
            child,
            address: None,
            heard,
            said: [Some(output), Some(errors)],
        }
    }

    /// Waits until it listens; how it ended when it does not.
    pub fn listening(&mut self) -> Result<SocketAddr, Ended> {
        if self.address.is_none() {
            self.address = self.hears("Listening on ").map(|line| {
                let (_, address) = line.rsplit_once("://").unwrap();
                address.parse().unwrap()
            });
        }
        self.address.ok_or_else(|| self.wait())
    }

    /// Waits until it says `words` on its standard error, and gives the line; `None` when it ended without a word of them.
    pub fn hears(&self, words: &str) -> Option<String> {
        self.heard.iter().find(|line| line.contains(words))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address.expect("it listens")
    }

    /// Its number.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Kills it, with no warning and no way to decline, and waits until it is gone.
    pub fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Ended {
        self.wait()
    }

    fn wait(&mut self) -> Ended {
        let status = self.child.wait().unwrap();
        let [output, said] = self.said.each_mut().map(|reader| {
            reader
                .take()
                .map_or_else(String::new, |it| it.join().unwrap())
        });
        Ended {
            code: status.code(),
            output,
            said,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a process says, passes it on and keeps the last lines.
fn listen(lines: BufReader<impl std::io::Read>, say: &Sender<String>) -> String {
    let mut kept = VecDeque::new();
    for line in lines.split(b'\n') {
        let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
        let _ = say.send(line.clone());
        if kept.len() == LINES {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    kept.into_iter().collect::<Vec<_>>().join("\n")
}

/// The names of what is in a folder.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
