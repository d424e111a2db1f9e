//! The byte form of header lists: a count, pairs of lengths, then each string with a NUL behind it, all
//! little-endian (proxy-wasm-cpp-host `pairs_util.cc`).

use crate::headers::Header;

/// `PROXY_WASM_HOST_PAIRS_MAX_COUNT` in proxy-wasm-cpp-host `limits.h`.
const MAX_COUNT: usize = 1024;
/// `PROXY_WASM_HOST_PAIRS_MAX_BYTES` in proxy-wasm-cpp-host `limits.h`.
const MAX_BYTES: usize = 1024 * 1024;

/// Writes the pairs behind what `out` already holds.
pub(crate) fn write<'a>(
    pairs: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(&(pairs.len() as u32).to_le_bytes());
    for (name, value) in pairs.clone() {
        out.extend_from_slice(&(name.len() as u32).to_le_bytes());
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    }
    for (name, value) in pairs {
        out.extend_from_slice(name);
        out.push(0);
        out.extend_from_slice(value);
        out.push(0);
    }
}

/// Reads pairs. Anything malformed reads as an empty list, as Envoy's host does it: too many pairs, a length
/// past the end, a missing NUL, bytes left over.
pub(crate) fn read(bytes: &[u8]) -> Vec<Header> {
    if bytes.len() > MAX_BYTES {
        return Vec::new();
    }
    try_read(bytes).unwrap_or_default()
}

fn try_read(bytes: &[u8]) -> Option<Vec<Header>> {
    let (count, mut sizes) = word(bytes)?;
    if count > MAX_COUNT {
        return None;
    }
    let mut strings = sizes.get(count.checked_mul(8)?..)?;
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_len, rest) = word(sizes)?;
        let (value_len, rest) = word(rest)?;
        sizes = rest;
        let name = string(&mut strings, name_len)?;
        let value = string(&mut strings, value_len)?;
        pairs.push((name, value));
    }
    strings.is_empty().then_some(pairs)
}

fn word(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (head, tail) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*head) as usize, tail))
}

fn string(bytes: &mut &[u8], len: usize) -> Option<Vec<u8>> {
    let (text, rest) = bytes.split_at_checked(len)?;
    let (nul, rest) = rest.split_first()?;
    *bytes = rest;
    (*nul == 0).then(|| text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pairs: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
            .collect();
        write(pairs.iter().copied(), &mut out);
        out
    }

    #[test]
    fn what_is_written_reads_back() {
        let bytes = written(&[("a", "1"), ("bc", ""), ("", "z")]);
        assert_eq!(
            read(&bytes),
            vec![
                (b"a".to_vec(), b"1".to_vec()),
                (b"bc".to_vec(), vec![]),
                (vec![], b"z".to_vec())
            ]
        );
    }

    #[test]
    fn malformed_pairs_read_as_an_empty_list() {
        let good = written(&[("name", "value")]);
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_empty(), "cut at {cut}");
        }
        let mut longer = good.clone();
        longer.push(0);
        assert!(read(&longer).is_empty(), "bytes left over");
        let mut no_nul = good.clone();
        *no_nul.last_mut().unwrap() = b'x';
        assert!(read(&no_nul).is_empty(), "no NUL");
        assert!(
            read(&u32::MAX.to_le_bytes()).is_empty(),
            "a count without sizes"
        );
        assert!(
            read(&written(&vec![("a", "b"); 1025])).is_empty(),
            "more pairs than Envoy takes"
        );
    }
}
