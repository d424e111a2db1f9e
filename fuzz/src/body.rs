//! Body readers: any bytes under any content type.

use std::io::Write;
use std::ops::ControlFlow;

use backstop_body::{Content, DecompressLimits, MAX_NAME, Walker, decompress, unfold};
use backstop_http::{Coding, ContentType, Kind, Place};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::cost;

/// Types that call for a conversion, or for one reader of what is converted.
pub const CHARSETS: &[&str] = &[
    "text/plain",
    "text/plain; charset=utf-16",
    "text/plain; charset=utf-16le",
    "text/plain; charset=utf-32",
    "text/plain; charset=utf-32le",
    "text/plain; charset=utf-7",
    "text/plain; charset=ibm037",
    "text/plain; charset=euc-kr",
    "text/plain; charset=nonsense",
    "application/json; charset=utf-7",
    "application/x-www-form-urlencoded; charset=ibm037",
    "text/xml; charset=utf-16be",
    "application/octet-stream",
];

/// Types of every format, and of none.
pub const FORMATS: &[&str] = &[
    "",
    "application/x-www-form-urlencoded",
    "application/json",
    "application/problem+json",
    "application/graphql",
    "text/plain",
    "application/octet-stream",
    "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=\"a b\"",
    "multipart/form-data",
    "multipart/mixed; boundary=b; boundary=c",
    "text/xml",
    "application/soap+xml",
    "image/svg+xml",
];

/// Converted, then read; and what is compressed comes out as it went in.
pub fn charset_compression(data: &[u8]) {
    let Some((selector, body)) = data.split_first() else {
        return;
    };
    walk(CHARSETS, *selector, body);
    for codings in [
        &[Coding::Gzip][..],
        &[Coding::Deflate],
        &[Coding::Brotli],
        &[Coding::Gzip, Coding::Brotli],
    ] {
        let limits = DecompressLimits {
            max_output: 64 * 1024,
            max_ratio: 64,
        };
        let undone = decompress(codings.iter().copied(), body, limits);
        let decoded = undone.unwrap_or_else(|error| error.decoded);
        assert!(decoded.len() <= limits.max_output, "{codings:?}");
        assert!(
            decoded.len() <= (64 * 1024).max(body.len() * 1100 * codings.len()),
            "{codings:?}"
        );
    }
    roundtrip(body);
}

fn roundtrip(body: &[u8]) {
    let level = Compression::fast();
    let mut gzip = GzEncoder::new(Vec::new(), level);
    let mut zlib = ZlibEncoder::new(Vec::new(), level);
    let mut raw = DeflateEncoder::new(Vec::new(), level);
    for encoder in [&mut gzip as &mut dyn Write, &mut zlib, &mut raw] {
        encoder.write_all(body).expect("a vector takes everything");
    }
    for (coding, coded) in [
        (Coding::Gzip, gzip.finish()),
        (Coding::Deflate, zlib.finish()),
        (Coding::Deflate, raw.finish()),
    ] {
        let coded = coded.expect("a vector takes everything");
        let limits = DecompressLimits {
            max_output: body.len() + 1,
            max_ratio: usize::MAX,
        };
        assert_eq!(
            decompress([coding], &coded, limits).as_deref(),
            Ok(body),
            "{coding:?}"
        );
    }
}

/// Forms, JSON, GraphQL, multipart, XML, text; and the same bytes as a value that may be a document.
pub fn body(data: &[u8]) {
    if let Some((selector, body)) = data.split_first() {
        walk(FORMATS, *selector, body);
        let kinds = [
            Kind::Query,
            Kind::Cookie,
            Kind::Form,
            Kind::Json,
            Kind::Multipart,
        ];
        let names: [&[u8]; 2] = [b"query", b"a"];
        let selector = usize::from(*selector);
        nested(
            Place::new(kinds[selector % 5], names[selector / 5 % 2]),
            body,
        );
    }
}

/// What a value holds is bounded by the value, times the levels that are read.
fn nested(place: Place<'_>, value: &[u8]) {
    let (mut bytes, mut values, mut longest) = (0, 0, 0);
    unfold(place, value, &mut |place, inner| {
        bytes += inner.len();
        values += 1;
        longest = longest.max(place.name.len());
    });
    assert!(
        bytes <= 24 * value.len(),
        "{bytes} bytes of {}",
        value.len()
    );
    assert!(
        values <= 8 + 4 * value.len(),
        "{values} values of {}",
        value.len()
    );
    assert!(
        longest <= MAX_NAME || longest <= place.name.len(),
        "a name of {longest}"
    );
    cost::check(value, |long| {
        unfold(place, long, &mut |_, _| {});
    });
}

type Visits = Vec<(Kind, Vec<u8>, Vec<u8>)>;

/// What is visited is bounded by the body, the same each time, and the same up to where a visitor breaks off.
fn walk(types: &[&str], selector: u8, body: &[u8]) {
    let selector = usize::from(selector);
    let content = Content {
        content_type: ContentType::parse(types[selector % types.len()].as_bytes()),
        complete: (selector / types.len()).is_multiple_of(2),
    };
    let mut walker = Walker::default();
    let mut visits = Visits::new();
    let report = walker.walk(&content, body, &mut |place, value| {
        visits.push((place.kind, place.name.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    });
    assert_eq!(report.values, visits.len());
    assert!(visits.iter().all(|(_, _, value)| !value.is_empty()));
    let bytes: usize = visits.iter().map(|(_, _, value)| value.len()).sum();
    assert!(bytes <= 24 * body.len(), "{bytes} bytes of {}", body.len());
    assert!(
        visits.len() <= 8 + 4 * body.len(),
        "{} values of {} bytes",
        visits.len(),
        body.len()
    );
    let longest = visits.iter().map(|(_, name, _)| name.len()).max();
    assert!(longest.unwrap_or_default() <= MAX_NAME);

    let mut rest = visits.len() / 2;
    let mut again = visits.iter();
    walker.walk(&content, body, &mut |place, value| {
        let (kind, name, first) = again.next().expect("no more values than the first time");
        assert_eq!(
            (*kind, &name[..], &first[..]),
            (place.kind, place.name, value)
        );
        match rest.checked_sub(1) {
            Some(left) => {
                rest = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    });
    cost::check(body, |long| {
        walker.walk(&content, long, &mut |_, _| ControlFlow::Continue(()));
    });
}
