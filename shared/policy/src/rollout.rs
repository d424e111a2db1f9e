//! Who a verdict is enforced for while a filter is being rolled out.

use std::net::IpAddr;

use crate::Whole;

/// A share of the clients, in percent, that refusals are enforced for; for all others they are only reported.
///
/// A client is in or out by a hash of its address (IPv6: of its /64), which is the same in every worker, filter, gateway
/// and restart: who is refused once is refused again, and who is in at 5 is in at 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollout {
    percent: u32,
}

impl Rollout {
    /// The roll-out that `enforcePercent` says.
    pub const fn of(percent: Whole<0, 100>) -> Self {
        Self { percent: percent.0 }
    }

    /// Whether it takes the client's address to know.
    pub const fn asks(self) -> bool {
        self.percent > 0 && self.percent < 100
    }

    /// Whether refusals are enforced for this client. One whose address is not known is among the last.
    pub fn enforces(self, client: Option<IpAddr>) -> bool {
        match client {
            _ if self.percent >= 100 => true,
            Some(client) => place(client) < self.percent,
            None => false,
        }
    }
}

/// Where a client stands, from 0 to 99.
fn place(client: IpAddr) -> u32 {
    let bits = match client {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        // Who has a /64 can choose the rest of the address.
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
    };
    // The finaliser of MurmurHash3: every bit of the address changes every bit of the hash. Nobody gains by an address
    // that stays out: it is found out as before, and is in when the roll-out is done.
    let mut hash = bits;
    for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    // The upper half of a 32 by 32 bit product: even over 100 places, and less than that.
    (((hash >> 32) * 100) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enforces(percent: u32, client: &str) -> bool {
        Rollout::of(Whole(percent)).enforces(client.parse().ok())
    }

    #[test]
    fn nobody_at_0_all_at_100() {
        for client in ["203.0.113.7", "2001:db8::1", "not known"] {
            assert!(!enforces(0, client), "{client}");
            assert!(enforces(100, client), "{client}");
        }
        assert!(!enforces(99, "not known"));
        let asks = [0, 1, 99, 100].map(|percent| Rollout::of(Whole(percent)).asks());
        assert_eq!(asks, [false, true, true, false]);
    }

    #[test]
    fn who_is_in_stays_in_and_the_share_is_right() {
        for percent in [1, 5, 25, 50, 90] {
            let mut inside = 0;
            for host in 0..20_000_u32 {
                let [_, b, c, d] = host.to_be_bytes();
                let client = format!("198.{b}.{c}.{d}");
                let is_in = enforces(percent, &client);
                inside += u32::from(is_in);
                assert!(!is_in || enforces(percent + 5, &client), "{client}");
            }
            let expected = percent * 200;
            assert!(
                inside.abs_diff(expected) < expected / 10 + 40,
                "{inside} at {percent} %"
            );
        }
    }

    /// The same in every build: a change would turn some clients' refusals on and others' off in mid-rollout.
    #[test]
    fn places_are_for_ever() {
        let places = ["203.0.113.7", "198.51.100.1", "10.0.0.1", "2001:db8::1"]
            .map(|client| place(client.parse().unwrap()));
        assert_eq!(places, [59, 23, 45, 16]);
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let place = |client: &str| place(client.parse().unwrap());
        assert_eq!(place("2001:db8:0:7::1"), place("2001:db8:0:7:ffff::9"));
        let places: Vec<u32> = (0..50)
            .map(|net| place(&format!("2001:db8:0:{net}::1")))
            .collect();
        assert!(places.iter().any(|other| *other != places[0]));
    }
}
