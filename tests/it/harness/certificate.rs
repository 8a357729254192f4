//! A certificate of a test's own, and clients that trust it alone.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doorward::secret;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate and its key as files. The files stay until the folder is dropped; the certificate may be replaced.
pub struct Pair {
    folder: Arc<Folder>,
    certificate: CertificateDer<'static>,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Pair {
    /// One for `localhost`.
    pub fn new() -> Self {
        let name = uuid::Uuid::from_bytes(secret::bytes()).simple().to_string();
        let folder = std::env::temp_dir().join(format!("doorward-tls-{name}"));
        fs::create_dir(&folder).unwrap();
        Self::made_in(Arc::new(Folder(folder)), replace)
    }

    /// Another in the place of this one, as renewal programs put it there: by renaming.
    pub fn renewed(&self) -> Self {
        Self::made_in(Arc::clone(&self.folder), replace)
    }

    /// Another in the place of this one, so that nothing but its content tells: not the length, the inode or the time.
    pub fn renewed_unseen(&self) -> Self {
        Self::made_in(Arc::clone(&self.folder), overwrite)
    }

    fn made_in(folder: Arc<Folder>, write: fn(&Path, &str)) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pair = Self {
            folder,
            certificate: cert.der().clone(),
        };
        // Room to write another of the same length over it: the signature of a certificate varies by a few bytes.
        write(&pair.cert(), &format!("{:\n<2048}", cert.pem()));
        write(
            &pair.key(),
            &format!("{:\n<2048}", signing_key.serialize_pem()),
        );
        pair
    }

    /// The file with the certificate.
    pub fn cert(&self) -> PathBuf {
        self.folder.0.join("cert.pem")
    }

    /// The file with its key.
    pub fn key(&self) -> PathBuf {
        self.folder.0.join("key.pem")
    }

    /// A client's side of TLS by `version`, offering `alpn`.
    pub fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        alpn: &[&str],
    ) -> ClientConfig {
        self.client_by(aws_lc_rs::default_provider(), version, alpn)
    }

    /// The same with some of the library's algorithms alone.
    pub fn client_by(
        &self,
        provider: CryptoProvider,
        version: &'static SupportedProtocolVersion,
        alpn: &[&str],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut client = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        client
    }

    /// Whether the other side showed this very certificate.
    pub fn is_shown_on(&self, stream: &TlsStream<TcpStream>) -> bool {
        stream.get_ref().1.peer_certificates() == Some(std::slice::from_ref(&self.certificate))
    }
}

/// Connects and shakes hands, asking for `localhost`.
pub async fn connect(
    client: ClientConfig,
    address: SocketAddr,
) -> io::Result<TlsStream<TcpStream>> {
    let socket = TcpSocket::new_v4()?;
    // What a flood is answered waits for its client, who reads slowly here; with megabytes of it waiting, the server's last word
    // would not be reached in time.
    socket.set_recv_buffer_size(16 * 1024)?;
    let stream = socket.connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await
}

fn replace(path: &Path, content: &str) {
    let new = path.with_extension("new");
    fs::write(&new, content).unwrap();
    fs::rename(new, path).unwrap();
}

fn overwrite(path: &Path, content: &str) {
    let before = fs::metadata(path).unwrap();
    fs::write(path, content).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(file.metadata().unwrap().len(), before.len());
}
