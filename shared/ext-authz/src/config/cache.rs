//! Remembered verdicts.

use std::time::Duration;

use backstop_policy::{Interval, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Remembered verdicts, for all workers. A verdict is found again by the API's event type and all parts of the key; a
/// request that lacks a part, or has it more than once, is neither looked up nor remembered. An answer is kept whole, with
/// its headers and body; one of more than 234 bytes is not kept. It takes `slots * 256 + slots / 16 * 16` bytes (4096
/// slots: 1028 KiB), and about 100 bytes of the proxy's for each 16 slots.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cache {
    /// What a verdict is about, beside the event type; at least one part.
    pub key: Vec<KeyPart>,
    /// How long verdicts hold.
    #[serde(default)]
    pub ttl: CacheTtl,
    /// How many are remembered; where there is no room, the one that would be over soonest gives way.
    #[serde(default = "slots")]
    pub slots: Whole<1, 1_048_576>,
}

const fn slots() -> Whole<1, 1_048_576> {
    Whole(4096)
}

/// How long each verdict holds; `"0s"` is not at all.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CacheTtl {
    /// NONE.
    pub none: Interval,
    /// THROTTLE.
    pub throttle: Interval,
    /// CHALLENGE. Not at all by default: who has passed the challenge must not meet it again.
    pub challenge: Interval,
    /// BLOCK.
    pub block: Interval,
}

impl Default for CacheTtl {
    fn default() -> Self {
        let seconds = |seconds| Interval(Duration::from_secs(seconds));
        Self {
            none: seconds(5),
            throttle: seconds(5),
            challenge: seconds(0),
            block: seconds(30),
        }
    }
}

/// One part of a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyPart {
    /// The client's address, as Envoy vouches for it.
    ClientAddress(ClientAddress),
    /// A request header's value.
    Header(Header),
    /// A cookie's value.
    Cookie(Cookie),
    /// The normalised path: a verdict for each value of its variables.
    Path(WholePath),
}

/// The client's address, whole.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClientAddress {}

/// The normalised path, whole.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WholePath {}

/// A request header's value.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// Its name; case does not matter.
    pub name: String,
}

/// A cookie's value.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cookie {
    /// Its name.
    pub name: String,
}
