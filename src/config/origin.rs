//! Web addresses that an operator writes: our own, and those of pages that may call us. Each is brought to the one form
//! in which it is compared; nothing here resolves a name or opens a connection.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use idna::AsciiDenyList;

use super::values::Value;

/// A web origin (RFC 6454) in the form in which browsers send it: lower case, ASCII, without the scheme's own port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    text: String,
    /// Where the host stands in `text`, brackets of an IPv6 address included.
    host: Range<usize>,
}

impl Origin {
    /// Reads an origin; one slash at the end is taken off. The error completes a sentence that begins with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains('*') {
            return Err("is a wildcard, and each origin must be named".to_owned());
        }
        if text == "null" {
            return Err("is what any sandboxed page sends, so it names nobody".to_owned());
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("has no scheme, such as https://")?;
        let scheme = scheme.to_ascii_lowercase();
        let scheme_is_sound = scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if !scheme_is_sound {
            return Err("has a scheme that is none".to_owned());
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            return Err("has a user or password in it".to_owned());
        }
        if rest.contains(['/', '?', '#', '\\']) {
            return Err("has a path, a query or a fragment".to_owned());
        }
        let (host, port) = split_port(rest)?;
        let host = canonical_host(host)?;
        let start = scheme.len() + "://".len();
        let mut text = format!("{scheme}://{host}");
        if let Some(port) = port.filter(|port| Some(*port) != own_port(&scheme)) {
            text = format!("{text}:{port}");
        }
        Ok(Self {
            text,
            host: start..start + host.len(),
        })
    }

    /// The origin as a browser sends it in `Origin`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme: `https`.
    pub fn scheme(&self) -> &str {
        &self.text[..self.host.start - "://".len()]
    }

    /// The host without the port; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.text[self.host.clone()]
    }

    /// The port: the one that is written, or the scheme's own. `None` for a scheme other than http and https that names
    /// none.
    pub fn port(&self) -> Option<u16> {
        match self.text[self.host.end..].strip_prefix(':') {
            Some(port) => port.parse().ok(),
            None => own_port(self.scheme()),
        }
    }

    /// Whether browsers make passkeys for pages of it (WebAuthn level 3, section 5.1.3): they are bound to a domain, and come over
    /// a connection that nobody changes on its way.
    pub fn may_have_passkeys(&self) -> bool {
        let host = self.host();
        let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
        !is_address && self.is_protected()
    }

    /// Whether nobody changes on its way what comes from it: over HTTPS, or from this machine.
    pub fn is_protected(&self) -> bool {
        match self.scheme() {
            "https" => true,
            "http" => self.is_loopback(),
            _ => false,
        }
    }

    /// Whether the host is this machine: `localhost`, a name below it (RFC 6761 section 6.3), or a loopback address.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let address = host
            .strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'))
            .unwrap_or(host);
        match address.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }
}

fn own_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn split_port(rest: &str) -> Result<(&str, Option<u16>), String> {
    let Some((host, port)) = rest.rsplit_once(':').filter(|_| !rest.ends_with(']')) else {
        return Ok((rest, None));
    };
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok((host, Some(port))),
        _ => Err("has a port that is not a number from 1 to 65535".to_owned()),
    }
}

/// The host as browsers write it: IDNA in ASCII (UTS 46), addresses in their shortest form.
fn canonical_host(host: &str) -> Result<String, String> {
    let wrong = || "has a host that is none".to_owned();
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or_else(wrong)?;
        let address: Ipv6Addr = inner.parse().map_err(|_| wrong())?;
        return Ok(format!("[{address}]"));
    }
    let host =
        idna::domain_to_ascii_cow(host.as_bytes(), AsciiDenyList::URL).map_err(|_| wrong())?;
    let last = host.rsplit('.').next().unwrap_or_default();
    // The URL standard reads a host that ends in a number as IPv4, in forms such as 0x7f.1 that nobody means to write.
    let is_address = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    if host.is_empty() || (is_address && host.parse::<Ipv4Addr>().is_err()) {
        return Err(wrong());
    }
    Ok(host.into_owned())
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Value for Origin {
    const FORM: &'static str =
        "scheme, host and port as a browser sends them, such as https://app.example.com";

    fn from_text(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }

    fn to_text(&self) -> String {
        self.text.clone()
    }
}

/// Where people reach Doorward: `https://auth.example.com`. An origin; Doorward has the whole of it, so there is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(Origin);

impl PublicUrl {
    /// The URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The same as an origin.
    pub fn origin(&self) -> &Origin {
        &self.0
    }

    /// Whether people come over HTTPS, which is when cookies are `Secure`.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Value for PublicUrl {
    const FORM: &'static str =
        "http or https, a host and no path, such as https://auth.example.com";

    fn from_text(text: &str) -> Result<Self, String> {
        let origin = Origin::parse(text)?;
        match origin.scheme() {
            "http" | "https" => Ok(Self(origin)),
            _ => Err("is neither http nor https".to_owned()),
        }
    }

    fn to_text(&self) -> String {
        self.0.to_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_origin_takes_the_form_in_which_browsers_send_it() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.COM/", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80/", "http://app.example.com"),
            ("http://app.example.com:443", "http://app.example.com:443"),
            (
                "https://b\u{fc}cher.example",
                "https://xn--bcher-kva.example",
            ),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[0:0::1]:3000", "http://[::1]:3000"),
            ("http://my_app:3000", "http://my_app:3000"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(
                Origin::parse(text).as_ref().map(Origin::as_str),
                Ok(origin),
                "{text}"
            );
        }
    }

    #[test]
    fn what_names_no_single_origin_is_refused() {
        for text in [
            "",
            "*",
            "null",
            "https://",
            "https:///",
            "app.example.com",
            "//app.example.com",
            "https://*.example.com",
            "https://app.example.com/path",
            "https://app.example.com//",
            "https://app.example.com?q",
            "https://app.example.com#f",
            "https://ada@app.example.com",
            "https://app.example.com:0",
            "https://app.example.com:65536",
            "https://app.example.com:",
            "https://app.example.com:+1",
            "https://[::1",
            "https://[::1]x",
            "https://1.2.3",
            "https://1.2.3.4.5",
            "https://a b",
            "1s://app.example.com",
            "://app.example.com",
            "https://app_\\example.com",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
        assert!(PublicUrl::from_text("capacitor://localhost").is_err());
    }

    #[test]
    fn loopback_is_localhost_and_the_loopback_addresses() {
        for text in [
            "http://localhost:1",
            "http://app.localhost",
            "http://127.9.9.9",
            "http://[::1]",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(
                Origin::parse(text).expect("an origin").is_loopback(),
                "{text}"
            );
        }
        for text in [
            "http://localhost.example",
            "http://notlocalhost",
            "http://128.0.0.1",
            "http://[::2]",
        ] {
            assert!(
                !Origin::parse(text).expect("an origin").is_loopback(),
                "{text}"
            );
        }
    }

    #[test]
    fn the_parts_are_where_they_belong() {
        let origin = Origin::parse("https://[::1]:8443/").expect("an origin");
        assert_eq!((origin.scheme(), origin.host()), ("https", "[::1]"));
        for (text, port) in [
            ("https://[::1]:8443", Some(8443)),
            ("https://[::1]", Some(443)),
            ("http://app.example.com:443", Some(443)),
            ("http://app.example.com:80", Some(80)),
            ("capacitor://localhost", None),
        ] {
            assert_eq!(
                Origin::parse(text).expect("an origin").port(),
                port,
                "{text}"
            );
        }
        assert!(PublicUrl::from_text("https://[::1]:8443/").is_ok_and(|url| url.is_https()));
    }

    proptest! {
        #[test]
        fn an_origin_reads_back_as_itself(text in "[a-zA-Z]{1,5}://[a-zA-Z0-9.:\\[\\]\u{e0}-\u{ff}-]{0,20}") {
            if let Ok(origin) = Origin::parse(&text) {
                prop_assert_eq!(Origin::parse(origin.as_str()), Ok(origin));
            }
        }
    }
}
