//! The proxy, as the cores ask it.

use backstop_ext_authz::check::Facts;
use backstop_plugin::host::{self, Buffer, HostError};
use backstop_rate_limit::{SharedData, Stored, Unavailable, Written};
use backstop_waf::Unreadable;

use crate::Request;

/// The proxy during a request.
pub(crate) struct Proxy<'a> {
    request: &'a Request,
    /// Where in the buffer the body begins that a core asks for.
    body_start: usize,
}

impl<'a> Proxy<'a> {
    pub(crate) const fn of(request: &'a Request) -> Self {
        Self::from(request, 0)
    }

    /// With a body of which the first `body_start` bytes are not shown.
    pub(crate) const fn from(request: &'a Request, body_start: usize) -> Self {
        Self {
            request,
            body_start,
        }
    }
}

impl backstop_origin_verify::Host for Proxy<'_> {
    fn source_address(&self) -> Option<Vec<u8>> {
        self.request.source_address()
    }

    fn unix_seconds(&self) -> i64 {
        i64::try_from(host::unix_nanos() / 1_000_000_000).unwrap_or(i64::MAX)
    }
}

impl backstop_waf::Host for Proxy<'_> {
    fn source_address(&self) -> Option<Vec<u8>> {
        self.request.source_address()
    }

    fn body(&self, start: usize, len: usize) -> Result<Vec<u8>, Unreadable> {
        let start = start.saturating_add(self.body_start);
        host::buffer(Buffer::RequestBody, start, len).map_err(|_| Unreadable)
    }
}

impl backstop_rate_limit::Host for Proxy<'_> {
    fn source_address(&self) -> Option<Vec<u8>> {
        self.request.source_address()
    }

    fn clock_nanos(&self) -> u64 {
        clock_nanos()
    }

    fn listener_port(&self) -> Option<u16> {
        let port = host::property(&["destination", "port"]).ok()?;
        u16::try_from(i64::from_le_bytes(port.try_into().ok()?)).ok()
    }
}

impl SharedData for Proxy<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        Shared.get(key)
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        Shared.set(key, value, cas)
    }
}

/// The proxy's clock in nanoseconds: one that only goes forward where there is one. A proxy that has it always has it.
pub(crate) fn clock_nanos() -> u64 {
    host::monotonic_nanos().unwrap_or_else(host::unix_nanos)
}

/// The proxy during a request that asks a service, or after it: a request that is gone has no address.
pub(crate) struct Asking<'a> {
    request: Option<&'a Request>,
}

impl<'a> Asking<'a> {
    pub(crate) const fn of(request: &'a Request) -> Self {
        Self {
            request: Some(request),
        }
    }

    /// The request is gone.
    pub(crate) const fn nobody() -> Self {
        Self { request: None }
    }
}

impl SharedData for Asking<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        Shared.get(key)
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        Shared.set(key, value, cas)
    }
}

impl backstop_ext_authz::Host for Asking<'_> {
    fn source_address(&self) -> Option<Vec<u8>> {
        self.request?.source_address()
    }

    fn facts(&self) -> Facts {
        let property = |path: &[&str]| host::property(path).ok();
        Facts {
            source: self.source_address(),
            destination: property(&["destination", "address"]),
            source_principal: property(&["connection", "uri_san_peer_certificate"]),
            destination_principal: property(&["connection", "uri_san_local_certificate"]),
            protocol: property(&["request", "protocol"]),
            unix_nanos: host::unix_nanos(),
        }
    }

    fn clock_nanos(&self) -> u64 {
        clock_nanos()
    }
}

/// What all workers of the proxy share.
pub(crate) struct Shared;

impl SharedData for Shared {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        match host::shared_data(key) {
            Ok((value, cas)) => Ok(Some(Stored { value, cas })),
            Err(HostError::NotFound) => Ok(None),
            Err(_) => Err(Unavailable),
        }
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        match host::set_shared_data(key, value, cas) {
            Ok(()) => Ok(Written::Done),
            Err(HostError::CasMismatch) => Ok(Written::Conflict),
            Err(_) => Err(Unavailable),
        }
    }
}
