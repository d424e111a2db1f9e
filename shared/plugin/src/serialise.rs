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

/// The longest text that a length of one byte says.
const MAX_PLAIN: usize = 125;

/// The target of a gRPC call: Envoy's `GrpcService` with a cluster and the authority that it is called by,
/// `{envoy_grpc: {cluster_name: 1, authority: 2}: 1}`.
///
/// A cluster's name alone would do, but Envoy then sends it as `:authority`; `outbound|8081||rls.infra` is none, and servers
/// that read it (all that are made with Rust's `http`, Limitador among them) reset the stream. The SDK wants text, which
/// lengths beyond 127 are not: the message is written in two parts, which every reader puts together, and a name that is
/// too long even so is sent alone.
pub(crate) fn grpc_service(cluster: &str, authority: &str) -> String {
    if cluster.len().max(authority.len()) > MAX_PLAIN {
        return cluster.to_owned();
    }
    let mut out = String::with_capacity(cluster.len() + authority.len() + 8);
    for (tag, text) in [('\u{a}', cluster), ('\u{12}', authority)] {
        // Both lengths are below 128.
        out.push('\u{a}');
        out.push(char::from(text.len() as u8 + 2));
        out.push(tag);
        out.push(char::from(text.len() as u8));
        out.push_str(text);
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
    fn a_grpc_service_is_written_in_parts_of_less_than_128_bytes() {
        assert_eq!(
            grpc_service("rls", "rls.infra").as_bytes(),
            b"\x0a\x05\x0a\x03rls\x0a\x0b\x12\x09rls.infra"
        );
        let long = "a".repeat(125);
        assert!(grpc_service(&long, &long).is_ascii());
        let longer = "a".repeat(126);
        assert_eq!(grpc_service(&longer, "b"), longer);
        assert_eq!(grpc_service("b", &longer), "b");
    }

    #[test]
    fn a_property_path_is_joined_by_nul() {
        assert_eq!(property_path(&["source", "address"]), "source\0address");
    }
}
