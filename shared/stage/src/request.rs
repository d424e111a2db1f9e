//! The request as the stages see it: read from the proxy once.

use std::cell::OnceCell;
use std::rc::Rc;

use backstop_http::Headers;
use backstop_plugin::host::{self, HostError, call};

/// A request in its headers phase and after it.
#[derive(Debug)]
pub struct Request {
    headers: Result<Rc<Headers>, String>,
    /// Whether there is neither a body nor trailers.
    pub end_of_stream: bool,
    /// The id of its context, by which it can be woken.
    pub context_id: u32,
    /// Asked for at most once.
    source: OnceCell<Option<Vec<u8>>>,
}

impl Request {
    /// Reads the headers from the proxy. Headers phase only.
    pub(crate) fn read(context_id: u32, end_of_stream: bool) -> Self {
        let headers = host::request_headers()
            .map_err(|error| error.to_string())
            .and_then(|raw| Headers::parse(raw).map_err(|error| error.to_string()));
        Self {
            context_id,
            ..Self::new(headers, end_of_stream)
        }
    }

    /// A request with these headers, or why there are none.
    pub(crate) fn new(headers: Result<Headers, String>, end_of_stream: bool) -> Self {
        Self {
            headers: headers.map(Rc::new),
            end_of_stream,
            context_id: 0,
            source: OnceCell::new(),
        }
    }

    /// The whole header list, as it goes on; or in one line why the proxy did not hand it out.
    ///
    /// # Errors
    /// When the proxy did not hand it out, or not in the shape that the ABI says.
    pub fn headers(&self) -> Result<&Rc<Headers>, &str> {
        self.headers.as_ref().map_err(String::as_str)
    }

    /// Takes every field called `name` (lower case) off the request: the proxy's, and what later stages see. Headers phase
    /// only.
    ///
    /// # Errors
    /// When the proxy refuses; the field is then still there.
    pub fn remove_header(&mut self, name: &str) -> Result<(), HostError> {
        host::remove_request_header(name)?;
        if let Ok(headers) = &mut self.headers {
            Rc::make_mut(headers).remove(name.as_bytes());
        }
        Ok(())
    }

    /// Adds a field to the request: the proxy's, and what later stages see. Headers phase only.
    ///
    /// # Errors
    /// When the proxy refuses.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<(), HostError> {
        host::add_request_header(name, value)?;
        if let Ok(headers) = &mut self.headers {
            Rc::make_mut(headers).push(name.as_bytes(), value.as_bytes());
        }
        Ok(())
    }

    /// Gives the request another path with its query: the proxy's, and what later stages see. Headers phase only.
    ///
    /// # Errors
    /// When the proxy refuses.
    pub fn replace_path(&mut self, path: &[u8]) -> Result<(), HostError> {
        call::replace_request_path(path)?;
        if let Ok(headers) = &mut self.headers {
            let headers = Rc::make_mut(headers);
            headers.remove(b":path");
            headers.push(b":path", path);
        }
        Ok(())
    }

    /// The client's address as the proxy vouches for it (Envoy's `source.address`, `8.8.8.8:0`).
    pub fn source_address(&self) -> Option<Vec<u8>> {
        self.source
            .get_or_init(|| host::property(&["source", "address"]).ok())
            .clone()
    }
}
