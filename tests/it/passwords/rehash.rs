//! A stored hash that is weaker than today's is replaced at the next sign-in: by one that takes exactly what it took,
//! and never against somebody who changes the password meanwhile.

use db::{Unit, sql};
use doorward::attempts::Permit;
use doorward::audit::{self, About, By, Event};
use doorward::ids::UserId;
use doorward::password::{self, Norm, Stored};
use doorward::secret::Secret;
use doorward::users::{self, Email, NewUser};
use passhash::{Cost, Hasher, Turn};

use crate::harness::{ADA, BEGINNING, PASSWORD, Server, server};

/// What the tests' configuration asks for has 32 KiB.
const WEAKER: Cost = Cost {
    memory_kib: 16,
    iterations: 1,
    parallelism: 1,
};
const STRONGER: Cost = Cost {
    memory_kib: 64,
    iterations: 2,
    parallelism: 1,
};
/// bcrypt's of [`PASSWORD`].
const BCRYPT: &str = "$2b$04$ZgxNOih012kTvCN8PXog8uFeqq81Lp0GJcrwHuEaMh/nShjWu/Yh6";

/// Ada has an account, and this is what is stored of her password.
pub async fn imported(server: &Server, hash: &str, norm: Norm) -> UserId {
    let id = UserId::new();
    let new = NewUser {
        email: Email::parse(ADA).unwrap(),
        name: None,
        locale: None,
        metadata: None,
        roles: Vec::new(),
    };
    let stored = Stored {
        hash: hash.to_owned(),
        norm,
    };
    let about = About {
        user: Some(&id),
        session: None,
    };
    let unit = Unit::new()
        .run(users::store::insert(&id, &new, BEGINNING))
        .run(password::store::insert(&id, &stored, BEGINNING))
        .run(audit::row(
            Event::UserCreated,
            By::Operator(BEGINNING),
            about,
        ));
    server.app.db.write(unit).await.unwrap();
    id
}

/// What is stored of Ada's password.
pub async fn stored(server: &Server) -> (String, Norm) {
    let key = Email::parse(ADA).unwrap();
    let account = password::store::account(&server.app.db, key.key())
        .await
        .unwrap();
    let stored = account.unwrap().stored.unwrap();
    (stored.hash, stored.norm)
}

fn argon2id(password: &str, cost: &Cost) -> String {
    Hasher::new(cost)
        .unwrap()
        .hash(password.as_bytes(), cost)
        .unwrap()
}

async fn rehashes(server: &Server) -> usize {
    let rows = sql("SELECT id FROM audit WHERE event = 'password_rehashed'");
    server
        .app
        .db
        .all(rows, |row| row.text("id"))
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn a_weaker_hash_is_replaced_once_by_whoever_knows_the_password() {
    for (hash, norm) in [
        (argon2id(PASSWORD, &WEAKER), Norm::Nfc),
        (BCRYPT.to_owned(), Norm::Raw),
    ] {
        server(async |server| {
            imported(server, &hash, norm).await;
            assert_eq!(server.signs_in(ADA, "not the password").await.status, 401);
            assert_eq!(stored(server).await, (hash.clone(), norm));

            assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 200);
            let replaced = stored(server).await;
            assert!(
                replaced.0.starts_with("$argon2id$v=19$m=32,t=1,p=1$"),
                "{replaced:?}"
            );
            assert_eq!(replaced.1, norm);

            assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 200);
            assert_eq!(server.signs_in(ADA, "not the password").await.status, 401);
            assert_eq!(stored(server).await, replaced);
            assert_eq!(rehashes(server).await, 1);
        })
        .await;
    }
}

#[tokio::test]
async fn a_stronger_hash_stays() {
    server(async |server| {
        let hash = argon2id(PASSWORD, &STRONGER);
        imported(server, &hash, Norm::Nfc).await;
        assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 200);
        assert_eq!(stored(server).await.0, hash);
        assert_eq!(rehashes(server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_rehash_that_meets_a_change_of_password_loses() {
    server(async |server| {
        let old = Stored {
            hash: argon2id(PASSWORD, &WEAKER),
            norm: Norm::Nfc,
        };
        let id = imported(server, &old.hash, old.norm).await;
        let passwords = &server.app.passwords;
        let permit = Permit::unlimited(Turn::default());
        let again = passwords
            .rehash(&permit, &Secret::new(PASSWORD.to_owned()), &old)
            .await
            .unwrap()
            .unwrap();
        let changed = passwords
            .accept(
                &Secret::new("another password".to_owned()),
                &Email::parse(ADA).unwrap(),
                Turn::default(),
            )
            .await
            .unwrap();
        let change = password::store::set(&id, &changed, BEGINNING);
        server
            .app
            .db
            .write(Unit::new().expect(1, change))
            .await
            .unwrap();
        let late = password::store::replace(&id, &old, &again);
        let late = server.app.db.write(Unit::new().expect(1, late)).await;
        assert!(matches!(late, Err(db::Error::Touched { .. })), "{late:?}");
        assert_eq!(stored(server).await.0, changed.hash);
    })
    .await;
}
