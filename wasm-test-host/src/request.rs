//! Requests and the upstream's responses, as a test writes them.

use std::time::Duration;

use crate::connection_manager;
use crate::headers::HeaderMap;

/// How the end of a body is announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndOfStream {
    /// By an empty piece of its own behind the last bytes: Envoy 1.37 does this for every HTTP/1 body, also one with
    /// a content-length (verified).
    #[default]
    Separately,
    /// With the last bytes, as HTTP/2 can.
    WithLastChunk,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) path: Vec<u8>,
    pub(crate) host: Vec<u8>,
    pub(crate) scheme: String,
    pub(crate) protocol: String,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) chunks: Vec<usize>,
    pub(crate) end: EndOfStream,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) client: Option<String>,
    pub(crate) content_length: bool,
}

impl Request {
    /// A request with this method and path, host `shop.example`, over HTTP/1.1 in clear.
    pub fn new(method: impl Into<String>, path: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.into(),
            path: path.as_ref().to_vec(),
            host: b"shop.example".to_vec(),
            scheme: "http".to_owned(),
            protocol: "HTTP/1.1".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            chunks: Vec::new(),
            end: EndOfStream::default(),
            trailers: None,
            client: None,
            content_length: true,
        }
    }

    /// `GET path`
    pub fn get(path: impl AsRef<[u8]>) -> Self {
        Self::new("GET", path)
    }

    /// `POST path`
    pub fn post(path: impl AsRef<[u8]>) -> Self {
        Self::new("POST", path)
    }

    /// `:authority`
    #[must_use]
    pub fn host(mut self, host: impl AsRef<[u8]>) -> Self {
        self.host = host.as_ref().to_vec();
        self
    }

    /// `:scheme`; `https` also marks the connection as TLS.
    #[must_use]
    pub fn scheme(mut self, scheme: impl Into<String>) -> Self {
        self.scheme = scheme.into();
        self
    }

    /// What the property `request.protocol` says: `HTTP/1.0`, `HTTP/1.1`, `HTTP/2`, `HTTP/3`.
    #[must_use]
    pub fn protocol(mut self, protocol: impl Into<String>) -> Self {
        self.protocol = protocol.into();
        self
    }

    /// One more header. Duplicates, order and any bytes are kept.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// The body. `content-length` is added unless there is one, or `transfer-encoding`, or trailers, or
    /// [`Request::without_content_length`].
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Adds no `content-length`: as HTTP/2 and chunked bodies may come.
    #[must_use]
    pub fn without_content_length(mut self) -> Self {
        self.content_length = false;
        self
    }

    /// Sizes of the pieces in which the body arrives; what is left over arrives as one more.
    #[must_use]
    pub fn chunks(mut self, sizes: impl Into<Vec<usize>>) -> Self {
        self.chunks = sizes.into();
        self
    }

    /// How the end of the body is announced.
    #[must_use]
    pub fn end_of_stream(mut self, end: EndOfStream) -> Self {
        self.end = end;
        self
    }

    /// One more trailer. With trailers no body piece says that it is the last (Envoy 1.37, verified).
    #[must_use]
    pub fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.trailers
            .get_or_insert_default()
            .add(name.as_ref(), value.as_ref());
        self
    }

    /// `source.address`: the client's address as Envoy vouches for it.
    #[must_use]
    pub fn client(mut self, address: impl Into<String>) -> Self {
        self.client = Some(address.into());
        self
    }

    /// The header map as the first filter sees it.
    pub fn header_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.add(b":authority", &self.host);
        map.add(b":path", &self.path);
        map.add(b":method", self.method.as_bytes());
        map.add(b":scheme", self.scheme.as_bytes());
        for (name, value) in &self.headers {
            map.add(name, value);
        }
        let length_known = map.contains("content-length") || map.contains("transfer-encoding");
        if self.content_length && !self.body.is_empty() && self.trailers.is_none() && !length_known
        {
            map.add(b"content-length", self.body.len().to_string().as_bytes());
        }
        connection_manager::sanitize(&mut map);
        map
    }

    pub(crate) fn pieces(&self) -> Vec<&[u8]> {
        pieces(&self.body, &self.chunks, self.end, self.trailers.is_some())
    }
}

/// The upstream's answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) chunks: Vec<usize>,
    pub(crate) end: EndOfStream,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) after: Duration,
}

impl Response {
    /// An answer with this status, no body.
    pub fn status(status: u16) -> Self {
        let mut headers = HeaderMap::new();
        headers.add(b":status", status.to_string().as_bytes());
        Self {
            headers,
            body: Vec::new(),
            chunks: Vec::new(),
            end: EndOfStream::default(),
            trailers: None,
            after: Duration::ZERO,
        }
    }

    /// 200 with the body `upstream`: what an upstream answers unless told otherwise.
    pub fn ok() -> Self {
        Self::status(200)
            .header("content-type", "text/plain")
            .body("upstream")
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name.as_ref(), value.as_ref());
        self
    }

    /// The body.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sizes of the pieces in which the body arrives; what is left over arrives as one more.
    #[must_use]
    pub fn chunks(mut self, sizes: impl Into<Vec<usize>>) -> Self {
        self.chunks = sizes.into();
        self
    }

    /// How the end of the body is announced.
    #[must_use]
    pub fn end_of_stream(mut self, end: EndOfStream) -> Self {
        self.end = end;
        self
    }

    /// One more trailer.
    #[must_use]
    pub fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.trailers
            .get_or_insert_default()
            .add(name.as_ref(), value.as_ref());
        self
    }

    /// The same, after this much virtual time.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    pub(crate) fn pieces(&self) -> Vec<Vec<u8>> {
        let pieces = pieces(&self.body, &self.chunks, self.end, self.trailers.is_some());
        pieces.into_iter().map(<[u8]>::to_vec).collect()
    }
}

fn pieces<'a>(body: &'a [u8], sizes: &[usize], end: EndOfStream, trailers: bool) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = body;
    for size in sizes {
        let (piece, behind) = rest.split_at(rest.len().min(*size));
        if !piece.is_empty() {
            pieces.push(piece);
        }
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    if end == EndOfStream::Separately && !pieces.is_empty() && !trailers {
        pieces.push(&[]);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_as_planned() {
        let request = Request::post("/").body("abcdefgh").chunks([3, 2]);
        assert_eq!(request.pieces(), [b"abc".as_slice(), b"de", b"fgh", b""]);
        let request = request.end_of_stream(EndOfStream::WithLastChunk);
        assert_eq!(request.pieces(), [b"abc".as_slice(), b"de", b"fgh"]);
        assert_eq!(
            request.trailer("a", "b").pieces().len(),
            3,
            "with trailers no piece is the end"
        );
    }

    #[test]
    fn content_length_is_added_when_a_client_would() {
        let length = |request: Request| request.header_map().text("content-length");
        assert_eq!(length(Request::post("/").body("abc")), Some("3".into()));
        assert_eq!(
            length(Request::post("/").body("abc").header("content-length", "9")),
            Some("9".into())
        );
        assert_eq!(
            length(
                Request::post("/")
                    .body("abc")
                    .header("transfer-encoding", "chunked")
            ),
            None
        );
        assert_eq!(
            length(Request::post("/").body("abc").without_content_length()),
            None
        );
        assert_eq!(length(Request::get("/")), None);
    }
}
