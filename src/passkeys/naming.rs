//! What a passkey is called whose owner has not said.

/// Words of a `User-Agent`, and what people call what sends them. The more particular stand first.
const DEVICES: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "Chromebook"),
    ("Macintosh", "Mac"),
    ("Windows", "Windows"),
    ("Linux", "Linux"),
];

/// A name for a passkey that was registered with this program.
pub(super) fn of(agent: Option<&str>) -> &'static str {
    let agent = agent.unwrap_or_default();
    DEVICES
        .into_iter()
        .find(|(word, _)| agent.contains(word))
        .map_or("Passkey", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_passkey_is_named_for_the_device_or_for_what_it_is() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)",
                "iPhone",
            ),
            ("Mozilla/5.0 (Linux; Android 16; Pixel 9)", "Android"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "Mac"),
            ("Mozilla/5.0 (X11; Linux x86_64)", "Linux"),
            ("curl/8.9", "Passkey"),
        ] {
            assert_eq!(of(Some(agent)), name, "{agent}");
        }
        assert_eq!(of(None), "Passkey");
    }
}
