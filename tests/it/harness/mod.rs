//! A whole service in process, on SQLite or, with `TEST_DB=postgres`, on a schema of its own in PostgreSQL: the real
//! application, router and database, a clock that stands still, and after each test a look at what it left behind.

mod answer;
pub mod authenticator;
pub mod backup;
pub mod certificate;
pub mod counted;
pub mod database;
pub mod envelope;
pub mod form;
pub mod list;
pub mod log;
pub mod phone;
pub mod process;
pub mod relay;
pub mod rows;
mod together;
pub mod verify;
pub mod wire;

use std::collections::HashSet;
use std::env;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use db::{Db, Unit, sql};
use doorward::app::App;
use doorward::clock::{Clock, Timestamp};
use doorward::config::{self, Config, Inputs};
use doorward::http::Asking;
use doorward::http::client::{Client, Peer};
use doorward::http::cookie;
use doorward::router::Front;
use doorward::secret::Secret;
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub use answer::Answer;
pub use database::Database;
pub use form::CLIENT;
pub use together::{insist, meanwhile, sooner_or_later, together};

/// When every test begins: noon of the first of June 2026, UTC.
pub const BEGINNING: Timestamp = Timestamp::from_micros(1_780_315_200_000_000);
/// A password that the policy takes.
pub const PASSWORD: &str = "a long walk by the sea";
/// The address of somebody who signs up in many tests.
pub const ADA: &str = "ada@example.com";

/// Whoever asks, where no request is sent.
pub fn asking(now: Timestamp) -> Asking {
    Asking {
        now,
        client: Client {
            address: [192, 0, 2, 1].into(),
            agent: None,
        },
        request_id: "a-test".to_owned(),
    }
}

/// A service to test.
pub struct Server {
    pub app: App,
    pub clock: Clock,
    router: Front,
    database: Database,
    peer: SocketAddr,
    // What must never turn up in a log.
    secrets: Mutex<HashSet<String>>,
    // Where its part of the log begins.
    logged_before: usize,
    // Where the data folders of its nodes are.
    folders: PathBuf,
}

/// Runs `test` against a service with sign-up open and no limits, and looks at what it left behind.
pub async fn server(test: impl AsyncFnOnce(&Server)) {
    server_with(&[], test).await;
}

/// The same with settings changed.
pub async fn server_with(settings: &[(&str, &str)], test: impl AsyncFnOnce(&Server)) {
    let server = Server::start(settings).await;
    test(&server).await;
    verify::verify(&server).await;
    server.app.db.close().await;
    server.database.remove().await;
    std::fs::remove_dir_all(&server.folders).unwrap();
}

/// The configuration of tests: development, the cheapest hash, no limits.
pub fn configuration(settings: &[(&str, &str)]) -> Config {
    let client = format!("{}:{}", CLIENT.0, CLIENT.1);
    let presets = [
        ("limits.enabled", "false"),
        ("password.argon2.memory_kib", "32"),
        ("password.argon2.iterations", "1"),
        ("password.max_wait", "20s"),
        ("public_url", "http://localhost:8080"),
        ("introspection.clients", &client),
    ];
    let mut flags: Vec<(String, String)> = Vec::new();
    for (key, value) in presets.iter().chain(settings) {
        flags.retain(|(known, _)| known != key);
        flags.push(((*key).to_owned(), (*value).to_owned()));
    }
    config::load(&Inputs {
        flags,
        dev: true,
        ..Inputs::default()
    })
    .expect("the tests' configuration")
    .config
}

async fn node(config: Config, clock: &Clock, db: Db) -> App {
    let secret_key = Secret::new("the tests' own secret key, long enough".to_owned());
    let app = App::open(config, &secret_key, clock.clone(), db).await;
    app.unwrap()
}

fn new_folder(folders: &Path) -> PathBuf {
    let folder = folders.join(unique());
    std::fs::create_dir(&folder).unwrap();
    folder
}

/// A name that nothing else has.
pub fn unique() -> String {
    uuid::Uuid::from_bytes(doorward::secret::bytes())
        .simple()
        .to_string()
}

impl Server {
    async fn start(settings: &[(&str, &str)]) -> Self {
        log::capture();
        let logged_before = log::length();
        let database = Database::new().await;
        let db = database.open().await;
        let clock = Clock::fixed(BEGINNING);
        let folders = env::temp_dir().join(format!("doorward-nodes-{}", unique()));
        std::fs::create_dir(&folders).unwrap();
        let mut config = configuration(settings);
        config.data_dir = new_folder(&folders);
        let app = node(config, &clock, db).await;
        Self::over(app, clock, database, folders, logged_before)
    }

    /// Another node on the same database, or this one after a restart: it knows what the database knows and nothing else.
    pub async fn another(&self) -> Self {
        let app = self.another_node().await;
        Self::over(
            app,
            self.clock.clone(),
            self.database.clone(),
            self.folders.clone(),
            self.logged_before,
        )
    }

    fn over(
        app: App,
        clock: Clock,
        database: Database,
        folders: PathBuf,
        logged_before: usize,
    ) -> Self {
        let peer = SocketAddr::from((IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 50_000));
        Self {
            router: doorward::router::router(&app),
            app,
            clock,
            database,
            peer,
            secrets: Mutex::new(HashSet::from([CLIENT.1.to_owned()])),
            logged_before,
            folders,
        }
    }

    /// One more node on the same database, configured alike. With SQLite it is a process beside the one that serves, with
    /// the same data folder. Whoever starts it closes its database.
    pub async fn another_node(&self) -> App {
        let mut config = self.app.config.clone();
        if database::is_postgres() {
            config.data_dir = self.new_folder();
        }
        node(config, &self.clock, self.database.open_again().await).await
    }

    /// A data folder for a node that is not there yet.
    pub fn new_folder(&self) -> PathBuf {
        new_folder(&self.folders)
    }

    /// The same service, called from elsewhere.
    pub async fn send_from(&self, address: IpAddr, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(Peer {
            address: SocketAddr::from((address, 50_000)),
            tls: false,
        });
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from(self.peer.ip(), request).await
    }

    /// Asks.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// Asks as the holder of `token`.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.call(Method::GET, path, Some(token), None).await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, None, Some(body)).await
    }

    /// Asks about a token, as a client.
    pub async fn introspects(&self, token: &str) -> Answer {
        self.must_stay_unseen(token);
        let request = Request::post("/auth/introspect")
            .header(header::AUTHORIZATION, form::basic(CLIENT.0, CLIENT.1))
            .header(header::CONTENT_TYPE, form::FORM);
        let body = form::form([("token", token)]);
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Sends JSON as the holder of `token`.
    pub async fn patch_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path, Some(token), Some(body))
            .await
    }

    /// Sends JSON as the holder of `token`.
    pub async fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(token), Some(body)).await
    }

    /// Deletes as the holder of `token`.
    pub async fn delete_as(&self, token: &str, path: &str) -> Answer {
        self.call(Method::DELETE, path, Some(token), None).await
    }

    /// Sends a request with the session cookie of this value, as a program or a page of our own would; JSON when there is a
    /// body.
    pub async fn call_by(
        &self,
        cookie: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, format!("{}={cookie}", cookie::NAME));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self.send(request.body(body).unwrap()).await;
        self.keep_unseen(&answer);
        answer
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                self.note_secrets(body);
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let answer = self.send(request.body(body).unwrap()).await;
        self.keep_unseen(&answer);
        answer
    }

    fn keep_unseen(&self, answer: &Answer) {
        let given = [answer.token(), answer.refresh_token(), answer.cookie()];
        for secret in given.into_iter().flatten() {
            self.must_stay_unseen(secret);
        }
    }

    fn note_secrets(&self, body: &Value) {
        if let Some(password) = body["password"].as_str() {
            self.must_stay_unseen(password);
        }
    }

    /// From here on `secret` must turn up in no log. Short ones are let go: they would be found by chance.
    pub fn must_stay_unseen(&self, secret: &str) {
        if secret.len() >= log::SHORTEST {
            self.secrets.lock().unwrap().insert(secret.to_owned());
        }
    }

    /// Somebody makes an account and holds a token.
    pub async fn signs_up(&self, email: &str) -> String {
        let answer = self
            .post(
                "/auth/signup",
                &json!({"email": email, "password": PASSWORD}),
            )
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.token().unwrap().to_owned()
    }

    /// Somebody signs in.
    pub async fn signs_in(&self, email: &str, password: &str) -> Answer {
        self.post(
            "/auth/signin",
            &json!({"email": email, "password": password}),
        )
        .await
    }

    /// The operator gives somebody a role in the place of those they had.
    pub async fn gives_role(&self, email: &str, role: &str) {
        let roles = sql("UPDATE users SET roles = $2 WHERE email = $1");
        let roles = roles.bind(email).bind(json!([role]).to_string());
        let unit = Unit::new().expect(1, roles);
        self.app.db.write(unit).await.unwrap();
    }

    /// Somebody signs in to a session that is carried by a refresh token or a cookie.
    pub async fn begins(&self, email: &str, session: &str) -> Answer {
        let answer = self
            .post(
                "/auth/signin",
                &json!({"email": email, "password": PASSWORD, "session": session}),
            )
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// Asks for the successor of a refresh token.
    pub async fn refreshes(&self, refresh_token: &str) -> Answer {
        self.post("/auth/refresh", &json!({"refreshToken": refresh_token}))
            .await
    }

    /// Time passes.
    pub fn wait(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Whether a unit is written: not when a statement touches other rows than it is to.
    pub async fn writes(&self, unit: Unit) -> bool {
        match self.app.db.write(unit).await {
            Ok(_) => true,
            Err(db::Error::Touched { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }
}
