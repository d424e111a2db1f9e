//! Pointers ↔ values, and the numbers of the ABI. Nothing here knows what a request is.

pub(crate) mod memory;
pub(crate) mod pairs;

/// What a host function answers (`proxy_wasm_common.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// No such key, property, token or entry.
    NotFound = 1,
    /// An argument that makes no sense, or a map that is not there in this phase.
    BadArgument = 2,
    /// A property whose value has no byte form.
    SerializationFailure = 3,
    /// What Envoy answers to a gRPC call-out that names an unknown cluster.
    ParseFailure = 4,
    /// Unused by Envoy.
    BadExpression = 5,
    /// A guest pointer outside the guest's memory.
    InvalidMemoryAccess = 6,
    /// A queue without entries.
    Empty = 7,
    /// Shared data changed since it was read.
    CasMismatch = 8,
    /// Unused by Envoy.
    ResultMismatch = 9,
    /// The host failed, for example a cluster without endpoints.
    InternalFailure = 10,
    /// A call-out that was reset; read by `proxy_get_status`.
    BrokenConnection = 11,
    /// A function that Envoy names and does not have.
    Unimplemented = 12,
}

/// Which Proxy-Wasm ABI a module speaks, by its `proxy_abi_version_*` export. Envoy 1.37 knows these three
/// (proxy-wasm-cpp-host `bytecode_util.cc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AbiVersion {
    /// `proxy_abi_version_0_1_0`
    V0_1_0,
    /// `proxy_abi_version_0_2_0`
    V0_2_0,
    /// `proxy_abi_version_0_2_1`
    V0_2_1,
}

impl AbiVersion {
    pub(crate) const EXPORTS: [(&'static str, AbiVersion); 3] = [
        ("proxy_abi_version_0_1_0", AbiVersion::V0_1_0),
        ("proxy_abi_version_0_2_0", AbiVersion::V0_2_0),
        ("proxy_abi_version_0_2_1", AbiVersion::V0_2_1),
    ];
}

impl std::fmt::Display for AbiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
            Self::V0_2_1 => "0.2.1",
        })
    }
}

/// Header maps a guest can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapType {
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
    ResponseTrailers,
    GrpcInitialMetadata,
    GrpcTrailingMetadata,
    HttpCallHeaders,
    HttpCallTrailers,
}

impl MapType {
    pub(crate) fn from_abi(value: u32) -> Option<Self> {
        Some(match value {
            0 => Self::RequestHeaders,
            1 => Self::RequestTrailers,
            2 => Self::ResponseHeaders,
            3 => Self::ResponseTrailers,
            4 => Self::GrpcInitialMetadata,
            5 => Self::GrpcTrailingMetadata,
            6 => Self::HttpCallHeaders,
            7 => Self::HttpCallTrailers,
            _ => return None,
        })
    }
}

/// Byte buffers a guest can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BufferType {
    HttpRequestBody,
    HttpResponseBody,
    DownstreamData,
    UpstreamData,
    HttpCallResponseBody,
    GrpcReceiveBuffer,
    VmConfiguration,
    PluginConfiguration,
    CallData,
}

impl BufferType {
    pub(crate) fn from_abi(value: u32) -> Option<Self> {
        Some(match value {
            0 => Self::HttpRequestBody,
            1 => Self::HttpResponseBody,
            2 => Self::DownstreamData,
            3 => Self::UpstreamData,
            4 => Self::HttpCallResponseBody,
            5 => Self::GrpcReceiveBuffer,
            6 => Self::VmConfiguration,
            7 => Self::PluginConfiguration,
            8 => Self::CallData,
            _ => return None,
        })
    }
}
