//! Header lists and property paths as the ABI writes them.

/// A header map: count, sizes, then names and values, each with a NUL behind it (integers little-endian, 32 bits).
pub(crate) fn header_map(pairs: &[(&str, &str)]) -> Vec<u8> {
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
    let size: usize = pairs
        .iter()
        .map(|(name, value)| 10 + name.len() + value.len())
        .sum();
    let mut out = Vec::with_capacity(4 + size);
    out.extend_from_slice(&u32::try_from(pairs.len()).unwrap_or(u32::MAX).to_le_bytes());
    for (name, value) in pairs {
        out.extend_from_slice(&length(name));
        out.extend_from_slice(&length(value));
    }
    for (name, value) in pairs {
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        out.extend_from_slice(value.as_bytes());
        out.push(0);
    }
    out
}

/// A property path: segments with a NUL between them.
pub(crate) fn property_path(segments: &[&str]) -> String {
    segments.join("\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_map_has_counts_sizes_and_terminated_texts() {
        assert_eq!(header_map(&[]), [0, 0, 0, 0]);
        assert_eq!(
            header_map(&[("a", "bc"), ("d", "")]),
            [
                &[2, 0, 0, 0][..],
                &[1, 0, 0, 0, 2, 0, 0, 0],
                &[1, 0, 0, 0, 0, 0, 0, 0],
                b"a\0bc\0d\0\0",
            ]
            .concat()
        );
    }

    #[test]
    fn a_property_path_is_joined_by_nul() {
        assert_eq!(property_path(&["source", "address"]), "source\0address");
    }
}
