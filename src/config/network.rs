//! The networks that proxies stand in. Nothing here resolves a name.

use std::fmt;
use std::net::IpAddr;

use super::values::Value;

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contains(network: &str, address: &str) -> bool {
        let network = IpNet::parse(network).expect("a network");
        network.contains(address.parse().expect("an address"))
    }

    #[test]
    fn a_network_holds_the_addresses_that_share_its_first_bits() {
        for (network, address) in [
            ("10.0.0.0/8", "10.255.255.255"),
            ("10.0.0.7", "10.0.0.7"),
            ("10.0.0.0/8", "::ffff:10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3"),
            ("fd00::/8", "fdff::1"),
            ("::1", "::1"),
            ("128.0.0.0/1", "255.255.255.255"),
        ] {
            assert!(contains(network, address), "{network} holds {address}");
        }
        for (network, address) in [
            ("10.0.0.0/8", "11.0.0.0"),
            ("10.0.0.7", "10.0.0.6"),
            ("10.0.0.0/8", "a00::"),
            ("a00::/8", "10.0.0.0"),
            ("::1", "::2"),
        ] {
            assert!(
                !contains(network, address),
                "{network} does not hold {address}"
            );
        }
    }

    #[test]
    fn what_is_no_network_or_every_network_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.1/8",
            "0.0.0.0/0",
            "::/0",
            "::ffff:0.0.0.0/96",
            "::ffff:10.0.0.0/8",
            "10.0.0.0/",
            "10/8",
            "proxy",
        ] {
            assert!(IpNet::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_network_reads_back_and_holds_itself(address in any::<std::net::IpAddr>()) {
            let network = IpNet::parse(&address.to_string()).expect("an address is a network");
            prop_assert_eq!(IpNet::parse(&network.to_string()), Ok(network));
            prop_assert!(network.contains(address));
        }
    }
}
