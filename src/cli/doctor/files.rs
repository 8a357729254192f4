//! The data folder and the secret key in it: who can read them.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Finding;
use crate::breached::Breached;
use crate::cli::opening;
use crate::config::Config;

/// What others than the owner may do with a file.
const OTHERS: u32 = 0o077;

pub(super) fn data_folder(config: &Config) -> Finding {
    const CHECK: &str = "data folder";
    let path = &config.data_dir;
    let shown = path.display();
    match mode(path) {
        Ok(None) => Finding::ok(
            CHECK,
            format!("{shown} is not there yet; the first start makes it"),
        ),
        Ok(Some(mode)) if mode & OTHERS == 0 => {
            Finding::ok(CHECK, format!("{shown} is {mode:04o}"))
        }
        Ok(Some(mode)) => Finding::warn(
            CHECK,
            format!("{shown} is {mode:04o}: others may look into it"),
            format!("chmod 0700 {shown}"),
        ),
        Err(error) => Finding::fail(
            CHECK,
            format!("{shown} cannot be looked at: {error}"),
            "run this as the user that runs the service, or set data_dir",
        ),
    }
}

pub(super) fn secret_key(config: &Config) -> Finding {
    const CHECK: &str = "secret key";
    if config.secret_key.is_some() {
        return Finding::ok(CHECK, "it is configured");
    }
    let path = opening::secret_key_file(config);
    let shown = path.display();
    match mode(&path) {
        Ok(None) => Finding::ok(
            CHECK,
            format!("{shown} is not there yet; the first start makes it"),
        ),
        Ok(Some(mode)) if mode & OTHERS == 0 => {
            Finding::ok(CHECK, format!("{shown} is {mode:04o}"))
        }
        Ok(Some(mode)) => Finding::fail(
            CHECK,
            format!("{shown} is {mode:04o}: others may read it"),
            format!("chmod 0600 {shown}"),
        ),
        Err(error) => Finding::fail(
            CHECK,
            format!("{shown} cannot be looked at: {error}"),
            "run this as the user that runs the service",
        ),
    }
}

/// Reads the file of breached passwords, all of it, if one is configured.
pub(super) fn breached_passwords(config: &Config) -> Option<Finding> {
    const CHECK: &str = "breached passwords";
    let path = config.password.breached_file.as_deref()?;
    let looked = Breached::open(path).and_then(|file| file.check().map(|()| file.count()));
    Some(match looked {
        Ok(count) => Finding::ok(CHECK, format!("{} holds {count}", path.display())),
        Err(error) => Finding::fail(
            CHECK,
            error.to_string(),
            "make it anew (`doorward breached build --force`), or set password.breached_file",
        ),
    })
}

/// The permissions of a file; `None` when there is none.
fn mode(path: &Path) -> std::io::Result<Option<u32>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.permissions().mode() & 0o777)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
