//! Our cookies (RFC 6265), that of a session and that of a device: read from a request, set on an answer, taken back. The
//! prefix of their names makes browsers hold them to this host and to HTTPS, so that a sibling domain can neither read them
//! nor set one of its own.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::secret::Secret;

/// The name of a session's cookie, which browsers and we compare to the letter.
pub const NAME: &str = "__Host-doorward";
/// The name of a device's cookie.
pub const DEVICE: &str = "__Host-doorward-device";
/// For our host alone, over HTTPS or to localhost alone, out of reach of scripts, and not with what other sites' pages
/// send, but for a link that somebody follows. No `Domain`: `__Host-` forbids it.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// The value of the session cookie, unproven. `None` when there is none, or when it has a value that no cookie of ours has.
///
/// The `Cookie` headers of a request count as one: HTTP/2 may split them (RFC 9113 section 8.2.3).
///
/// # Errors
/// The cookie came twice, the same or not. One of them may have been planted, by an old browser that minds no prefix, and
/// whoever plants one also has a say in which comes first; so neither is believed, and the request ends here.
pub fn session(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = values(headers, NAME);
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err(Refusal::NotHttp {
            why: "A request must have only one session cookie; clear this site's cookies",
        }),
        (value, _) => Ok(value.and_then(base64url)),
    }
}

/// The value of the device's cookie, unproven; of several the first, since the worst that a planted one does is that its
/// browser is taken for a stranger's.
pub fn device(headers: &HeaderMap) -> Option<&str> {
    values(headers, DEVICE).next().and_then(base64url)
}

/// The values of every cookie of that name.
fn values<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h [u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (found, value) = (&pair[..at], &pair[at + 1..]);
            (found.trim_ascii() == name.as_bytes()).then(|| value.trim_ascii())
        })
}

/// Only what we make: no quotes, no escapes, nothing that two readers could read in two ways.
fn base64url(value: &[u8]) -> Option<&str> {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let is_ours = !value.is_empty() && value.iter().all(is_digit);
    is_ours.then(|| str::from_utf8(value).ok()).flatten()
}

/// The `Set-Cookie` that makes a browser carry `value`, which is base64url, for `max_age` in whole seconds. It replaces
/// whatever session cookie the browser had before.
pub fn set(value: &Secret<String>, max_age: Duration) -> HeaderValue {
    named(NAME, value, max_age)
}

/// The same for a device's cookie.
pub fn set_device(value: &Secret<String>, max_age: Duration) -> HeaderValue {
    named(DEVICE, value, max_age)
}

fn named(name: &str, value: &Secret<String>, max_age: Duration) -> HeaderValue {
    let (value, seconds) = (value.expose(), max_age.as_secs());
    let text = Zeroizing::new(format!("{name}={value}; {ATTRIBUTES}; Max-Age={seconds}"));
    let mut header = HeaderValue::from_str(&text).expect("base64url stands in any header");
    header.set_sensitive(true);
    header
}

/// The `Set-Cookie` that makes a browser forget the session cookie.
pub fn clear() -> HeaderValue {
    set(&Secret::new(String::new()), Duration::ZERO)
}

#[cfg(test)]
#[expect(non_snake_case, reason = "the catalogue names its cases in capitals")]
mod tests {
    use super::*;

    fn request(cookies: &[&[u8]]) -> HeaderMap {
        let each = cookies.iter().map(|line| {
            let value = HeaderValue::from_bytes(line).expect("what a header can hold");
            (header::COOKIE, value)
        });
        each.collect()
    }

    fn read(cookies: &[&str]) -> Option<String> {
        let lines: Vec<&[u8]> = cookies.iter().map(|line| line.as_bytes()).collect();
        let headers = request(&lines);
        let value = session(&headers).expect("one cookie at the most");
        value.map(str::to_owned)
    }

    #[test]
    fn it_is_found_among_others_in_one_header_or_several() {
        for cookies in [
            &["__Host-doorward=a-_9"][..],
            &["theme=dark; __Host-doorward=a-_9; lang=en"],
            &["theme=dark", "__Host-doorward=a-_9", "lang=en"],
            &["theme=dark;__Host-doorward=a-_9;"],
            &["broken; =; ;; __Host-doorward=a-_9"],
            &["\t__Host-doorward=a-_9 "],
        ] {
            assert_eq!(read(cookies).as_deref(), Some("a-_9"), "{cookies:?}");
        }
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn C3_names_that_are_alike_do_not_count() {
        for cookies in [
            "doorward=a",
            "Host-doorward=a",
            "__Secure-doorward=a",
            "__host-doorward=a",
            "__HOST-DOORWARD=a",
            "x__Host-doorward=a",
            "__Host-doorward2=a",
            "__Host-doorward",
            "=__Host-doorward=a",
            "theme=__Host-doorward=a",
            "\"__Host-doorward\"=a",
            "__Host-door%77ard=a",
            "theme=\",__Host-doorward=a",
        ] {
            assert_eq!(read(&[cookies]), None, "{cookies}");
            let with_ours = format!("{cookies}; __Host-doorward=ours; {cookies}");
            assert_eq!(read(&[&with_ours]).as_deref(), Some("ours"), "{cookies}");
        }
    }

    #[test]
    fn C3_two_of_them_are_refused_in_whatever_order_and_shape() {
        for planted in ["planted", "ours", "", "\"planted\"", "pl anted", "\u{e9}"] {
            let planted = format!("__Host-doorward={planted}");
            let ours = "__Host-doorward=ours";
            for (first, second) in [(planted.as_str(), ours), (ours, planted.as_str())] {
                let joined = format!("{first}; theme=dark; {second}");
                let (first, second) = (first.as_bytes(), second.as_bytes());
                for lines in [&[joined.as_bytes()][..], &[first, b"theme=dark", second]] {
                    let refused = session(&request(lines)).expect_err("two are too many");
                    assert_eq!(refused.said().code, Some("bad_request"), "{planted}");
                }
            }
        }
    }

    #[test]
    fn C4_long_and_many_cookies_cost_nothing() {
        let long = "a".repeat(8 * 1024);
        let many: Vec<String> = (0..200).map(|n| format!("c{n}={long}")).collect();
        let many = many.join("; ");
        let line = format!("{many}; __Host-doorward=ours; {many}");
        assert_eq!(read(&[&line]).as_deref(), Some("ours"));
        let line = format!("__Host-doorward={long}");
        assert_eq!(read(&[&line]), Some(long));
    }

    #[test]
    fn C5_a_value_that_we_never_make_is_none() {
        for value in [
            &b""[..],
            b"\"ours\"",
            b"ou rs",
            b"ou\trs",
            b"ours\\",
            b"ou,rs",
            b"our%73",
            b"ours=",
            b"ou+r/s",
            b"our\xff",
            b"\xc3\xa9",
        ] {
            let line = [b"__Host-doorward=", value].concat();
            assert_eq!(session(&request(&[&line])).ok(), Some(None), "{value:?}");
        }
        assert!(HeaderValue::from_bytes(b"__Host-doorward=ou\0rs").is_err());
    }

    #[test]
    fn what_is_set_has_every_guard_and_is_read_back() {
        let value = crate::secret::token();
        let header = set(&value, Duration::from_millis(90_900));
        assert!(header.is_sensitive());
        let text = header.to_str().expect("ASCII");
        let (pair, attributes) = text.split_once("; ").expect("attributes");
        assert_eq!(
            attributes,
            "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=90"
        );
        assert_eq!(read(&[pair]).as_ref(), Some(value.expose()));
    }

    #[test]
    fn what_is_cleared_is_the_cookie_that_was_set() {
        assert_eq!(
            clear(),
            "__Host-doorward=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
