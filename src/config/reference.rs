//! docs/configuration.md, written from the settings themselves so that it cannot say anything else.

use super::Config;
use super::settings::{Preset, Section as _, Setting};

const OPENING: &str = "\
# Configuration

This page is written from the source by a test (`UPDATE_DOCS=1 cargo test --lib config::reference`), never by hand.

A value is taken from the first of these that has one:

1. the command line;
2. the environment variable;
3. for a secret, the file that the variable with `_FILE` at its end names (`DOORWARD_SECRET_KEY_FILE`), less its trailing
   newline; setting both variables is refused;
4. for a secret, the file named by its key in systemd's `$CREDENTIALS_DIRECTORY` (`LoadCredential=secret_key:/path`);
5. the configuration file, in TOML: the one that `--config` or `DOORWARD_CONFIG` names, else `./doorward.toml`, else
   `/etc/doorward/doorward.toml`;
6. the default.

Durations are a whole number and its unit: `500ms`, `90s`, `15m`, `1h`, `30d`. A list is an array of strings in the file, and
stands between commas or line breaks elsewhere. `off` takes away an optional value that a weaker source set.

A name that no setting has, a value that cannot be read and a rule that is broken are all reported together, and the command
exits with 78. `doorward config check` does only that, and `doorward config show --origin` tells where each value came from.
";

/// docs/configuration.md: every setting with its environment variable, its default and its meaning.
pub fn reference() -> String {
    let mut page = OPENING.to_owned();
    let mut section = None;
    for setting in Config::settings() {
        let own = setting
            .key
            .rsplit_once('.')
            .map_or("", |(section, _)| section);
        if section != Some(own) {
            section = Some(own);
            page.push_str(&heading(own));
        }
        page.push_str(&row(&setting));
    }
    page
}

fn heading(section: &str) -> String {
    let title = match section {
        "" => "The server".to_owned(),
        section => format!("`[{section}]`"),
    };
    format!("\n## {title}\n\n| Setting | Environment | Default | Meaning |\n|---|---|---|---|\n")
}

fn row(setting: &Setting) -> String {
    let about = setting
        .about
        .iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ");
    let (name, env) = match setting.preset {
        Preset::CommandLine => (format!("`--{}`", setting.key), String::new()),
        _ => (format!("`{}`", setting.key), format!("`{}`", setting.env())),
    };
    let preset = match setting.preset {
        Preset::Text("") => "none".to_owned(),
        Preset::Text(text) => format!("`{text}`"),
        Preset::Follows(words, _) | Preset::Unset(words) => words.to_owned(),
        Preset::Required => "not set".to_owned(),
        Preset::CommandLine => "not given".to_owned(),
    };
    let about = about.replace('|', "\\|");
    format!("| {name} | {env} | {preset} | {about} |\n")
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn docs_configuration_md_is_what_the_source_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
        if std::env::var_os("UPDATE_DOCS").is_some_and(|wanted| wanted == "1") {
            std::fs::write(path, reference()).expect("the page can be written");
        }
        let page = std::fs::read_to_string(path).expect("the page is there");
        assert!(
            page == reference(),
            "docs/configuration.md is not what the source says: run `UPDATE_DOCS=1 cargo test --lib config::reference`"
        );
    }
}
