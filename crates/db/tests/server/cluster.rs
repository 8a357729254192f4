//! A PostgreSQL cluster of one test, which may treat it as it likes.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
}

impl Cluster {
    /// Makes a cluster on a socket in a folder of its own and starts it. `TEST_POSTGRES_BIN` says where the programs of
    /// PostgreSQL are if they are not where Debian puts them.
    pub(crate) fn start() -> Cluster {
        let cluster = Self::make("listen_addresses = ''");
        cluster.control(&["start"]);
        cluster
    }

    /// The same on a port of this machine, with a certificate and its key.
    pub(crate) fn start_with_tls(port: u16, certificate: &str, key: &str) -> Cluster {
        let cluster = Self::make(&format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nssl = on"
        ));
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = cluster.data().join(name);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("made private");
            give_away(&path);
        }
        cluster.control(&["start"]);
        cluster
    }

    fn make(settings: &str) -> Cluster {
        let programs =
            std::env::var_os("TEST_POSTGRES_BIN").map_or_else(newest_of_debian, PathBuf::from);
        let cluster = Cluster {
            folder: tempfile::tempdir().expect("a folder"),
            programs,
        };
        give_away(cluster.folder.path());
        let arguments = [
            "-A",
            "trust",
            "-U",
            "tester",
            "-E",
            "UTF8",
            "--no-sync",
            "-D",
        ];
        run(cluster
            .program("initdb")
            .args(arguments)
            .arg(cluster.data()));
        let socket = cluster.folder.path().display();
        let settings = format!("fsync = off\nunix_socket_directories = '{socket}'\n{settings}\n");
        fs::write(cluster.data().join("postgresql.auto.conf"), settings).expect("configured");
        cluster
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://tester@/postgres?host={}",
            self.folder.path().display()
        )
    }

    /// Stops the server as a crash does, and starts it again.
    pub(crate) fn restart(&self) {
        self.control(&["stop", "-m", "immediate"]);
        self.control(&["start"]);
    }

    /// Lets the server follow another, of which it hears nothing.
    pub(crate) fn follow(&self) {
        self.control(&["stop", "-m", "immediate"]);
        let signal = self.data().join("standby.signal");
        fs::write(&signal, "").expect("written");
        give_away(&signal);
        self.control(&["start"]);
    }

    /// What the server has written down.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("its log")
    }

    /// Sends a signal to one of the server's processes.
    pub(crate) fn signal(name: &str, process: i32) {
        run(Command::new("kill").args(["-s", name, &process.to_string()]));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn control(&self, what: &[&str]) {
        let log = self.folder.path().join("log");
        run(self
            .program("pg_ctl")
            .args(what)
            .arg("-w")
            .arg("-s")
            .arg("-D")
            .arg(self.data())
            .arg("-l")
            .arg(log));
    }

    /// A program of PostgreSQL, which refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.control(&["stop", "-m", "immediate"]);
    }
}

/// To the user that PostgreSQL runs as when we are root.
fn give_away(path: &Path) {
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(path));
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("this process").uid() == 0
}

fn newest_of_debian() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok())
        .max();
    let newest = newest.expect("no PostgreSQL in /usr/lib/postgresql: set TEST_POSTGRES_BIN");
    Path::new("/usr/lib/postgresql")
        .join(newest.to_string())
        .join("bin")
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}
