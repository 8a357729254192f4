//! What a whole configuration may be, and what is said of one that may not.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

/// Variables of the environment.
fn env(pairs: &[(&str, &str)]) -> Inputs {
    let pairs = pairs
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    Inputs {
        env: pairs.collect(),
        ..Inputs::default()
    }
}

fn with_dev(inputs: Inputs) -> Inputs {
    Inputs {
        dev: true,
        ..inputs
    }
}

/// The configuration of these inputs and a file with this text.
fn settled(inputs: &Inputs, text: &str) -> Result<Loaded, ConfigErrors> {
    let page = Page {
        path: "doorward.toml".into(),
        text: text.to_owned().into(),
    };
    settle(inputs, Some(&page), Draft::new(Config::settings()))
}

fn config(inputs: &Inputs, text: &str) -> Config {
    match settled(inputs, text) {
        Ok(loaded) => loaded.config,
        Err(errors) => panic!("refused: {errors}"),
    }
}

fn refusal(inputs: &Inputs, text: &str) -> String {
    settled(inputs, text)
        .map(|loaded| loaded.show(true))
        .expect_err("this should be refused")
        .to_string()
}

/// A folder of this test's own, which is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("doorward-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the folder can be removed");
    }
}

const LONG: &str = "a secret of at least thirty-two characters";

#[test]
fn the_presets_pass_their_own_rules_and_follow_one_another() {
    let plain = Config::for_tests();
    assert_eq!(plain.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(plain.public_url.as_str(), "http://127.0.0.1:8080");
    assert_eq!(plain.tokens.issuer, "http://127.0.0.1:8080");
    assert_eq!(plain.tokens.audience, "http://127.0.0.1:8080");
    assert!(!plain.signup.enabled && !plain.cors.allow_localhost && plain.limits.enabled);

    let dev = config(&with_dev(Inputs::default()), "");
    assert!(dev.dev && dev.signup.enabled && dev.cors.allow_localhost && dev.limits.enabled);

    let secured = config(
        &env(&[("DOORWARD_LISTEN", "[fe80::1%2]:443")]),
        "tls = { cert = 'c.pem', key = 'k.pem' }",
    );
    assert_eq!(secured.public_url.as_str(), "https://[fe80::1]");
    let url = config(
        &env(&[("DOORWARD_PUBLIC_URL", "https://Auth.Example.com:443/")]),
        "",
    );
    assert_eq!(url.tokens.issuer, "https://auth.example.com");
}

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let file = "listen = '127.0.0.1:3'\nlog.filter = 'warn'\n[tokens]\nlifetime = '3h'";
    let mut inputs = env(&[
        ("DOORWARD_LISTEN", "127.0.0.1:2"),
        ("DOORWARD_TOKENS__LIFETIME", "2h"),
    ]);
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
    let inputs = env(&[
        ("DOORWARD_DATABASE_URL", "off"),
        ("DOORWARD_METRICS_LISTEN", "off"),
    ]);
    let config = config(&inputs, file);
    assert!(config.database_url.is_none() && config.metrics_listen.is_none());
}

#[test]
fn each_rule_names_the_setting_and_says_what_to_set() {
    let open = ("DOORWARD_LISTEN", "0.0.0.0:8080");
    let url = ("DOORWARD_PUBLIC_URL", "https://auth.example.com");
    let postgres = ("DOORWARD_DATABASE_URL", "postgres://db/doorward");
    let cases: [(&[(&str, &str)], &str, &str); 22] = [
        (
            &[open, url],
            "listen (",
            "DOORWARD_TLS__CERT and DOORWARD_TLS__KEY",
        ),
        (
            &[("DOORWARD_LISTEN", "[::]:8080"), url],
            "listen (",
            "DOORWARD_TRUSTED_PROXIES",
        ),
        (
            &[open, ("DOORWARD_TRUSTED_PROXIES", "10.0.0.7")],
            "public_url (not set)",
            "DOORWARD_PUBLIC_URL",
        ),
        (
            &[("DOORWARD_PUBLIC_URL", "http://auth.example.com")],
            "public_url (",
            "https://",
        ),
        (
            &[("DOORWARD_METRICS_LISTEN", "127.0.0.1:8080")],
            "metrics_listen (",
            "another port",
        ),
        (
            &[("DOORWARD_DATABASE_URL", "mysql://db/doorward")],
            "database_url (",
            "postgres://",
        ),
        (
            &[postgres],
            "secret_key (not set)",
            "DOORWARD_SECRET_KEY_FILE",
        ),
        (
            &[("DOORWARD_SECRET_KEY", "too short")],
            "secret_key (",
            "openssl rand",
        ),
        (
            &[("DOORWARD_TLS__CERT", "c.pem")],
            "tls.key (not set)",
            "DOORWARD_TLS__KEY",
        ),
        (
            &[("DOORWARD_TLS__KEY", "k.pem")],
            "tls.cert (not set)",
            "DOORWARD_TLS__CERT",
        ),
        (
            &[("DOORWARD_TOKENS__ALGORITHM", "none")],
            "tokens.algorithm (",
            "HS256, ES256, RS256 or EdDSA",
        ),
        (
            &[("DOORWARD_TOKENS__HS256_SECRET", "too short")],
            "tokens.hs256_secret (",
            "32 bytes",
        ),
        (
            &[
                ("DOORWARD_TOKENS__HS256_SECRET", LONG),
                ("DOORWARD_TOKENS__ALGORITHM", "ES256"),
            ],
            "tokens.hs256_secret (",
            "DOORWARD_TOKENS__ALGORITHM",
        ),
        (
            &[("DOORWARD_TOKENS__LIFETIME", "59s")],
            "tokens.lifetime (",
            "from 1m to 1d",
        ),
        (
            &[("DOORWARD_TOKENS__LIFETIME", "25h")],
            "tokens.lifetime (",
            "from 1m to 1d",
        ),
        (
            &[("DOORWARD_PASSWORD__MIN_LENGTH", "7")],
            "password.min_length (",
            "from 8 to 128",
        ),
        (
            &[("DOORWARD_PASSWORD__MAX_WAIT", "99ms")],
            "password.max_wait (",
            "from 100ms to 1m",
        ),
        (
            &[("DOORWARD_PASSWORD__ARGON2__MEMORY_KIB", "64")],
            "password.argon2.memory_kib (",
            "7168 KiB",
        ),
        (
            &[("DOORWARD_PASSWORD__ARGON2__ITERATIONS", "1")],
            "password.argon2.memory_kib (",
            "35840",
        ),
        (
            &[("DOORWARD_LIMITS__ENABLED", "false")],
            "limits.enabled (",
            "--dev",
        ),
        (
            &[("DOORWARD_LIMITS__BURST", "0")],
            "limits.burst (",
            "from 1 to 100000",
        ),
        (
            &[("DOORWARD_LOG", "info,=,")],
            "log.filter (",
            "doorward::sign_in=debug",
        ),
    ];
    for (given, about, advice) in cases {
        let said = refusal(&env(given), "");
        assert!(said.starts_with(about), "{given:?} was refused with {said}");
        assert!(said.contains(advice), "{given:?} was refused with {said}");
        assert!(!said.contains("\n\n"), "{given:?} was refused with {said}");
    }
    let said = refusal(&with_dev(env(&[open, url])), "");
    assert!(said.starts_with("listen (from env DOORWARD_LISTEN): 0.0.0.0:8080 is not a loopback"));
}

#[test]
fn what_the_rules_ask_for_is_enough() {
    let open = ("DOORWARD_LISTEN", "0.0.0.0:8080");
    let url = ("DOORWARD_PUBLIC_URL", "https://auth.example.com");
    let accepted: [&[(&str, &str)]; 6] = [
        &[open, url, ("DOORWARD_TRUSTED_PROXIES", "10.0.0.0/8, ::1")],
        &[
            open,
            url,
            ("DOORWARD_TLS__CERT", "c.pem"),
            ("DOORWARD_TLS__KEY", "k.pem"),
        ],
        &[
            ("DOORWARD_DATABASE_URL", "postgresql://db/doorward"),
            ("DOORWARD_SECRET_KEY", LONG),
        ],
        &[(
            "DOORWARD_DATABASE_URL",
            "sqlite:///var/lib/doorward/doorward.db",
        )],
        &[
            ("DOORWARD_TOKENS__HS256_SECRET", LONG),
            ("DOORWARD_TOKENS__ALGORITHM", "HS256"),
        ],
        &[
            ("DOORWARD_PASSWORD__ARGON2__MEMORY_KIB", "7168"),
            ("DOORWARD_PASSWORD__ARGON2__ITERATIONS", "5"),
        ],
    ];
    for given in accepted {
        config(&env(given), "");
    }
    let quick = [
        ("DOORWARD_LIMITS__ENABLED", "false"),
        ("DOORWARD_TOKENS__LIFETIME", "1s"),
        ("DOORWARD_PUBLIC_URL", "http://auth.example.com"),
        ("DOORWARD_PASSWORD__ARGON2__MEMORY_KIB", "8"),
    ];
    assert!(!config(&with_dev(env(&quick)), "").limits.enabled);
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let file = "listen = 8080\nlisten_metrics = 'off'\n\n[token]\nlifetime = '1h'\n\n[limits]\nenabled = 'false'\nburst = -1\nburst = 2\n";
    let inputs = env(&[("DOORWARD_PASSWORD__MIN_LENGTH", "short")]);
    assert_eq!(
        refusal(&inputs, file),
        "\
doorward.toml (from doorward.toml:10:1): it is not TOML here: duplicate key.
  Correct the line. A text stands in quotes, the name of a section in brackets, and each name only once.

limits.enabled (from doorward.toml:8:1): it is of type string, and should be true or false without quotes.
  Expected true or false.

listen (from doorward.toml:1:1): it is of type integer, and should be a string in quotes.
  Expected an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080.

listen_metrics (from doorward.toml:2:1): there is no such setting.
  `doorward config reference` lists the settings that there are.

token (from doorward.toml:4:2): there is no such setting.
  Did you mean tokens?

password.min_length (from env DOORWARD_PASSWORD__MIN_LENGTH): \"short\" is not a whole number from 0 to 4294967295.
  Expected a whole number.

limits.burst (from doorward.toml:9:1): \"-1\" is not a whole number from 0 to 4294967295.
  Expected a whole number."
    );
}

#[test]
fn a_rule_is_silent_about_a_value_that_could_not_be_read() {
    let inputs = env(&[
        ("DOORWARD_LISTEN", "0.0.0.0:8080"),
        ("DOORWARD_PUBLIC_URL", "https://auth.example.com"),
        ("DOORWARD_TRUSTED_PROXIES", "10.0.0.0/33"),
    ]);
    let said = refusal(&inputs, "");
    assert!(
        said.starts_with("trusted_proxies (") && !said.contains("\n\n"),
        "{said}"
    );
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_that_there_is() {
    let cases = [
        (
            "DOORWARD_TOKENS_ALGORITHM",
            "Did you mean DOORWARD_TOKENS__ALGORITHM?",
        ),
        ("DOORWARD_LISTE", "Did you mean DOORWARD_LISTEN?"),
        (
            "DOORWARD_ALGORITHM",
            "Did you mean DOORWARD_TOKENS__ALGORITHM?",
        ),
        ("DOORWARD_XYZZY", "lists the settings"),
        ("DOORWARD_", "lists the settings"),
        (
            "DOORWARD_LISTEN_FILE",
            "Set DOORWARD_LISTEN to the value itself.",
        ),
        ("DOORWARD_DEV", "Start with --dev"),
    ];
    for (name, advice) in cases {
        let said = refusal(&env(&[(name, "true")]), "");
        assert!(said.contains(name) && said.contains(advice), "{said}");
    }
    let said = refusal(&Inputs::default(), "tokens.algoritm = 'HS256'\ndev = true");
    assert!(
        said.contains("tokens.algoritm (from doorward.toml:1:8)"),
        "{said}"
    );
    assert!(said.contains("Did you mean tokens.algorithm?"), "{said}");
    assert!(
        said.contains("dev (from doorward.toml:2:1): it is taken from the command line alone"),
        "{said}"
    );
    let unknown_flag = Inputs {
        flags: vec![("listn".to_owned(), String::new())],
        ..Inputs::default()
    };
    assert!(refusal(&unknown_flag, "").contains("Did you mean listen?"));
}

#[test]
fn variables_that_kubernetes_makes_for_a_service_are_passed_over() {
    config(
        &env(&[
            ("DOORWARD_SERVICE_HOST", "10.0.0.1"),
            ("DOORWARD_DB_SERVICE_PORT_POSTGRES", "5432"),
            ("DOORWARD_PORT", "tcp://10.0.0.1:8080"),
            ("DOORWARD_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ]),
        "",
    );
    assert!(refusal(&env(&[("DOORWARD_PORT", "8080")]), "").contains("no such setting"));
}

#[test]
fn a_secret_comes_from_a_variable_a_file_or_a_credential_but_not_from_two_variables() {
    let folder = Folder::new("secrets");
    let path = folder.file("named", &format!("{LONG} named\n"));
    let named = env(&[("DOORWARD_SECRET_KEY_FILE", &path)]);
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
    let place = folder.0.display().to_string();
    let credentials = env(&[("CREDENTIALS_DIRECTORY", &place)]);
    assert_eq!(key(&credentials), format!("{LONG} credential"));
    assert!(config(&credentials, "").tokens.hs256_secret.is_some());
    let file_is_weaker = format!("secret_key = '{LONG} file'");
    let loaded = settled(&credentials, &file_is_weaker).expect("a sound configuration");
    assert!(
        loaded
            .show(true)
            .contains("secret_key = \"***\"  # from credential ")
    );
    let variable = env(&[
        ("CREDENTIALS_DIRECTORY", &place),
        ("DOORWARD_SECRET_KEY", LONG),
    ]);
    assert_eq!(key(&variable), LONG);

    let both = env(&[
        ("DOORWARD_SECRET_KEY_FILE", &path),
        ("DOORWARD_SECRET_KEY", LONG),
    ]);
    let said = refusal(&both, "");
    assert!(
        said.contains(
            "DOORWARD_SECRET_KEY_FILE and DOORWARD_SECRET_KEY): it is set more than once"
        ),
        "{said}"
    );
    let absent = folder.0.join("absent").display().to_string();
    let said = refusal(&env(&[("DOORWARD_SECRET_KEY_FILE", &absent)]), "");
    assert!(
        said.contains(&absent) && said.contains("cannot be read"),
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
        places: vec![absent.clone(), first.into(), second.clone().into()],
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
fn no_message_and_no_list_shows_a_secret() {
    let hidden = "hunter2";
    let wrong = [
        format!("secret_key = '{hidden}'"),
        format!("secret_key = ['{hidden}']"),
        format!("database_url = 'mysql://ada:{hidden}@db/x'"),
        format!("tokens.hs256_secret = '{hidden}'"),
        format!("public_url = 'https://ada:{hidden}@auth.example.com'"),
        format!("cors.origins = ['https://ada:{hidden}@app.example.com']"),
        format!("listen = 'postgres://ada:{hidden}@db/x'"),
        format!("secret_key = '{hidden}"),
    ];
    for file in wrong {
        let said = refusal(&Inputs::default(), &file);
        assert!(!said.contains(hidden), "{said}");
    }
    let sound = format!("secret_key = '{LONG}'\ndatabase_url = 'postgres://ada:{hidden}@db/x'");
    let loaded = settled(&Inputs::default(), &sound).expect("a sound configuration");
    let shown = format!("{}{loaded:?}", loaded.show(true));
    assert!(!shown.contains(hidden) && !shown.contains(LONG), "{shown}");
}

#[test]
fn what_is_shown_can_be_read_back_and_says_where_it_came_from() {
    let file = "cors.origins = ['https://App.example.com/', 'capacitor://localhost']";
    let loaded = settled(&env(&[("DOORWARD_LISTEN", "127.0.0.1:9000")]), file)
        .expect("a sound configuration");
    let shown = loaded.show(true);
    for line in [
        "# --dev is false\n",
        "listen = \"127.0.0.1:9000\"  # from env DOORWARD_LISTEN\n",
        "# database_url is not set\n",
        "shutdown_grace = \"20s\"  # default\n",
        "password.threads = 0  # default\n",
        "cors.origins = [\"https://app.example.com\", \"capacitor://localhost\"]  # from doorward.toml:1:6\n",
        "limits.enabled = true  # default\n",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
    let again = settled(&Inputs::default(), &shown).expect("what is shown is a configuration");
    assert_eq!(again.show(false), loaded.show(false));
}

#[test]
fn a_variable_that_is_not_utf_8_is_refused() {
    let mut inputs = Inputs::default();
    inputs
        .env
        .push(("DOORWARD_LISTEN".into(), OsString::from_vec(vec![0xff])));
    assert!(refusal(&inputs, "").contains("not UTF-8"));
}

fn any_text() -> impl Strategy<Value = String> {
    let lively = prop::sample::select(vec![
        "127.0.0.1:0",
        "[::1%1]:0",
        "0.0.0.0:1",
        "off",
        "",
        "-1",
        "99999999999999999999d",
        "http://[::1]",
        "*",
        "a,b,,c",
        "::ffff:0:0/96",
        "true",
        "1h",
        "https://xn--a.example:0",
    ]);
    prop_oneof![any::<String>(), lively.prop_map(str::to_owned)]
}

fn any_key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        Config::settings()
            .into_iter()
            .map(|one| one.key)
            .collect::<Vec<_>>(),
    )
}

proptest! {
    #[test]
    fn no_environment_makes_it_panic(
        known in prop::collection::vec((any_key(), any_text()), 0..6),
        unknown in prop::collection::vec((any::<String>(), any::<String>()), 0..3),
        dev in any::<bool>(),
    ) {
        let known = known.into_iter().map(|(key, value)| (settings::env_name(key), value));
        let unknown = unknown.into_iter().map(|(name, value)| (format!("DOORWARD_{name}"), value));
        let env = known.chain(unknown).map(|(name, value)| (name.into(), value.into())).collect();
        let inputs = Inputs { env, dev, ..Inputs::default() };
        let _ = settled(&inputs, "").map_err(|errors| errors.to_string());
    }

    #[test]
    fn no_file_makes_it_panic(
        known in prop::collection::vec((any_key(), any_text()), 0..6),
        text in any::<String>(),
        first in any::<bool>(),
    ) {
        let known: String = known
            .into_iter()
            .map(|(key, value)| format!("{key} = {}\n", toml::Value::from(value)))
            .collect();
        let file = if first { format!("{text}\n{known}") } else { format!("{known}{text}") };
        let _ = settled(&Inputs::default(), &file).map_err(|errors| errors.to_string());
    }
}
