//! The certificate that the service shows, read from two files and read again when they change.
//! Connections that stand keep what they were made with; a broken new pair never replaces a good old one.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};

/// How often [`CertificateSource::watch`] should look: soon enough for a renewal, too seldom to be felt.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);

/// A certificate chain and its key, by path.
pub struct CertificateSource {
    cert: PathBuf,
    key: PathBuf,
    current: Arc<Current>,
    server: Arc<ServerConfig>,
    seen: Mutex<[Option<Stamp>; 2]>,
}

/// Why a certificate cannot be used, with the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be opened or read.
    #[error("{setting}: cannot read {path}: {cause}; it must be a PEM file that the service's user may read", path = .path.display())]
    Unreadable {
        /// The setting that names the file.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system or the PEM reader says.
        cause: String,
    },
    /// The certificate file has no certificate.
    #[error(
        "tls.cert: {path} holds no certificate; it must be PEM (-----BEGIN CERTIFICATE-----), the server's own \
         certificate first and those of its issuers after it",
        path = .0.display()
    )]
    NoCertificate(PathBuf),
    /// The key file has no key, or one under a passphrase.
    #[error(
        "tls.key: {path} holds no private key that can be used; it must be PEM (PKCS#8, SEC1 or PKCS#1) without a \
         passphrase, which `openssl pkey -in old.pem -out new.pem` removes",
        path = .0.display()
    )]
    NoKey(PathBuf),
    /// The two do not belong together, or one of them is not of a kind that TLS can use.
    #[error(
        "tls.cert and tls.key: {cert} and {key} cannot be used together: {cause}; the key must be the one that the first \
         certificate in the file was made for",
        cert = .cert.display(), key = .key.display()
    )]
    Unusable {
        /// The certificate file.
        cert: PathBuf,
        /// The key file.
        key: PathBuf,
        /// What rustls says.
        cause: rustls::Error,
    },
    /// TLS itself cannot be set up; the system has no randomness for the ticket keys.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// What tells one version of a file from the next. The inode catches a rename in place, the time and size a rewrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl CertificateSource {
    /// Reads both files and checks that they can be used together.
    pub fn load(cert: &Path, key: &Path) -> Result<Arc<Self>, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let seen = [stamp(cert), stamp(key)];
        let pair = read_pair(cert, key, &provider)?;
        let current = Arc::new(Current(ArcSwap::from_pointee(pair)));
        Ok(Arc::new(Self {
            cert: cert.to_owned(),
            key: key.to_owned(),
            server: server_config(provider, Arc::clone(&current))?,
            current,
            seen: Mutex::new(seen),
        }))
    }

    /// What a listener needs to speak TLS with whatever certificate is current.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// Reads the files again (the way of SIGHUP). A pair that cannot be used is logged, and the old one stays.
    pub fn reload(&self) {
        // Before reading: a file that changes meanwhile is then seen as changed by the next look.
        self.note_change();
        match read_pair(&self.cert, &self.key, self.server.crypto_provider()) {
            Ok(pair) => {
                self.current.0.store(Arc::new(pair));
                tracing::info!(cert = %self.cert.display(), "the TLS certificate was read again");
            }
            Err(error) => {
                tracing::error!(
                    "the TLS certificate in use stays, because the new one is broken: {error}"
                );
            }
        }
    }

    /// Looks at the files every `period`, for ever, and reads them again when one has changed.
    pub async fn watch(self: Arc<Self>, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let source = Arc::clone(&self);
            // Off the runtime's threads: the files may lie on a disk that hangs.
            let look = tokio::task::spawn_blocking(move || source.reload_if_changed());
            if let Err(error) = look.await {
                tracing::error!("looking at the TLS certificate failed: {error}");
            }
        }
    }

    fn reload_if_changed(&self) {
        if self.note_change() {
            self.reload();
        }
    }

    /// Whether a file is another than when last looked at. Each change is reported once, so that a pair which stays
    /// broken is not logged at every look.
    fn note_change(&self) -> bool {
        let now = [stamp(&self.cert), stamp(&self.key)];
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seen, now) != now
    }
}

impl fmt::Debug for CertificateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateSource")
            .field("cert", &self.cert)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The pair that the next handshake is made with, whatever name the client asks for: there is only one.
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

/// TLS 1.3 and 1.2, HTTP/2 and HTTP/1.1. Sessions resume by ticket, which costs no memory here; the tickets' keys are
/// random, turn over every six hours and are never written down. Early data, which can be replayed, stays off.
fn server_config(
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(Arc::new(config))
}

fn read_pair(
    cert: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, CertificateError> {
    let unreadable = |setting, path: &Path, cause: String| CertificateError::Unreadable {
        setting,
        path: path.to_owned(),
        cause,
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| unreadable("tls.cert", cert, in_words(&cause)))?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate(cert.to_owned()));
    }
    let private = match PrivateKeyDer::from_pem_file(key) {
        Ok(private) => private,
        Err(rustls::pki_types::pem::Error::NoItemsFound) => {
            return Err(CertificateError::NoKey(key.to_owned()));
        }
        Err(cause) => return Err(unreadable("tls.key", key, in_words(&cause))),
    };
    CertifiedKey::from_der(chain, private, provider).map_err(|cause| CertificateError::Unusable {
        cert: cert.to_owned(),
        key: key.to_owned(),
        cause,
    })
}

/// The PEM reader wraps what the operating system says in its own words; the latter are what an operator knows.
fn in_words(error: &rustls::pki_types::pem::Error) -> String {
    match error {
        rustls::pki_types::pem::Error::Io(cause) => cause.to_string(),
        other => format!("it is not PEM ({other})"),
    }
}

/// `None` when there is no such file, which is a change like any other.
fn stamp(path: &Path) -> Option<Stamp> {
    let metadata: io::Result<_> = std::fs::metadata(path);
    metadata.ok().map(|file| Stamp {
        modified: file.modified().ok(),
        bytes: file.len(),
        inode: file.ino(),
    })
}

#[cfg(test)]
pub(crate) mod tests;
