//! Reads `X-Forwarded-For` and `Forwarded` (RFC 7239) as a trusted proxy left them.
//! The right end was written by the proxy nearest to us; the further left, the less it is worth.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What one of the two headers says about the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Absent,
    Garbage,
    Address(IpAddr),
}

/// The client that the headers agree on, or `None` where they say nothing that can be used.
pub(super) fn client(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let chain = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let by_chain = walk(chain.flat_map(chain_from_right), &is_proxy);
    let by_standard = by_standard(headers, &is_proxy);
    match (by_chain, by_standard) {
        (Claim::Address(a), Claim::Absent) | (Claim::Absent, Claim::Address(a)) => Some(a),
        (Claim::Address(a), Claim::Address(b)) if a == b => Some(a),
        _ => None,
    }
}

/// Goes from the nearest hop outwards to the first that is no proxy. A hop of `None` is one that cannot be understood.
fn walk(
    hops_from_right: impl Iterator<Item = Option<IpAddr>>,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Claim {
    let mut furthest = Claim::Absent;
    for hop in hops_from_right {
        match hop {
            None => return Claim::Garbage,
            Some(address) => furthest = Claim::Address(address),
        }
        if let Some(address) = hop
            && !is_proxy(address)
        {
            break;
        }
    }
    furthest
}

/// The elements of one `X-Forwarded-For` line, the rightmost first. What a client forged stands further left than what
/// its proxy wrote and is not even looked at.
fn chain_from_right(line: &HeaderValue) -> impl Iterator<Item = Option<IpAddr>> {
    line.as_bytes()
        .rsplit(|&b| b == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
        .map(|element| std::str::from_utf8(element).ok().and_then(node))
}

/// `Forwarded` is read whole before it is believed: a quotation mark that a client left open would otherwise swallow
/// what its proxy appended.
fn by_standard(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Claim {
    let mut hops = Vec::new();
    for line in headers.get_all(FORWARDED) {
        let Some(elements) = line.to_str().ok().and_then(elements) else {
            return Claim::Garbage;
        };
        hops.extend(elements);
    }
    walk(hops.into_iter().rev(), is_proxy)
}

/// The `for` of each element of one `Forwarded` line (RFC 7239 section 4), or `None` when the line is malformed.
fn elements(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut elements = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
            continue;
        }
        let mut hop = None;
        loop {
            let (name, value, after) = pair(rest)?;
            if name.eq_ignore_ascii_case("for") && hop.replace(node(&value)).is_some() {
                return None;
            }
            rest = after.trim_start();
            match rest.strip_prefix(';') {
                Some(after) => rest = after.trim_start(),
                None => break,
            }
        }
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
        elements.push(hop.flatten());
    }
    Some(elements)
}

/// One `name=value` and what follows it. The value is a quoted string, or runs to the next delimiter: wider than RFC
/// 7239's token, because proxies write `for=192.0.2.1:4711` without the quotation marks that the colon asks for.
fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    if let Some(quoted) = rest.strip_prefix('"') {
        let (value, rest) = quoted_string(quoted)?;
        return Some((name, value, rest));
    }
    let end = rest.find([';', ',', ' ', '\t', '"']).unwrap_or(rest.len());
    let (value, rest) = rest.split_at(end);
    (!value.is_empty()).then(|| (name, value.to_owned(), rest))
}

/// The content of a quoted string (RFC 9110 section 5.6.4) that has been opened, and what follows its end.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

/// An address, perhaps with a port or a zone, neither of which is kept. `unknown` and `_obfuscated` are no address.
fn node(text: &str) -> Option<IpAddr> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let port_is_fine = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return port_is_fine.then(|| v6(address)).flatten();
    }
    if let Some((address, port)) = text.split_once(':')
        && !port.contains(':')
    {
        let address = IpAddr::V4(address.parse().ok()?);
        return is_port(port).then_some(address);
    }
    match text.parse() {
        Ok(IpAddr::V4(address)) => Some(IpAddr::V4(address)),
        _ => v6(text),
    }
}

fn v6(text: &str) -> Option<IpAddr> {
    let address = text
        .split_once('%')
        .map_or(text, |(address, _zone)| address);
    let address: Ipv6Addr = address.parse().ok()?;
    Some(IpAddr::V6(address).to_canonical())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests;
