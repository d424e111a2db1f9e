//! The client's address, and sets of networks.
//!
//! The address is Envoy's `source.address` property and nothing else: Envoy resolves it from the connection and from
//! as many `x-forwarded-for` hops as its own configuration trusts. What a client writes into that header is not
//! looked at here, so there is nothing to spoof.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Reads Envoy's `source.address`: `8.8.8.8:0`, `[2001:db8::1]:443`, or an address without a port. An IPv4 address
/// mapped into IPv6 is folded to IPv4. `None` for what is not an IP address (a Unix socket).
pub fn client_address(source_address: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(source_address).ok()?;
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        if !(port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) {
            return None;
        }
        return Some(fold(IpAddr::V6(address.parse().ok()?)));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(fold(address));
    }
    let (address, port) = text.rsplit_once(':')?;
    let address = address.parse::<Ipv4Addr>().ok()?;
    is_port(port).then_some(IpAddr::V4(address))
}

fn is_port(port: &str) -> bool {
    !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

fn fold(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 => v4,
    }
}

/// The network of an address: its first `v4` or `v6` bits, the rest 0.
pub fn network(address: IpAddr, v4: u32, v6: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - v4.min(32)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - v6.min(128)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

/// Text that is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CidrError(String);

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not an address or network: write `203.0.113.7`, `10.0.0.0/8` or `2001:db8::/32`",
            self.0
        )
    }
}

impl std::error::Error for CidrError {}

/// A set of networks; membership is two comparisons per halving of the set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CidrSet {
    /// First and last address of each run, sorted, without overlap.
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl CidrSet {
    /// A set from addresses and networks in CIDR notation. Host bits are ignored (`10.1.2.3/8` is `10.0.0.0/8`), and
    /// networks of IPv4-mapped addresses (`::ffff:10.0.0.0/104`) are folded to IPv4.
    ///
    /// # Errors
    /// At the first text that is neither.
    pub fn parse<S: AsRef<str>>(networks: impl IntoIterator<Item = S>) -> Result<Self, CidrError> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match parse_network(network.as_ref())? {
                IpNet::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits())),
                IpNet::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits())),
            }
        }
        Ok(Self {
            v4: merged(v4),
            v6: merged(v6),
        })
    }

    /// Whether `address` lies in one of the networks. A mapped IPv4 address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match fold(address) {
            IpAddr::V4(v4) => lies_in(&self.v4, v4.to_bits()),
            IpAddr::V6(v6) => lies_in(&self.v6, v6.to_bits()),
        }
    }

    /// Whether the set has no network.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

fn parse_network(text: &str) -> Result<IpNet, CidrError> {
    let refused = || CidrError(text.to_owned());
    let net = match text.parse::<IpNet>() {
        Ok(net) => net.trunc(),
        Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| refused())?),
    };
    let IpNet::V6(v6) = net else { return Ok(net) };
    let Some(folded) = v6
        .network()
        .to_ipv4_mapped()
        .filter(|_| v6.prefix_len() >= 96)
    else {
        return Ok(net);
    };
    IpNet::new(IpAddr::V4(folded), v6.prefix_len() - 96).map_err(|_| refused())
}

fn merged<T: Ord + Copy>(mut runs: Vec<(T, T)>) -> Vec<(T, T)> {
    runs.sort_unstable();
    runs.dedup_by(|next, kept| {
        let overlap = next.0 <= kept.1;
        if overlap {
            kept.1 = kept.1.max(next.1);
        }
        overlap
    });
    runs
}

fn lies_in<T: Ord + Copy>(runs: &[(T, T)], address: T) -> bool {
    let after = runs.partition_point(|(first, _)| *first <= address);
    after
        .checked_sub(1)
        .and_then(|at| runs.get(at))
        .is_some_and(|(_, last)| address <= *last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_the_first_bits() {
        for (address, v4, v6, expected) in [
            ("203.0.113.77", 32, 64, "203.0.113.77"),
            ("203.0.113.77", 24, 64, "203.0.113.0"),
            ("203.0.113.77", 0, 64, "0.0.0.0"),
            ("203.0.113.77", 99, 64, "203.0.113.77"),
            ("2001:db8:0:1:2::3", 32, 64, "2001:db8:0:1::"),
            ("2001:db8::1:2", 32, 32, "2001:db8::"),
            ("2001:db8::3", 32, 128, "2001:db8::3"),
            ("2001:db8::3", 32, 0, "::"),
        ] {
            let network = network(address.parse().unwrap(), v4, v6);
            assert_eq!(network.to_string(), expected, "{address}/{v4}/{v6}");
        }
    }
    use crate::headers::Headers;

    #[test]
    fn source_address_as_envoy_writes_it() {
        let cases = [
            ("8.8.8.8:0", Some("8.8.8.8")),
            ("8.8.8.8", Some("8.8.8.8")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[::ffff:10.0.0.1]:80", Some("10.0.0.1")),
            ("::ffff:10.0.0.1", Some("10.0.0.1")),
            ("8.8.8.8:", None),
            ("8.8.8.8:x", None),
            ("8.8.8.8:99999", None),
            ("[2001:db8::1]443", None),
            ("[8.8.8.8]:1", None),
            ("1.2.3.4, 5.6.7.8", None),
            ("/var/run/envoy.sock", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                client_address(text.as_bytes()),
                expected.map(|ip| ip.parse().unwrap()),
                "{text}"
            );
        }
        assert_eq!(client_address(b"\xff"), None);
    }

    #[test]
    fn l2_x_forwarded_for_does_not_make_a_client_trusted() {
        let office = CidrSet::parse(["203.0.113.0/24"]).unwrap();
        let headers = Headers::from_pairs([
            ("x-forwarded-for", "203.0.113.7"),
            ("x-real-ip", "203.0.113.7"),
        ]);
        // The only way to an address takes Envoy's property; there is none that takes a header list.
        let client = client_address(b"198.51.100.9:0").unwrap();
        assert!(!office.contains(client));
        let spoofed = client_address(headers.first(b"x-forwarded-for").unwrap()).unwrap();
        assert!(
            office.contains(spoofed),
            "the header would have been believed, so the case is a real one"
        );
    }

    #[test]
    fn sets_hold_networks_not_text_prefixes() {
        let set = CidrSet::parse([
            "10.0.0.0/8",
            "10.20.0.0/16",
            "192.0.2.7",
            "198.51.100.77/24",
            "2001:db8::/32",
            "::ffff:172.16.0.0/108",
        ])
        .unwrap();
        let cases = [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("9.255.255.255", false),
            ("192.0.2.7", true),
            ("192.0.2.77", false),
            ("198.51.100.1", true),
            ("::ffff:10.1.1.1", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::a00:1", false),
        ];
        for (address, expected) in cases {
            assert_eq!(
                set.contains(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
        assert!(
            CidrSet::parse(["0.0.0.0/0"])
                .unwrap()
                .contains("255.255.255.255".parse().unwrap())
        );
        assert!(!CidrSet::default().contains("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn refusals_name_the_text() {
        for text in [
            "10.0.0.0/33",
            "10.",
            "10.0.0.0/",
            "office",
            "",
            "2001:db8::/129",
        ] {
            let error = CidrSet::parse([text]).unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }
}
