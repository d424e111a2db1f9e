//! Header and trailer lists as Envoy keeps them: bytes, in order, duplicates kept, names lower-case.
//!
//! Envoy 1.37, verified by a Lua dump of what arrived: a second occurrence of a header that Envoy knows by
//! name (its "inline" headers) is joined to the first with a comma; every other duplicate, `cookie` included,
//! stays an entry of its own; `set` removes every occurrence and appends the new one at the end.

/// One header: name and value, both as bytes.
pub type Header = (Vec<u8>, Vec<u8>);

/// Headers whose duplicates Envoy 1.37 joins with `,` on arrival (verified one by one on a real Envoy).
const INLINE: &[&str] = &[
    ":authority",
    ":method",
    ":path",
    ":protocol",
    ":scheme",
    ":status",
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "grpc-timeout",
    "if-none-match",
    "keep-alive",
    "origin",
    "pragma",
    "proxy-connection",
    "referer",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-envoy-original-path",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

/// An ordered list of headers, or of trailers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderMap {
    entries: Vec<Header>,
}

impl HeaderMap {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends as Envoy's `addCopy`: the name is lowered; a known header is joined to the one already there.
    pub fn add(&mut self, name: &[u8], value: &[u8]) {
        let name = name.to_ascii_lowercase();
        let inline = INLINE
            .binary_search_by(|known| known.as_bytes().cmp(&name))
            .is_ok();
        if inline && let Some((_, present)) = self.entries.iter_mut().find(|(n, _)| *n == name) {
            if !value.is_empty() {
                if !present.is_empty() {
                    present.push(b',');
                }
                present.extend_from_slice(value);
            }
            return;
        }
        let pseudo = name.first() == Some(&b':');
        let entry = (name, value.to_vec());
        if pseudo {
            // Envoy keeps pseudo headers in front of all others.
            let at = self
                .entries
                .iter()
                .position(|(n, _)| n.first() != Some(&b':'))
                .unwrap_or(self.entries.len());
            self.entries.insert(at, entry);
        } else {
            self.entries.push(entry);
        }
    }

    /// Replaces as Envoy's `setCopy`: every occurrence goes, the new value is appended at the end.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    /// Removes every occurrence; says how many there were.
    pub fn remove(&mut self, name: &[u8]) -> usize {
        let before = self.entries.len();
        self.entries.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        before - self.entries.len()
    }

    /// The first value of that name. The ABI's single getter sees only this one.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        let name = name.as_ref();
        self.entries
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_slice())
    }

    /// The first value as text, invalid UTF-8 replaced: for assertions.
    pub fn text(&self, name: impl AsRef<[u8]>) -> Option<String> {
        self.get(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// All values of that name, in order.
    pub fn all(&self, name: impl AsRef<[u8]>) -> Vec<&[u8]> {
        let name = name.as_ref();
        self.entries
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_slice())
            .collect()
    }

    /// All values of that name joined with commas, as the `request.headers.x` property gives them.
    pub(crate) fn joined(&self, name: &[u8]) -> Option<Vec<u8>> {
        let all = self.all(name);
        (!all.is_empty()).then(|| all.join(&b','))
    }

    /// Whether there is a header of that name.
    pub fn contains(&self, name: impl AsRef<[u8]>) -> bool {
        self.get(name).is_some()
    }

    /// The headers in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all names and values: what `proxy_get_header_map_size` answers.
    pub fn byte_size(&self) -> usize {
        self.entries
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn entries(&self) -> &[Header] {
        &self.entries
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderMap {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Self {
        let mut map = Self::new();
        for (name, value) in pairs {
            map.add(name.as_ref(), value.as_ref());
        }
        map
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const K: usize> From<[(N, V); K]> for HeaderMap {
    fn from(pairs: [(N, V); K]) -> Self {
        pairs.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_headers_are_joined_and_others_stay_apart() {
        let map = HeaderMap::from([
            ("Accept", "a"),
            ("x-dup", "1"),
            ("accept", "b"),
            ("X-Dup", "2"),
            ("cookie", "a"),
            ("cookie", "b"),
        ]);
        assert_eq!(map.all("accept"), vec![b"a,b"]);
        assert_eq!(map.all("x-dup"), vec![b"1", b"2"]);
        assert_eq!(map.all("cookie").len(), 2);
    }

    #[test]
    fn set_removes_every_occurrence_and_moves_to_the_end() {
        let mut map = HeaderMap::from([("x-dup", "1"), ("x-mid", "m"), ("x-dup", "2")]);
        map.set(b"x-dup", b"new");
        let names: Vec<_> = map.iter().map(|(n, v)| (n.to_vec(), v.to_vec())).collect();
        assert_eq!(
            names,
            vec![
                (b"x-mid".to_vec(), b"m".to_vec()),
                (b"x-dup".to_vec(), b"new".to_vec())
            ]
        );
    }

    #[test]
    fn pseudo_headers_stay_in_front() {
        let mut map = HeaderMap::from([(":path", "/"), ("a", "b")]);
        map.add(b":method", b"GET");
        assert_eq!(map.entries()[1].0, b":method");
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(INLINE.is_sorted());
    }
}
