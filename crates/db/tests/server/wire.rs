//! A wire to the server that can be cut at the worst moment.

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_postgres::config::{Config, Host};

/// When the wire breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Never,
    /// Whatever carries the word arrives, and its answer does not.
    AnswerOf(&'static str),
    /// The first that carries the word does not arrive.
    Once(&'static str),
    /// What carries the word arrives with another in its place.
    Garble(&'static str),
    /// Nothing arrives any more, on either side, and nobody is told.
    Silence,
    /// Both sides see that it is cut.
    All,
}

pub(crate) struct Wire {
    port: u16,
    config: Config,
    cut: watch::Sender<Cut>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Wire {
    pub(crate) async fn to(url: &str) -> Wire {
        let config: Config = url.parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let cut = watch::Sender::new(Cut::Never);
        tokio::spawn(serve(listener, config.clone(), cut.clone()));
        Wire { port, config, cut }
    }

    /// The address of the server by way of this wire, with the parameters of ours that `url` ends with.
    pub(crate) fn address(&self, url: &str) -> String {
        let (_, ours) = url.rsplit_once("schema=").expect("a schema");
        let user = self.config.get_user().unwrap_or("postgres");
        let password = self
            .config
            .get_password()
            .map(String::from_utf8_lossy)
            .unwrap_or_default();
        let database = self.config.get_dbname().unwrap_or(user);
        format!(
            "postgres://{user}:{password}@127.0.0.1:{}/{database}?schema={ours}",
            self.port
        )
    }

    pub(crate) fn cut(&self, cut: Cut) {
        self.cut.send_replace(cut);
    }

    pub(crate) fn mend(&self) {
        self.cut(Cut::Never);
    }
}

async fn serve(listener: TcpListener, config: Config, cut: watch::Sender<Cut>) {
    while let Ok((client, _)) = listener.accept().await {
        if *cut.borrow() != Cut::All {
            let server = connect(&config).await;
            tokio::spawn(relay(client, server, cut.clone()));
        }
    }
}

async fn connect(config: &Config) -> Box<dyn Stream> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match config.get_hosts().first() {
        Some(Host::Unix(folder)) => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            Box::new(UnixStream::connect(path).await.expect("connected"))
        }
        Some(Host::Tcp(host)) => Box::new(
            TcpStream::connect((host.as_str(), port))
                .await
                .expect("connected"),
        ),
        None => Box::new(
            TcpStream::connect(("127.0.0.1", port))
                .await
                .expect("connected"),
        ),
    }
}

/// Carries bytes both ways until one side ends or the wire is cut; both then see the end.
async fn relay(client: TcpStream, server: Box<dyn Stream>, cut: watch::Sender<Cut>) -> Option<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = split(server);
    let mut cuts = cut.subscribe();
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let is_cut = async { drop(cuts.wait_for(|cut| *cut == Cut::All).await) };
        tokio::select! {
            () = is_cut => return None,
            length = from_client.read(&mut asked) => {
                let bytes = &mut asked[..length.ok().filter(|length| *length > 0)?];
                let now = *cut.borrow();
                match now {
                    Cut::Silence => continue,
                    Cut::Once(word) if find(word, bytes).is_some() => {
                        cut.send_replace(Cut::Never);
                        return None;
                    }
                    Cut::AnswerOf(word) if find(word, bytes).is_some() => {
                        to_server.write_all(bytes).await.ok()?;
                        // The server has done it when it says so, to nobody.
                        loop {
                            let length = from_server.read(&mut answered).await.ok()?;
                            if length == 0 || find(word, &answered[..length]).is_some() {
                                return None;
                            }
                        }
                    }
                    Cut::Garble(word) => {
                        if let Some(start) = find(word, bytes) {
                            bytes[start..start + word.len()].fill(b'?');
                        }
                    }
                    _ => {}
                }
                to_server.write_all(bytes).await.ok()?;
            }
            length = from_server.read(&mut answered) => {
                let bytes = &answered[..length.ok().filter(|length| *length > 0)?];
                let now = *cut.borrow();
                if now != Cut::Silence {
                    to_client.write_all(bytes).await.ok()?;
                }
            }
        }
    }
}

fn find(word: &str, bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(word.len())
        .position(|part| part == word.as_bytes())
}
