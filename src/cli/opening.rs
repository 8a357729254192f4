//! What commands open before they do anything: the configuration, the secret key, the database.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use db::Db;
use zeroize::Zeroizing;

use super::Failure;
use crate::app::{self, App, MIGRATIONS};
use crate::clock::Clock;
use crate::config::{self, Config, Inputs, Loaded};
use crate::revocations::Revocations;
use crate::secret::{self, Sealer, Secret, Stamp};

/// What the configuration asks of a secret key too, in characters.
const MIN_SECRET_KEY: usize = 32;

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

/// Where the secret key is when it is not configured.
pub(super) fn secret_key_file(config: &Config) -> PathBuf {
    config.data_dir.join("secret.key")
}

/// The key that seals keys in the database: the configured one, or the one in the data folder, made there when nothing
/// was sealed yet. Tells whether it was made now.
pub(super) async fn secret_key(
    config: &Config,
    db: &Db,
) -> Result<(Secret<String>, Option<PathBuf>), Failure> {
    if let Some(key) = &config.secret_key {
        return Ok((key.clone(), None));
    }
    let path = secret_key_file(config);
    let shown = path.display();
    let cannot = |error| {
        Failure::failed(format_args!(
            "cannot read or make the secret key {shown}: {error}"
        ))
    };
    let lost = |how| {
        Failure::configuration(format_args!(
            "the secret key {shown} {how}. Put back a copy of it, or set DOORWARD_SECRET_KEY to what it held: without \
             it the signing keys cannot be opened"
        ))
    };
    let mut is_there = fs::exists(&path).map_err(cannot)?;
    if !is_there && app::is_sealed(db).await? {
        // Another process may have made it, and sealed the database, between the two looks.
        is_there = fs::exists(&path).map_err(cannot)?;
        if !is_there {
            return Err(lost("is not there, and the database was sealed under it"));
        }
    }
    let made = !is_there && make_secret(&path).map_err(cannot)?;
    let text = Zeroizing::new(fs::read_to_string(&path).map_err(cannot)?);
    let key = Secret::new(text.trim_end().to_owned());
    if key.expose().chars().count() < MIN_SECRET_KEY {
        return Err(lost("is too short to be the one that was made there"));
    }
    Ok((key, made.then_some(path)))
}

/// What proves that the service made what others keep for it.
pub(super) async fn stamp(config: &Config, db: &Db) -> Result<Stamp, Failure> {
    let (key, _) = secret_key(config, db).await?;
    Ok(Stamp::new(&key))
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
fn database_url(config: &Config) -> Secret<String> {
    config
        .database_url
        .clone()
        .unwrap_or_else(|| Secret::new(config.data_dir.join("doorward.db").display().to_string()))
}

/// The SQLite file, when the database is one and its address can be used.
pub(super) fn database_file(config: &Config) -> Option<PathBuf> {
    db::file_of(database_url(config).expose())
}

/// Opens the database to serve it; on SQLite nobody else may.
pub(super) async fn database(config: &Config) -> Result<Db, Failure> {
    Ok(Db::open(database_url(config).expose(), MIGRATIONS).await?)
}

/// Does `work` on the database that there is, beside a running service. A SQLite file that is not there is more likely
/// looked for in the wrong place than wanted, and is not made.
pub(super) fn with_database<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Db) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Some(file) = database_file(config).filter(|file| !file.exists()) {
        return Err(Failure::configuration(format_args!(
            "there is no database at {}. Set data_dir (DOORWARD_DATA_DIR) to where the service keeps it; \
             `doorward serve` and `doorward user create` make a new one",
            file.display()
        )));
    }
    block_on(async {
        let db = beside(config).await?;
        let outcome = work(&db).await;
        db.close().await;
        outcome
    })
}

/// The same with what every write goes through that ends sessions.
pub(super) fn with_revocations<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Db, &Revocations) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with_database(config, async |db| {
        data_folder(config)?;
        let revocations = Revocations::open(db, &config.data_dir).await?;
        work(db, &revocations).await
    })
}

/// The same with what opens the keys that are sealed in it.
pub(super) fn with_sealer<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Db, &Sealer) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with_database(config, async |db| {
        let (secret_key, _) = secret_key(config, db).await?;
        let sealer = Sealer::new(&secret_key);
        app::prove_sealer(db, &sealer).await?;
        work(db, &sealer).await
    })
}

/// Does `work` on the whole application, beside a running service or before there ever was one.
pub(super) fn with_app<T>(
    config: Config,
    work: impl AsyncFnOnce(&App) -> Result<T, Failure>,
) -> Result<T, Failure> {
    data_folder(&config)?;
    block_on(async {
        let db = beside(&config).await?;
        let (secret_key, made) = secret_key(&config, &db).await?;
        if let Some(path) = made {
            super::welcome::tell_of_secret(&path);
        }
        let app = App::open(config, &secret_key, Clock::system(), db).await?;
        let outcome = work(&app).await;
        app.passwords.stop().await;
        app.db.close().await;
        outcome
    })
}

/// Opens the database beside a running service, and makes it when there is none.
pub(super) async fn beside(config: &Config) -> Result<Db, Failure> {
    Ok(Db::open_beside(database_url(config).expose(), MIGRATIONS).await?)
}

/// Runs what a command does to its end.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?
        .block_on(work)
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
