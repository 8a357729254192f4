//! What is said and shown: the place, the advice, and never a secret.

use super::*;

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let file = "listen = 8080\nlisten_metrics = 'off'\n\n[token]\nlifetime = '1h'\n\n[limits]\nenabled = 'false'\nburst = -1\nburst = 2\n";
    let inputs = env("PASSWORD__MIN_LENGTH=short");
    assert_eq!(
        refusal(&inputs, file),
        "\
doorward.toml:10:1: it is not TOML here: duplicate key.
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
fn an_unknown_name_is_refused_with_the_nearest_that_there_is() {
    let cases = [
        (
            "TOKENS_ALGORITHM",
            "Did you mean DOORWARD_TOKENS__ALGORITHM?",
        ),
        ("LISTE", "Did you mean DOORWARD_LISTEN?"),
        ("ALGORITHM", "Did you mean DOORWARD_TOKENS__ALGORITHM?"),
        ("XYZZY", "lists the settings"),
        ("", "lists the settings"),
        ("LISTEN_FILE", "Set DOORWARD_LISTEN to the value itself."),
        ("DEV", "Start with --dev"),
    ];
    for (name, advice) in cases {
        let said = refusal(&env(&format!("{name}=true")), "");
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
fn no_message_and_no_list_shows_a_secret() {
    let hidden = "hunter2";
    let long = "a-secret-of-thirty-two-characters";
    let wrong = [
        format!("secret_key = '{hidden}'"),
        format!("secret_key = ['{hidden}']"),
        format!("database_url = 'mysql://ada:{hidden}@db/x'"),
        format!("tokens.hs256_secret = '{hidden}'"),
        format!("public_url = 'https://ada:{hidden}@auth.example.com'"),
        format!("cors.origins = ['https://ada:{hidden}@app.example.com']"),
        format!("introspection.clients = ['orders:{hidden}']"),
        format!("introspection.clients = ['{hidden}']"),
        format!("introspection.clients = ['{hidden}:{long} and blanks', 1]"),
        format!("introspection.clients = '{hidden}'"),
        format!("listen = 'postgres://ada:{hidden}@db/x'"),
        format!("secret_key = '{hidden}"),
    ];
    for file in wrong {
        let said = refusal(&Inputs::default(), &file);
        assert!(!said.contains(hidden), "{said}");
    }
    let sound = format!(
        "secret_key = '{long}'\ndatabase_url = 'postgres://ada:{hidden}@db/x'\n\
         introspection.clients = ['orders:{long}', 'shop:{hidden}-{long}']"
    );
    let loaded = settled(&Inputs::default(), &sound).expect("a sound configuration");
    let shown = format!("{}{loaded:?}", loaded.show(true));
    assert!(!shown.contains(hidden) && !shown.contains(long), "{shown}");
    let clients = "introspection.clients = [\"orders:***\", \"shop:***\"]";
    assert!(shown.contains(clients), "{shown}");
}

#[test]
fn what_is_shown_can_be_read_back_and_says_where_it_came_from() {
    let file = "cors.origins = ['https://App.example.com/', 'capacitor://localhost']";
    let loaded = settled(&env("LISTEN=127.0.0.1:9000"), file).expect("a sound configuration");
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
