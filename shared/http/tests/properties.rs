//! What holds for every header list, path, cookie header and media type.

use backstop_http::cookies::Cookies;
use backstop_http::media_type::Parameters;
use backstop_http::{
    CidrSet, ContentType, Exchange, Headers, HostPattern, NormalizedPath, PathPattern, Target,
    client_address,
};
use proptest::prelude::*;

/// Bytes as Envoy hands a header map over.
fn serialised(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut raw = (pairs.len() as u32).to_le_bytes().to_vec();
    for (name, value) in pairs {
        raw.extend((name.len() as u32).to_le_bytes());
        raw.extend((value.len() as u32).to_le_bytes());
    }
    for (name, value) in pairs {
        raw.extend_from_slice(name);
        raw.push(0);
        raw.extend_from_slice(value);
        raw.push(0);
    }
    raw
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..max)
}

/// What normalisation is about.
const PATH_PIECES: &[&str] = &[
    "/", "a", ".", "..", "//", "\\", ";", ";x=1", "%2e", "%2f", "%5c", "%25", "%252e", "%3b",
    "%00", "%", "%c0%af", "?", "#", "%41", "bc", "...", " ", "\x7f", "~",
];

fn path() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(PATH_PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => bytes(4),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| [&b"/"[..], &pieces.concat()].concat())
}

proptest! {
    #[test]
    fn a_header_list_survives_serialisation(pairs in prop::collection::vec((bytes(12), bytes(24)), 0..12)) {
        let headers = Headers::parse(serialised(&pairs)).unwrap();
        let expected: Vec<_> = pairs.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        let seen: Vec<_> = headers.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        prop_assert_eq!(&seen, &expected);
        let native = Headers::from_pairs(pairs);
        prop_assert!(native.iter().eq(headers.iter()));
    }

    #[test]
    fn any_bytes_are_a_list_or_an_error(mut raw in prop::collection::vec(any::<u8>(), 4..80), count in 0_u8..6) {
        let _ = Headers::parse(raw.clone());
        // With a plausible count and short lengths the names and values are reached.
        for (at, byte) in raw.iter_mut().take(4 + usize::from(count) * 8).enumerate() {
            *byte = match at {
                0 => count,
                at if at % 4 == 0 => *byte & 7,
                _ => 0,
            };
        }
        if let Ok(headers) = Headers::parse(raw) {
            prop_assert_eq!(headers.len(), usize::from(count));
        }
    }

    #[test]
    fn a_normalised_path_has_one_spelling(target in path()) {
        let path = NormalizedPath::new(&target);
        let bytes = path.as_bytes();
        prop_assert_eq!(bytes.first(), Some(&b'/'));
        prop_assert!(bytes == b"/" || bytes.last() != Some(&b'/'));
        prop_assert!(!bytes.contains(&b'\\') && !bytes.contains(&b';'));
        if bytes != b"/" {
            for segment in bytes[1..].split(|byte| *byte == b'/') {
                prop_assert!(!matches!(segment, b"" | b"." | b".."));
            }
        }
        // What is not ambiguous stays what it is when normalised once more.
        if !path.is_ambiguous() {
            let again = NormalizedPath::new(bytes);
            prop_assert_eq!(again.as_bytes(), bytes);
        }
    }

    #[test]
    fn a_query_never_changes_a_path(target in path(), query in bytes(20)) {
        let path = Target::parse(&target).path;
        let with_query = [path, b"?", &query].concat();
        prop_assert_eq!(NormalizedPath::new(&with_query), NormalizedPath::new(path));
    }

    #[test]
    fn what_exempts_also_covers(target in path(), pattern in "/[a-z.{}]{0,5}(/[a-z.{}]{0,5}){0,2}") {
        let path = NormalizedPath::new(&target);
        for pattern in [PathPattern::exact(&pattern), PathPattern::prefix(&pattern), PathPattern::template(&pattern)] {
            let Ok(pattern) = pattern else { continue };
            prop_assert!(!pattern.exempts(&path) || (pattern.covers(&path) && !path.is_ambiguous()));
        }
    }

    #[test]
    fn no_byte_of_a_query_is_lost_or_given_twice(query in "[a-c=&;%+#?]{0,30}") {
        let seen: usize = Target::parse(format!("/?{query}").as_bytes())
            .params()
            .map(|param| param.name.len() + param.value.map_or(0, |value| value.len() + 1))
            .sum();
        prop_assert_eq!(seen, query.bytes().filter(|byte| *byte != b'&').count());
    }

    /// A quoted value over separators is given whole and in pieces, nothing more often than that.
    #[test]
    fn cookies_are_linear_in_the_header(header in "[ab=;\"\\\\ ]{0,200}") {
        let seen: usize = Cookies::new(header.as_bytes()).map(|cookie| cookie.name.len() + cookie.value.len()).sum();
        prop_assert!(seen <= 2 * header.len());
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in bytes(60)) {
        ContentType::parse(&bytes);
        let headers = Headers::from_pairs([":method", "content-type", "content-length", "cookie"].map(|name| (name, &bytes)));
        Exchange::of(&headers);
        headers.content_length();
        Parameters::new(&bytes).count();
        Cookies::new(&bytes).count();
        client_address(&bytes);
        Target::parse(&bytes).segments().count();
        NormalizedPath::new(&bytes);
        HostPattern::parse("*.example.com").unwrap().matches(&bytes);
    }

    #[test]
    fn a_set_of_networks_is_the_union_of_its_networks(
        networks in prop::collection::vec((any::<u32>(), 0_u8..=32), 0..12),
        address in any::<u32>(),
        inside in any::<prop::sample::Index>(),
    ) {
        let texts: Vec<_> = networks.iter().map(|(bits, length)| format!("{}/{length}", std::net::Ipv4Addr::from(*bits))).collect();
        let set = CidrSet::parse(&texts).unwrap();
        let mask = |length: u8| u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
        let mut addresses = vec![address];
        if !networks.is_empty() {
            let (bits, length) = networks[inside.index(networks.len())];
            let first = bits & mask(length);
            let last = first | !mask(length);
            addresses.extend([first, last, first.wrapping_sub(1), last.wrapping_add(1)]);
        }
        for address in addresses {
            let expected = networks.iter().any(|(bits, length)| (bits ^ address) & mask(*length) == 0);
            prop_assert_eq!(set.contains(std::net::Ipv4Addr::from(address).into()), expected);
        }
    }
}
