//! Addresses that an operator writes: our own public URL, the origins of others, and the networks of proxies.
//! Each is brought to the one form in which it is compared; nothing here resolves a name or opens a connection.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::values::Value;

/// A web origin (RFC 6454) in the form in which browsers send it: lower case, ASCII, without the scheme's own port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    text: String,
    /// Where the host stands in `text`, brackets of an IPv6 address included.
    host: std::ops::Range<usize>,
}

impl Origin {
    /// Reads an origin; one slash at the end is taken off. The error completes a sentence that begins with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" || text.contains("://*") {
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
        let own_port = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        if let Some(port) = port.filter(|port| Some(*port) != own_port) {
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
    let host = idna::domain_to_ascii_strict(host).map_err(|_| wrong())?;
    let last = host.rsplit('.').next().unwrap_or_default();
    // The URL standard reads a host that ends in a number as IPv4, in forms such as 0x7f.1 that nobody means to write.
    let is_address = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    if host.is_empty() || (is_address && host.parse::<Ipv4Addr>().is_err()) {
        return Err(wrong());
    }
    Ok(host)
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

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpNet {
    address: IpAddr,
    prefix: u8,
}

impl IpNet {
    /// Whether `address` is in it. An IPv4 address that came mapped into IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && masked(address, self.prefix) == masked(self.address, self.prefix)
    }

    /// Reads `10.0.0.0/8`, or one address. The error completes a sentence that begins with the text.
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "is neither an address nor a network".to_owned();
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((address, prefix)) => (address, Some(prefix)),
        };
        let given: IpAddr = address.parse().map_err(|_| wrong())?;
        let whole = if given.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(whole), str::parse).map_err(|_| wrong())?;
        let address = given.to_canonical();
        // The 96 bits before a mapped IPv4 address are the mapping, not the network.
        let mapping = if address.is_ipv4() == given.is_ipv4() {
            0
        } else {
            96
        };
        if prefix > whole || prefix < mapping {
            return Err("has a prefix that its address cannot have".to_owned());
        }
        let prefix = prefix - mapping;
        if prefix == 0 {
            return Err(
                "is every address there is, and a client could then claim to be any other"
                    .to_owned(),
            );
        }
        let network = masked(address, prefix);
        if network != bits(address) {
            return Err(format!("has bits set after its first {prefix}"));
        }
        Ok(Self { address, prefix })
    }
}

/// The address as 128 bits, its first bit the highest.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn masked(address: IpAddr, prefix: u8) -> u128 {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    bits(address) & mask
}

impl fmt::Display for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Value for IpNet {
    const FORM: &'static str = "an address or a network, such as 10.0.0.7 or 10.0.0.0/8";

    fn from_text(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}
