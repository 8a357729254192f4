//! TLS is what was asked for, or there is no connection.

use std::{fs, net::TcpListener};

use db::{Db, OpenError, sql};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::{cluster::Cluster, wire::Wire};
use crate::suite::{MIGRATIONS, add, count};

type Root = CertifiedIssuer<'static, KeyPair>;

fn root(name: &str) -> Root {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root")
}

/// A server whose certificate has this name, and its port.
fn server(root: &Root, name: &str) -> (Cluster, u16) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([name.to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, root).expect("signed");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    (
        Cluster::start_with_tls(port, &certificate.pem(), &key.serialize_pem()),
        port,
    )
}

async fn refused(url: &str) -> String {
    let refused = Db::open(url, MIGRATIONS).await.err().expect("refused");
    assert!(
        matches!(refused, OpenError::Connect(_) | OpenError::Address(_)),
        "{refused}"
    );
    refused.to_string()
}

#[tokio::test]
async fn tls_is_verified() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let (ours, other) = (root("ours"), root("other"));
    let (trusted, foreign) = (file("ours.pem", ours.pem()), file("other.pem", other.pem()));
    let nothing = file("nothing.pem", String::new());
    let (_cluster, port) = server(&ours, "127.0.0.1");
    let server =
        |parameters: &str| format!("postgres://tester@127.0.0.1:{port}/postgres?{parameters}");

    let db = Db::open(
        &server(&format!("sslmode=verify-full&sslrootcert={trusted}")),
        MIGRATIONS,
    )
    .await;
    let db = db.expect("it opens");
    db.write(add("a")).await.expect("written");
    assert_eq!(count(&db).await, 1);
    let is_tls = sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert_eq!(
        db.one(is_tls, |row| row.bool("ssl")).await.expect("asked"),
        Some(true)
    );

    let unknown = refused(&server(&format!("sslmode=require&sslrootcert={foreign}"))).await;
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let system = refused(&server("sslmode=require&sslrootcert=system")).await;
    assert!(
        system.contains("UnknownIssuer") || system.contains("no root certificate"),
        "{system}"
    );
    let empty = refused(&server(&format!("sslmode=require&sslrootcert={nothing}"))).await;
    assert!(empty.contains("no root certificate"), "{empty}");
    let missing = refused(&server("sslmode=require&sslrootcert=/no/such.pem")).await;
    assert!(missing.contains("cannot read /no/such.pem"), "{missing}");
}

#[tokio::test]
async fn tls_to_another_name_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = root("ours");
    let trusted = folder.path().join("ours.pem");
    fs::write(&trusted, ours.pem()).expect("written");
    let (_cluster, port) = server(&ours, "another.example");
    let url = format!(
        "postgres://tester@127.0.0.1:{port}/postgres?sslmode=require&sslrootcert={}",
        trusted.display()
    );
    let refused = refused(&url).await;
    assert!(
        refused.contains("NotValidForName") || refused.contains("not valid for name"),
        "{refused}"
    );
}

#[tokio::test]
async fn tls_is_never_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = folder.path().join("ours.pem");
    fs::write(&trusted, root("ours").pem()).expect("written");
    let cluster = Cluster::start();
    let wire = Wire::to(&cluster.url()).await;
    let plain = wire.address("schema=test");
    Db::open(&plain, MIGRATIONS)
        .await
        .expect("without TLS it opens");
    for mode in ["require", "verify-full"] {
        let url = format!("{plain}&sslmode={mode}&sslrootcert={}", trusted.display());
        let refused = refused(&url).await;
        assert!(refused.contains("server does not support TLS"), "{refused}");
    }
}
