//! What commands open before they do anything: the configuration, the secret key, the database.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use db::Db;

use super::Failure;
use crate::app::MIGRATIONS;
use crate::config::{self, Config, Inputs, Loaded};
use crate::secret::{self, Secret};

/// Reads the configuration, or says everything that is wrong with it.
pub(super) fn configuration(inputs: &Inputs) -> Result<Loaded, Failure> {
    config::load(inputs).map_err(|errors| {
        Failure::configuration(format_args!("the configuration is not right\n\n{errors}"))
    })
}

/// Makes the data folder, for its owner alone, when it is missing.
pub(super) fn data_folder(config: &Config) -> Result<(), Failure> {
    let folder = &config.data_dir;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        let folder = folder.display();
        Failure::failed(format_args!("cannot make the data folder {folder}: {error}. Set data_dir to a place that can be written"))
    })
}

/// The key that seals keys in the database: the configured one, or the one in the data folder, made there when missing.
/// Tells whether it was made now.
pub(super) fn secret_key(config: &Config) -> Result<(Secret<String>, Option<PathBuf>), Failure> {
    if let Some(key) = &config.secret_key {
        return Ok((key.clone(), None));
    }
    let path = config.data_dir.join("secret.key");
    let cannot = |error| {
        Failure::failed(format_args!(
            "cannot read or make the secret key {}: {error}",
            path.display()
        ))
    };
    match fs::read_to_string(&path) {
        Ok(text) => return Ok((Secret::new(text.trim_end().to_owned()), None)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(cannot(error)),
    }
    let made = make_secret(&path).map_err(cannot)?;
    let text = fs::read_to_string(&path).map_err(cannot)?;
    Ok((
        Secret::new(text.trim_end().to_owned()),
        made.then_some(path),
    ))
}

/// Puts a new secret at `path`, whole or not at all; `false` when another process did it first.
fn make_secret(path: &Path) -> std::io::Result<bool> {
    // By chance, not by process id: two containers that share the folder may both be process 1.
    let draft = path.with_extension(format!("{:032x}.new", u128::from_le_bytes(secret::bytes())));
    let made = write_secret(&draft).and_then(|()| match fs::hard_link(&draft, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    });
    let _ = fs::remove_file(&draft); // a draft that stays is in nobody's way
    let made = made?;
    fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(made)
}

fn write_secret(draft: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(secret::token().expose().as_bytes())?;
    file.sync_all()
}

/// Where the database is, as the driver takes it.
pub(super) fn database_url(config: &Config) -> Secret<String> {
    config
        .database_url
        .clone()
        .unwrap_or_else(|| Secret::new(config.data_dir.join("doorward.db").display().to_string()))
}

/// Opens the database to serve it; on SQLite nobody else may.
pub(super) async fn database(config: &Config) -> Result<Db, Failure> {
    Db::open(database_url(config).expose(), MIGRATIONS)
        .await
        .map_err(Failure::failed)
}

/// Opens the database beside a running service.
pub(super) async fn database_beside(config: &Config) -> Result<Db, Failure> {
    Db::open_beside(database_url(config).expose(), MIGRATIONS)
        .await
        .map_err(Failure::failed)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn many_that_make_one_secret_at_once_make_one() {
        let folder = std::env::temp_dir().join(format!(
            "doorward-secret-{:032x}",
            u128::from_le_bytes(secret::bytes())
        ));
        fs::create_dir(&folder).expect("a folder");
        for round in 0..20 {
            let path = folder.join(format!("secret-{round}.key"));
            // Each reads what is there as soon as its own attempt is over: nobody may see a part of it.
            let seen: Vec<(bool, String)> = thread::scope(|threads| {
                let makers = [(); 16].map(|()| {
                    threads.spawn(|| {
                        let made = make_secret(&path).expect("made, or there already");
                        (made, fs::read_to_string(&path).expect("it is there"))
                    })
                });
                makers
                    .map(|maker| maker.join().expect("no panic"))
                    .into_iter()
                    .collect()
            });
            assert_eq!(seen.iter().filter(|(made, _)| *made).count(), 1);
            assert!(
                seen.iter()
                    .all(|(_, text)| text.len() == 43 && *text == seen[0].1)
            );
        }
        assert_eq!(
            fs::read_dir(&folder).expect("read").count(),
            20,
            "no draft is left"
        );
        fs::remove_dir_all(folder).expect("removed");
    }
}
