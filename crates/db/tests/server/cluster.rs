//! A PostgreSQL cluster of one test, which may treat it as it likes.

use std::{
    fs,
    os::unix::fs::MetadataExt,
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
        let programs =
            std::env::var_os("TEST_POSTGRES_BIN").map_or_else(newest_of_debian, PathBuf::from);
        let cluster = Cluster {
            folder: tempfile::tempdir().expect("a folder"),
            programs,
        };
        if is_root() {
            run(Command::new("chown")
                .arg("postgres")
                .arg(cluster.folder.path()));
        }
        run(cluster
            .program("initdb")
            .args([
                "-A",
                "trust",
                "-U",
                "tester",
                "-E",
                "UTF8",
                "--no-sync",
                "-D",
            ])
            .arg(cluster.data()));
        let settings = format!(
            "fsync = off\nlisten_addresses = ''\nunix_socket_directories = '{}'\n",
            cluster.folder.path().display()
        );
        let file = cluster.data().join("postgresql.auto.conf");
        fs::write(file, settings).expect("configured");
        cluster.control(&["start"]);
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
