use proptest::prelude::*;

use super::super::tests::{PROXY, XFF, is_proxy, seen};
use super::*;

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

proptest! {
    #[test]
    fn whatever_is_in_the_headers_no_address_has_two_spellings(
        chain in proptest::collection::vec(any::<u8>(), 0..60),
        standard in "[ -~]{0,60}",
    ) {
        let mut headers = HeaderMap::new();
        for (name, bytes) in [(XFF, chain.as_slice()), ("forwarded", standard.as_bytes())] {
            if let Ok(value) = HeaderValue::from_bytes(bytes) {
                headers.insert(name, value);
            }
        }
        if let Some(address) = client(&headers, is_proxy) {
            prop_assert_eq!(address, address.to_canonical());
        }
    }

    #[test]
    fn a_client_cannot_choose_its_address(forged in r#"[for=",;\\ 1-9.]{0,40}"#) {
        // Each proxy appends the address that it saw. Whatever the client wrote before it, that one comes out, or the
        // claim is given up.
        let chain = format!("{forged}, 203.0.113.1");
        prop_assert_eq!(seen(PROXY, &[(XFF, &chain)]), "203.0.113.1");
        for appended in ["for=203.0.113.1", "for=\"203.0.113.1\"", "by=x;for=\"203.0.113.1:1\";proto=http"] {
            let standard = seen(PROXY, &[("forwarded", &format!("{forged}, {appended}"))]);
            prop_assert!(standard == "203.0.113.1" || standard == PROXY, "{}", standard);
        }
    }
}
