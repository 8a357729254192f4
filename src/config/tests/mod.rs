//! What a whole configuration may be, and what is said of one that may not.

mod rules;
mod sources;
mod words;

use proptest::prelude::*;

use super::*;

/// Variables of the environment: each `NAME=value` without its `DOORWARD_`.
fn env(pairs: &str) -> Inputs {
    let pairs = pairs.split_whitespace().map(|pair| {
        let (name, value) = pair.split_once('=').expect("a name and a value");
        (format!("DOORWARD_{name}").into(), value.into())
    });
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

#[test]
fn the_presets_pass_their_own_rules_and_follow_one_another() {
    let plain = Config::for_tests();
    assert_eq!(plain.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(plain.public_url.as_str(), "http://localhost:8080");
    assert_eq!(plain.tokens.issuer, "http://localhost:8080");
    assert_eq!(plain.tokens.audience, "http://localhost:8080");
    assert!(!plain.signup.enabled && !plain.cors.allow_localhost && plain.limits.enabled);

    let dev = config(&with_dev(Inputs::default()), "");
    assert!(dev.dev && dev.signup.enabled && dev.cors.allow_localhost && dev.limits.enabled);

    let secured = config(
        &env("LISTEN=[fe80::1%2]:443"),
        "tls = { cert = 'c.pem', key = 'k.pem' }",
    );
    assert_eq!(secured.public_url.as_str(), "https://[fe80::1]");
    let url = config(&env("PUBLIC_URL=https://Auth.Example.com:443/"), "");
    assert_eq!(url.tokens.issuer, "https://auth.example.com");
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
        let lines = known.into_iter().map(|(key, value)| format!("{key} = {}\n", toml::Value::from(value)));
        let known = lines.collect::<Vec<_>>().concat();
        let file = if first { format!("{text}\n{known}") } else { format!("{known}{text}") };
        let _ = settled(&Inputs::default(), &file).map_err(|errors| errors.to_string());
    }
}
