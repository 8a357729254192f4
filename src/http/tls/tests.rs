#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{CertifiedKey as Made, KeyPair, PKCS_RSA_SHA256, generate_simple_self_signed};
use rustls::SupportedProtocolVersion;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;

/// A certificate and its key in a folder of their own, and a client that trusts exactly this certificate.
pub(crate) struct Pair {
    folder: Arc<Folder>,
    certificate: CertificateDer<'static>,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Pair {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doorward-tls-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&folder); // of a process before us that had this id and was killed
        std::fs::create_dir(&folder).unwrap();
        Self::made_in(Arc::new(Folder(folder)))
    }

    /// Another certificate in the place of this one, as renewal programs put it there: by renaming.
    pub(crate) fn renew(&self) -> Self {
        Self::made_in(Arc::clone(&self.folder))
    }

    fn made_in(folder: Arc<Folder>) -> Self {
        let Made { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pair = Self {
            folder,
            certificate: cert.der().clone(),
        };
        replace(&pair.cert(), &cert.pem());
        replace(&pair.key(), &signing_key.serialize_pem());
        pair
    }

    fn cert(&self) -> PathBuf {
        self.folder.0.join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.0.join("key.pem")
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    pub(crate) fn load(&self) -> Arc<CertificateSource> {
        CertificateSource::load(&self.cert(), &self.key()).unwrap()
    }

    pub(crate) async fn connect(
        &self,
        address: SocketAddr,
        alpn: &[&[u8]],
    ) -> TlsStream<TcpStream> {
        self.connect_with(address, &TLS13, alpn).await.unwrap()
    }

    pub(crate) async fn connect_with(
        &self,
        address: SocketAddr,
        version: &'static SupportedProtocolVersion,
        alpn: &[&[u8]],
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }
}

/// The certificate that the server showed on this connection.
pub(crate) fn shown_on(stream: &TlsStream<TcpStream>) -> &[u8] {
    &stream.get_ref().1.peer_certificates().unwrap()[0]
}

fn replace(path: &Path, content: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, content).unwrap();
    std::fs::rename(new, path).unwrap();
}

fn current(source: &CertificateSource) -> Vec<u8> {
    source.current.0.load().cert[0].to_vec()
}

/// Why this pair of files cannot be loaded, in words.
fn refusal(pair: &Pair) -> String {
    CertificateSource::load(&pair.cert(), &pair.key())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_chain_and_keys_of_every_kind_are_read() {
    let pair = Pair::new();
    let issuer = Pair::new();
    let chain = [&pair, &issuer]
        .map(|pair| std::fs::read_to_string(pair.cert()).unwrap())
        .concat();
    replace(&pair.cert(), &chain);
    assert_eq!(pair.load().current.0.load().cert.len(), 2);

    let rsa = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let cert = rcgen::CertificateParams::new(["localhost".to_owned()])
        .unwrap()
        .self_signed(&rsa)
        .unwrap();
    replace(&pair.cert(), &cert.pem());
    replace(&pair.key(), &rsa.serialize_pem());
    assert_eq!(current(&pair.load()), cert.der().to_vec());
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_setting() {
    let pair = Pair::new();
    std::fs::remove_file(pair.key()).unwrap();
    let words = refusal(&pair);
    assert!(words.starts_with("tls.key: cannot read "), "{words}");
    assert!(words.contains(&pair.key().display().to_string()), "{words}");
    assert!(words.contains("No such file"), "{words}");
    std::fs::remove_file(pair.cert()).unwrap();
    assert!(refusal(&pair).starts_with("tls.cert: cannot read "));
}

#[test]
fn files_with_something_else_in_them_say_what_is_wanted() {
    let pair = Pair::new();
    let key = std::fs::read_to_string(pair.key()).unwrap();
    let cert = std::fs::read_to_string(pair.cert()).unwrap();

    replace(&pair.cert(), &key);
    assert!(
        refusal(&pair).contains("holds no certificate"),
        "{}",
        refusal(&pair)
    );
    replace(&pair.cert(), "");
    assert!(
        refusal(&pair).contains("holds no certificate"),
        "{}",
        refusal(&pair)
    );
    replace(&pair.cert(), "-----BEGIN CERTIFICATE-----\nAAAA\n");
    assert!(
        refusal(&pair).contains("it is not PEM"),
        "{}",
        refusal(&pair)
    );
    replace(
        &pair.cert(),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    assert!(
        refusal(&pair).contains("cannot be used together"),
        "{}",
        refusal(&pair)
    );

    replace(&pair.cert(), &cert);
    replace(&pair.key(), &cert);
    assert!(
        refusal(&pair).contains("holds no private key"),
        "{}",
        refusal(&pair)
    );
    replace(
        &pair.key(),
        &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
    );
    assert!(
        refusal(&pair).contains("without a passphrase"),
        "{}",
        refusal(&pair)
    );
    replace(
        &pair.key(),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    assert!(
        refusal(&pair).contains("cannot be used together"),
        "{}",
        refusal(&pair)
    );
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (pair, other) = (Pair::new(), Pair::new());
    std::fs::copy(other.key(), pair.key()).unwrap();
    let words = refusal(&pair);
    assert!(words.starts_with("tls.cert and tls.key: "), "{words}");
    assert!(words.contains("KeyMismatch"), "{words}");
}

#[test]
fn a_change_is_taken_up_once_and_a_broken_one_not_at_all() {
    let pair = Pair::new();
    let source = pair.load();
    assert!(!source.note_change());

    let renewed = pair.renew();
    source.reload_if_changed();
    assert_eq!(current(&source), renewed.certificate());
    assert!(!source.note_change());

    // Half of a renewal: the old pair stays until the other half is there.
    let next = Pair::new();
    std::fs::copy(next.cert(), pair.cert()).unwrap();
    source.reload_if_changed();
    assert_eq!(current(&source), renewed.certificate());
    assert!(!source.note_change());
    std::fs::copy(next.key(), pair.key()).unwrap();
    source.reload_if_changed();
    assert_eq!(current(&source), next.certificate());

    std::fs::remove_file(pair.cert()).unwrap();
    source.reload_if_changed();
    assert_eq!(current(&source), next.certificate());
}

#[tokio::test(start_paused = true)]
async fn the_files_are_looked_at_again_and_again() {
    let pair = Pair::new();
    let source = pair.load();
    let watching = tokio::spawn(Arc::clone(&source).watch(WATCH_EVERY));
    for _ in 0..2 {
        let renewed = pair.renew();
        while current(&source) != renewed.certificate() {
            tokio::time::sleep(WATCH_EVERY).await;
        }
    }
    watching.abort();
}

#[test]
fn neither_path_nor_key_shows_more_than_it_should() {
    let pair = Pair::new();
    let shown = format!("{:?} {:?}", pair.load(), pair.load().current);
    assert!(shown.contains("key.pem"), "{shown}");
    assert!(!shown.contains("BEGIN"), "{shown}");
}
