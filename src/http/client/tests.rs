#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::HashSet;

use axum::http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

/// The operator's proxies: 10.0.0.0/8 and 2001:db8:ffff::/48.
fn is_proxy(address: IpAddr) -> bool {
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
fn seen(peer: &str, lines: &[(&'static str, &str)]) -> String {
    let client = Client::of(peer.parse().unwrap(), &headers(lines), is_proxy);
    client.address.to_string()
}

const PROXY: &str = "10.0.0.1";
const XFF: &str = "x-forwarded-for";

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
fn d6_a_proxy_is_believed_from_the_right() {
    let cases = [
        ("203.0.113.1", "203.0.113.1"),
        ("198.51.100.7, 203.0.113.1", "203.0.113.1"),
        ("198.51.100.7, 203.0.113.1, 10.2.2.2", "203.0.113.1"),
        ("198.51.100.7,203.0.113.1,10.2.2.2,10.3.3.3", "203.0.113.1"),
        // Nobody on the way but proxies: the furthest asked.
        ("10.9.9.9, 10.2.2.2", "10.9.9.9"),
        ("10.9.9.9", "10.9.9.9"),
        // Empty list elements are no elements (RFC 9110 section 5.6.1).
        (", 203.0.113.1,, ,", "203.0.113.1"),
        ("", PROXY),
        (" , ", PROXY),
    ];
    for (line, expected) in cases {
        assert_eq!(seen(PROXY, &[(XFF, line)]), expected, "{line:?}");
    }
}

#[test]
fn d6_several_lines_are_one_list() {
    let lines = [
        (XFF, "198.51.100.7"),
        (XFF, "203.0.113.1"),
        (XFF, "10.2.2.2"),
    ];
    assert_eq!(seen(PROXY, &lines), "203.0.113.1");
}

#[test]
fn b6_what_a_client_forged_on_the_left_is_not_even_read() {
    for forged in [
        "a",
        "127.0.0.1",
        "10.0.0.1",
        "\"",
        "for=1",
        "é",
        "unknown",
        "1.2.3.4:99999",
        "::1",
    ] {
        let line = format!("{forged}, 203.0.113.1, 10.2.2.2");
        assert_eq!(seen(PROXY, &[(XFF, &line)]), "203.0.113.1", "{line:?}");
    }
}

#[test]
fn d6_garbage_that_a_proxy_vouches_for_leaves_the_peer() {
    for garbage in [
        "a",
        "unknown",
        "_hidden",
        "203.0.113",
        "203.0.113.1.1",
        "203.0.113.01",
        "0xcb.0.113.1",
        "3405803777",
        "203.0.113.1:",
        "203.0.113.1:+80",
        "203.0.113.1:65536",
        "203.0.113.1:80:80",
        "203.0.113.1/32",
        "203.0.113.1 203.0.113.2",
        "[203.0.113.1]",
        "[2001:db8::1",
        "2001:db8::1]",
        "[2001:db8::1]80",
        "[2001:db8::1]:x",
        "2001:db8:::1",
        "\"203.0.113.1\"",
        "for=203.0.113.1",
        "ſ",
    ] {
        assert_eq!(seen(PROXY, &[(XFF, garbage)]), PROXY, "{garbage:?}");
        let behind_another = format!("203.0.113.1, {garbage}, 10.2.2.2");
        assert_eq!(seen(PROXY, &[(XFF, &behind_another)]), PROXY, "{garbage:?}");
    }
}

#[test]
fn ports_brackets_and_zones_are_not_part_of_an_address() {
    let cases = [
        ("203.0.113.1:4711", "203.0.113.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("[::ffff:cb00:7101]:80", "203.0.113.1"),
    ];
    for (element, expected) in cases {
        assert_eq!(seen(PROXY, &[(XFF, element)]), expected, "{element:?}");
        let quoted = format!("for=\"{element}\"");
        assert_eq!(
            seen(PROXY, &[("forwarded", &quoted)]),
            expected,
            "{quoted:?}"
        );
    }
}

#[test]
fn forwarded_is_read_as_rfc_7239_says() {
    let cases = [
        ("for=203.0.113.1", "203.0.113.1"),
        ("For=203.0.113.1", "203.0.113.1"),
        ("for=203.0.113.1;proto=https;by=10.0.0.1", "203.0.113.1"),
        (
            "proto=https; for=203.0.113.1 ; host=\"a,b;c\"",
            "203.0.113.1",
        ),
        (
            "for=198.51.100.7, for=203.0.113.1, for=10.2.2.2",
            "203.0.113.1",
        ),
        ("for=\"203.0.113.1:4711\"", "203.0.113.1"),
        ("for=203.0.113.1:4711", "203.0.113.1"),
        ("for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
        ("for=\"203\\.0.113.1\"", "203.0.113.1"),
        (", for=203.0.113.1,", "203.0.113.1"),
        ("for=10.9.9.9, for=10.2.2.2", "10.9.9.9"),
    ];
    for (line, expected) in cases {
        assert_eq!(seen(PROXY, &[("forwarded", line)]), expected, "{line:?}");
    }
    let lines = [
        ("forwarded", "for=203.0.113.1"),
        ("forwarded", "for=10.2.2.2"),
    ];
    assert_eq!(seen(PROXY, &lines), "203.0.113.1");
}

#[test]
fn d6_a_forwarded_line_that_is_not_whole_leaves_the_peer() {
    for line in [
        // A quotation mark left open by the client swallows what the proxy appends.
        "for=\", for=203.0.113.1",
        "for=\", for=\"203.0.113.1\"",
        "for=\"203.0.113.1\\\"",
        "for=198.51.100.7\"x\", for=203.0.113.1",
        "for=203.0.113.1;for=198.51.100.7",
        "for=_hidden;for=203.0.113.1",
        "for",
        "for=",
        "=203.0.113.1",
        "f or=203.0.113.1",
        "for=203.0.113.1;",
        "for=203.0.113.1 198.51.100.7",
        "203.0.113.1",
        // Whole, but not saying who.
        "for=unknown",
        "for=_secret",
        "proto=https",
        "for=203.0.113.1, for=unknown, for=10.2.2.2",
        "for=203.0.113.1, by=10.2.2.2",
    ] {
        assert_eq!(seen(PROXY, &[("forwarded", line)]), PROXY, "{line:?}");
    }
    assert_eq!(seen(PROXY, &[("forwarded", "for=203.0.113.1;x=é")]), PROXY);
}

#[test]
fn d6_two_headers_must_agree() {
    let both = |chain, standard| seen(PROXY, &[(XFF, chain), ("forwarded", standard)]);
    assert_eq!(both("203.0.113.1", "for=203.0.113.1"), "203.0.113.1");
    assert_eq!(
        both("1.2.3.4, 203.0.113.1", "for=\"203.0.113.1:1\""),
        "203.0.113.1"
    );
    assert_eq!(both("203.0.113.1", "for=198.51.100.7"), PROXY);
    assert_eq!(both("203.0.113.1", "for=unknown"), PROXY);
    assert_eq!(both("unknown", "for=203.0.113.1"), PROXY);
    assert_eq!(both("203.0.113.1", "\""), PROXY);
    // A header with nothing in it says nothing.
    assert_eq!(both("203.0.113.1", ""), "203.0.113.1");
    assert_eq!(both("", "for=203.0.113.1"), "203.0.113.1");
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

proptest! {
    #[test]
    fn whatever_is_in_the_headers_the_peer_or_an_address_comes_out(
        chain in proptest::collection::vec(any::<u8>(), 0..60),
        standard in "[ -~]{0,60}",
    ) {
        let mut headers = HeaderMap::new();
        for (name, bytes) in [(XFF, chain.as_slice()), ("forwarded", standard.as_bytes())] {
            if let Ok(value) = HeaderValue::from_bytes(bytes) {
                headers.insert(name, value);
            }
        }
        let client = Client::of(PROXY.parse().unwrap(), &headers, is_proxy);
        prop_assert_eq!(client.address, client.address.to_canonical());
    }

    #[test]
    fn a_client_cannot_choose_its_address(forged in "[ -~]{0,60}") {
        // Each proxy appends the address that it saw; whatever the client wrote before it, that is the client's address
        // or the claim is given up.
        let appended = format!("{forged}, 203.0.113.1");
        prop_assert_eq!(seen(PROXY, &[(XFF, &appended)]), "203.0.113.1");
        let appended = format!("{forged}, for=203.0.113.1");
        let standard = seen(PROXY, &[("forwarded", &appended)]);
        prop_assert!(standard == "203.0.113.1" || standard == PROXY, "{}", standard);
    }
}
