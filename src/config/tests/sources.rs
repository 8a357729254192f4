//! Which source is heard, and which goes before which.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use super::*;

/// A folder of this test's own, which is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("doorward-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the folder can be removed");
    }
}

const LONG: &str = "a secret of at least thirty-two characters";

/// One variable, whatever its name and value.
fn variable(name: &str, value: impl Into<OsString>) -> Inputs {
    Inputs {
        env: vec![(name.into(), value.into())],
        ..Inputs::default()
    }
}

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let file = "listen = '127.0.0.1:3'\nlog.filter = 'warn'\n[tokens]\nlifetime = '3h'";
    let mut inputs = env("LISTEN=127.0.0.1:2 TOKENS__LIFETIME=2h");
    inputs
        .flags
        .push(("listen".to_owned(), "127.0.0.1:1".to_owned()));
    let config = config(&inputs, file);
    assert_eq!(config.listen.port(), 1);
    assert_eq!(config.tokens.lifetime, Duration::from_hours(2));
    assert_eq!(config.log.filter, "warn");
    assert_eq!(config.shutdown_grace, Duration::from_secs(20));
}

#[test]
fn a_stronger_source_turns_off_what_a_weaker_one_set() {
    let file = "database_url = 'postgres://db/doorward'";
    let inputs = env("DATABASE_URL=off METRICS_LISTEN=off");
    let config = config(&inputs, file);
    assert!(config.database_url.is_none() && config.metrics_listen.is_none());
}

#[test]
fn variables_that_kubernetes_makes_for_a_service_are_passed_over() {
    config(
        &env(
            "SERVICE_HOST=10.0.0.1 DB_SERVICE_PORT_POSTGRES=5432 PORT=tcp://10.0.0.1:8080 PORT_8080_TCP_ADDR=10.0.0.1",
        ),
        "",
    );
    assert!(refusal(&env("PORT=8080"), "").contains("no such setting"));
}

#[test]
fn a_secret_comes_from_a_variable_a_file_or_a_credential_but_not_from_two_variables() {
    let folder = Folder::new("secrets");
    let path = folder.file("named", &format!("{LONG} named\n"));
    let named = variable("DOORWARD_SECRET_KEY_FILE", &path);
    let key = |inputs: &Inputs| {
        config(inputs, "")
            .secret_key
            .expect("a key")
            .expose()
            .clone()
    };
    assert_eq!(key(&named), format!("{LONG} named"));

    folder.file("secret_key", &format!("{LONG} credential\r\n"));
    folder.file("tokens.hs256_secret", &format!("{LONG} tokens"));
    let clients =
        "orders:a-secret-of-thirty-two-characters\nshop:another-of-thirty-two-characters\n";
    folder.file("introspection.clients", clients);
    let credentials = variable("CREDENTIALS_DIRECTORY", &folder.0);
    assert_eq!(key(&credentials), format!("{LONG} credential"));
    assert!(config(&credentials, "").tokens.hs256_secret.is_some());
    let clients = config(&credentials, "").introspection.clients;
    let names: Vec<&str> = clients.iter().map(|client| client.name.as_str()).collect();
    assert_eq!(names, ["orders", "shop"]);
    let weaker = format!("secret_key = '{LONG} file'");
    let shown = settled(&credentials, &weaker)
        .expect("a sound configuration")
        .show(true);
    assert!(
        shown.contains("secret_key = \"***\"  # from credential "),
        "{shown}"
    );
    let mut stronger = credentials;
    stronger
        .env
        .push(("DOORWARD_SECRET_KEY".into(), LONG.into()));
    assert_eq!(key(&stronger), LONG);

    let mut both = named;
    both.env.push(("DOORWARD_SECRET_KEY".into(), LONG.into()));
    let said = refusal(&both, "");
    assert!(
        said.contains(
            "DOORWARD_SECRET_KEY_FILE and DOORWARD_SECRET_KEY): it is set more than once"
        ),
        "{said}"
    );
    let absent = folder.0.join("absent");
    let said = refusal(&variable("DOORWARD_SECRET_KEY_FILE", &absent), "");
    assert!(
        said.contains(&absent.display().to_string()) && said.contains("cannot be read"),
        "{said}"
    );
}

#[test]
fn the_file_is_the_one_that_is_named_or_the_first_there_is() {
    let folder = Folder::new("places");
    let first = folder.file("first.toml", "listen = '127.0.0.1:1'");
    let second = folder.file("second.toml", "listen = '127.0.0.1:2'");
    let absent = folder.0.join("absent.toml");
    let port = |inputs: &Inputs| load(inputs).expect("a sound file").config.listen.port();
    let mut inputs = Inputs {
        places: vec![absent.clone(), first, second.clone()],
        ..Inputs::default()
    };
    assert_eq!(port(&inputs), 1);
    inputs.env.push(("DOORWARD_CONFIG".into(), second.into()));
    assert_eq!(port(&inputs), 2);
    inputs.file = Some(absent.clone());
    let said = load(&inputs)
        .expect_err("a named file must be there")
        .to_string();
    assert!(said.starts_with(&absent.display().to_string()), "{said}");
}

#[test]
fn a_variable_that_is_not_utf_8_is_refused() {
    let inputs = variable("DOORWARD_LISTEN", OsString::from_vec(vec![0xff]));
    assert!(refusal(&inputs, "").contains("not UTF-8"));
}
