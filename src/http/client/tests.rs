#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::HashSet;

use axum::http::{HeaderName, HeaderValue};

use super::*;

/// The operator's proxies: 10.0.0.0/8 and 2001:db8:ffff::/48.
pub(super) fn is_proxy(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[0] == 10,
        IpAddr::V6(address) => address.segments()[..3] == [0x2001, 0xdb8, 0xffff],
    }
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

/// The client's address, as text, of a request from `peer` with these header lines.
pub(super) fn seen(peer: &str, lines: &[(&'static str, &str)]) -> String {
    let client = Client::of(peer.parse().unwrap(), &headers(lines), is_proxy);
    client.address.to_string()
}

pub(super) const PROXY: &str = "10.0.0.1";
pub(super) const XFF: &str = "x-forwarded-for";

#[test]
fn h24_headers_from_a_stranger_are_ignored() {
    let lines = [
        (XFF, "203.0.113.1"),
        ("forwarded", "for=203.0.113.1"),
        ("x-real-ip", "203.0.113.1"),
    ];
    for line in lines {
        assert_eq!(seen("192.0.2.9", &[line]), "192.0.2.9", "{line:?}");
    }
    assert_eq!(seen("192.0.2.9", &lines), "192.0.2.9");
}

#[test]
fn d22_names_with_an_underscore_are_other_headers() {
    for name in [
        "x_forwarded_for",
        "x-forwarded_for",
        "x-real-ip",
        "x_real_ip",
        "true-client-ip",
        "client-ip",
    ] {
        assert_eq!(seen(PROXY, &[(name, "203.0.113.1")]), PROXY, "{name}");
    }
}

#[test]
fn d5_every_spelling_of_an_address_has_one_key() {
    let keys = |addresses: &[&str]| -> HashSet<AddressKey> {
        addresses
            .iter()
            .map(|a| AddressKey::of(a.parse().unwrap()))
            .collect()
    };
    assert_eq!(
        keys(&["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:C000:201"]).len(),
        1
    );
    assert_eq!(
        keys(&[
            "2001:db8::1",
            "2001:DB8:0:0:0:0:0:1",
            "2001:db8:0:0:ffff:ffff:ffff:ffff"
        ])
        .len(),
        1
    );
    assert_eq!(
        keys(&["2001:db8::1", "2001:db8:0:1::1", "192.0.2.1", "192.0.2.2"]).len(),
        4
    );
}

#[test]
fn d5_a_thousand_addresses_of_one_64_are_one_client() {
    let key = |n: u16| {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 7, 7, n, 1, 2, n ^ 0x5555);
        AddressKey::of(IpAddr::V6(address)).to_string()
    };
    let keys: HashSet<String> = (0..1000).map(key).collect();
    assert_eq!(keys, HashSet::from(["2001:db8:7:7::/64".to_owned()]));
    assert_eq!(
        AddressKey::of("192.0.2.1".parse().unwrap()).to_string(),
        "192.0.2.1"
    );
}

#[test]
fn l2_a_network_is_a_24_or_a_64() {
    let networks = |addresses: &[&str]| -> HashSet<NetworkKey> {
        let network = |text: &&str| NetworkKey::of(text.parse().unwrap());
        addresses.iter().map(network).collect()
    };
    assert_eq!(
        networks(&["192.0.2.1", "192.0.2.254", "::ffff:192.0.2.7"]).len(),
        1
    );
    assert_eq!(
        networks(&["2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"]).len(),
        1
    );
    let others = [
        "192.0.2.1",
        "192.0.3.1",
        "2001:db8::1",
        "2001:db8:0:1::1",
        "2002:db8::1",
    ];
    assert_eq!(networks(&others).len(), others.len());
}

#[test]
fn the_peer_is_one_spelling_too() {
    assert_eq!(seen("::ffff:192.0.2.1", &[]), "192.0.2.1");
    assert_eq!(
        seen("::ffff:10.0.0.1", &[(XFF, "203.0.113.1")]),
        "203.0.113.1"
    );
}

#[test]
fn v7_an_agent_cannot_disturb_a_log() {
    let agent = |bytes: &[u8]| {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_bytes(bytes).unwrap());
        Client::of("192.0.2.1".parse().unwrap(), &headers, is_proxy).agent
    };
    assert_eq!(agent(b"curl/8.5.0").as_deref(), Some("curl/8.5.0"));
    assert_eq!(
        agent("a\tb\u{9b}31mc\u{2028}d\u{202e}e".as_bytes()).as_deref(),
        Some("ab31mcde")
    );
    assert_eq!(agent(b"\xff").as_deref(), Some("\u{fffd}"));
    assert_eq!(agent(b"\t"), None);
    assert_eq!(agent(b""), None);
    let long = agent("ü".repeat(300).as_bytes()).unwrap();
    assert_eq!(long.chars().count(), 256);
}
