//! Who is asking: the address and the program at the other end, as far as they can be believed.
//! Nothing here decides what a client may do.

mod forwarded;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;

/// Tells whether an address belongs to a proxy of the operator's, whose word about its client is believed.
pub type IsProxy = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The most characters of a `User-Agent` that are kept.
const AGENT_CHARS: usize = 256;

/// The other end of the connection, which the server puts into each request's extensions.
///
/// Behind a proxy this is the proxy; [`Client::of`] finds who stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Where the connection comes from, as the kernel says.
    pub address: SocketAddr,
    /// Whether the connection itself is TLS.
    pub tls: bool,
}

/// The client behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// One spelling for each address: an IPv4 address mapped into IPv6 is IPv4, and there is no zone.
    pub address: IpAddr,
    /// What the client calls itself: at most 256 characters, none that could disturb a log or a terminal.
    pub agent: Option<String>,
}

impl Client {
    /// Finds the client from the connection's other end and the request's headers.
    ///
    /// Only a peer for which `is_proxy` is true is asked who it speaks for. `X-Forwarded-For` and `Forwarded` (RFC 7239)
    /// are then read from the right, past further proxies, to the first address that is not one; when all are proxies,
    /// it is the leftmost. Where both headers are present they must agree. Whatever cannot be understood, is obfuscated
    /// or disagrees leaves the peer's own address: a forged header never chooses an address, it only gives up the
    /// client's own. `X-Real-IP` and names with an underscore (`X_Forwarded_For`) are never read.
    pub fn of(peer: IpAddr, headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Self {
        let peer = peer.to_canonical();
        let address = if is_proxy(peer) {
            forwarded::client(headers, is_proxy).unwrap_or(peer)
        } else {
            peer
        };
        Self {
            address,
            agent: agent(headers),
        }
    }

    /// What limits count this client under.
    pub fn key(&self) -> AddressKey {
        AddressKey::of(self.address)
    }

    /// The network that this client comes from.
    pub fn network(&self) -> NetworkKey {
        NetworkKey::of(self.address)
    }
}

/// One household in the eyes of a limit: an IPv4 address, or the /64 network that an IPv6 address is in, since whoever
/// has one address of a /64 has them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressKey(IpAddr);

impl AddressKey {
    /// The key that `address` counts under. All spellings of an address have the same one.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

impl AddressKey {
    /// The /48 network that an IPv6 household is in: providers give one to a site, which then has 65,536 of these.
    pub fn site(self) -> Option<SiteKey> {
        match self.0 {
            IpAddr::V4(_) => None,
            IpAddr::V6(network) => Some(SiteKey(network.to_bits() >> 80)),
        }
    }
}

/// The /48 network that an IPv6 address is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SiteKey(u128);

impl fmt::Display for AddressKey {
    /// `192.0.2.1` or `2001:db8::/64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

/// One network in the eyes of a queue, as a number: the /24 of an IPv4 address, the /64 of an IPv6 address. The numbers of
/// the former are those of /64 networks in ::/8, which nobody has (RFC 4291 section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NetworkKey(pub u64);

impl NetworkKey {
    /// The network that `address` is in. All spellings of an address have the same one.
    pub fn of(address: IpAddr) -> Self {
        let shifted = match address.to_canonical() {
            IpAddr::V4(address) => u128::from(address.to_bits() >> 8),
            IpAddr::V6(address) => address.to_bits() >> 64,
        };
        // At most 24 bits of one, and 64 of the other.
        Self(u64::try_from(shifted).unwrap_or(0))
    }
}

fn agent(headers: &HeaderMap) -> Option<String> {
    let agent: String = String::from_utf8_lossy(headers.get(USER_AGENT)?.as_bytes())
        .chars()
        .filter(|&c| !disturbs(c))
        .take(AGENT_CHARS)
        .collect();
    (!agent.is_empty()).then_some(agent)
}

/// Characters that would break a line, move a cursor, or show text in another order than it is stored.
fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
