//! What a limit counts by.

use backstop_policy::Whole;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One part of a limit's key. A part whose value is there more than once (a repeated header, two cookies of one name) or
/// cannot be read has one bucket for all such requests: whoever repeats it does not get a bucket for each spelling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyPart {
    /// The client's address.
    ClientAddress(ClientAddress),
    /// A request header's value.
    Header(Header),
    /// A cookie's value.
    Cookie(Cookie),
    /// A claim of a JSON Web Token. **The token is not verified here**: anybody can write any claim. Use it behind a filter
    /// that verified the token (Istio's RequestAuthentication), or beside a limit by address.
    JwtClaim(JwtClaim),
    /// What a variable of the limit's path template stands for.
    PathVariable(PathVariable),
}

/// The client's address as Envoy vouches for it (`source.address`), never a header. A network is one client, since who has
/// one address of it often has all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClientAddress {
    /// How many bits of an IPv4 address count (default 32).
    pub ipv4_prefix_length: Whole<0, 32>,
    /// How many bits of an IPv6 address count (default 64: a household, or a host that takes what it likes).
    pub ipv6_prefix_length: Whole<0, 128>,
}

impl Default for ClientAddress {
    fn default() -> Self {
        Self {
            ipv4_prefix_length: Whole(32),
            ipv6_prefix_length: Whole(64),
        }
    }
}

/// A request header's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// Its name; case does not matter.
    pub name: String,
    /// What happens without it.
    #[serde(default)]
    pub if_absent: IfAbsent,
}

/// A cookie's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// What happens without it.
    #[serde(default)]
    pub if_absent: IfAbsent,
}

/// A claim of a JSON Web Token, read without verifying the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JwtClaim {
    /// The claim: a member of the payload (`sub`).
    pub claim: String,
    /// The header with the token, after `Bearer ` or alone.
    #[serde(default = "authorization")]
    pub header: String,
    /// What happens without a token, or with one that does not have the claim.
    #[serde(default)]
    pub if_absent: IfAbsent,
}

fn authorization() -> String {
    "authorization".to_owned()
}

/// What a variable of the limit's path template stands for: `{id}` of `/matches/{id}/enter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PathVariable {
    /// Its name, without braces and type.
    pub name: String,
}

/// What happens to a request that does not have a part of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IfAbsent {
    /// All requests without it share a bucket.
    #[default]
    Share,
    /// The limit does not apply to it. Then whoever leaves the part out is not limited by this limit: have another one that
    /// applies, such as one by address.
    Skip,
}
