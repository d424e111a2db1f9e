//! Content codings undone within a bound: gzip, deflate, br.

use std::fmt;
use std::io::{self, Read};

use backstop_http::Coding;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Codings undone one after the other; nobody means more than two.
const MAX_LAYERS: usize = 2;

/// Bytes decoded per step.
const STEP: usize = 16 * 1024;

/// Largest window of a brotli stream, in bits: the largest of RFC 7932, 16 MiB. The extension for larger ones would
/// let a client of a few bytes ask for 1 GiB.
const BROTLI_LARGE_WINDOW_MARK: u8 = 0x11;

/// Bounds of a decompression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecompressLimits {
    /// Bytes of output, of each layer.
    pub max_output: usize,
    /// Bytes of output per byte of input, once the output is larger than 64 KiB. Text compresses to a tenth or so,
    /// and no further than a thousandth.
    pub max_ratio: usize,
}

/// Why a body could not be decoded, and what was decoded until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecompressError {
    /// The reason.
    pub failure: Failure,
    /// What the last layer yielded before the failure, at most [`DecompressLimits::max_output`] bytes. Empty when
    /// an earlier layer failed.
    pub decoded: Vec<u8>,
}

/// Why a body could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// More output than [`DecompressLimits::max_output`].
    TooLarge,
    /// More output per input than [`DecompressLimits::max_ratio`].
    Bomb,
    /// Not of the coding that is declared, cut off, or with a wrong checksum.
    Malformed,
    /// A coding other than gzip, deflate and br, or a brotli stream with a window beyond RFC 7932.
    Unsupported,
    /// More than two codings.
    TooManyLayers,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "decoded body is too large",
            Self::Bomb => "decompression bomb",
            Self::Malformed => "malformed compressed body",
            Self::Unsupported => "unsupported content coding",
            Self::TooManyLayers => "more than two content codings",
        })
    }
}

impl fmt::Display for DecompressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl std::error::Error for DecompressError {}

/// Undoes `codings`, given in the order they were applied (that of Content-Encoding).
///
/// # Errors
/// See [`Failure`]; what was decoded until then comes with it.
pub fn decompress(
    codings: impl IntoIterator<Item = Coding>,
    body: &[u8],
    limits: DecompressLimits,
) -> Result<Vec<u8>, DecompressError> {
    let fail = |failure| DecompressError {
        failure,
        decoded: Vec::new(),
    };
    let mut layers = [None; MAX_LAYERS];
    for (count, coding) in codings.into_iter().enumerate() {
        *layers
            .get_mut(count)
            .ok_or_else(|| fail(Failure::TooManyLayers))? = Some(coding);
    }
    let mut layers = layers.into_iter().flatten().rev();
    let Some(outer) = layers.next() else {
        return Ok(body.to_vec());
    };
    let decoded = undo(outer, body, limits)?;
    match layers.next() {
        None => Ok(decoded),
        Some(inner) => undo(inner, &decoded, limits),
    }
}

fn undo(coding: Coding, body: &[u8], limits: DecompressLimits) -> Result<Vec<u8>, DecompressError> {
    let unsupported = DecompressError {
        failure: Failure::Unsupported,
        decoded: Vec::new(),
    };
    match coding {
        Coding::Gzip => read_all(MultiGzDecoder::new(body), body.len(), limits),
        Coding::Deflate if is_zlib(body) => {
            match read_all(ZlibDecoder::new(body), body.len(), limits) {
                // Raw deflate may begin like zlib by chance.
                Err(error) if error.decoded.is_empty() => {
                    read_all(DeflateDecoder::new(body), body.len(), limits)
                }
                outcome => outcome,
            }
        }
        Coding::Deflate => read_all(DeflateDecoder::new(body), body.len(), limits),
        Coding::Brotli
            if body
                .first()
                .is_some_and(|byte| byte & 0x7f == BROTLI_LARGE_WINDOW_MARK) =>
        {
            Err(unsupported)
        }
        Coding::Brotli => read_all(
            brotli_decompressor::Decompressor::new(body, STEP),
            body.len(),
            limits,
        ),
        Coding::Other => Err(unsupported),
    }
}

/// Compression method 8 and a header divisible by 31 (RFC 1950).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [cmf, flg, ..] if cmf & 0x0f == 8 && (u16::from(*cmf) << 8 | u16::from(*flg)) % 31 == 0)
}

fn read_all(
    mut reader: impl Read,
    input: usize,
    limits: DecompressLimits,
) -> Result<Vec<u8>, DecompressError> {
    const RATIO_FREE: usize = 64 * 1024;
    let bomb_at = input.saturating_mul(limits.max_ratio).max(RATIO_FREE);
    let mut decoded = Vec::new();
    let mut step = vec![0; STEP];
    let failure = loop {
        match reader.read(&mut step) {
            Ok(0) => return Ok(decoded),
            Ok(count) => {
                let room = limits.max_output - decoded.len();
                decoded.extend_from_slice(step.get(..count.min(room)).unwrap_or_default());
                if count > room {
                    break Failure::TooLarge;
                }
                if decoded.len() > bomb_at {
                    break Failure::Bomb;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break Failure::Malformed,
        }
    };
    Err(DecompressError { failure, decoded })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const LIMITS: DecompressLimits = DecompressLimits {
        max_output: 1 << 20,
        max_ratio: 100,
    };

    /// `hello hello hello' or 1=1`, as the reference brotli encoder writes it in one uncompressed meta-block.
    fn brotli_stored(text: &[u8]) -> Vec<u8> {
        // WBITS 16 (one bit 0), then ISLAST 0, MNIBBLES 4 (00), MLEN-1 in 16 bits, ISUNCOMPRESSED 1; then an empty
        // last meta-block (RFC 7932 section 9.2).
        let header = (text.len() as u32 - 1) << 4 | 1 << 20;
        let mut out = header.to_le_bytes()[..3].to_vec();
        out.extend_from_slice(text);
        out.push(3);
        out
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn failure(codings: &[Coding], body: &[u8], limits: DecompressLimits) -> (Failure, Vec<u8>) {
        let error = decompress(codings.iter().copied(), body, limits).unwrap_err();
        (error.failure, error.decoded)
    }

    #[test]
    fn every_coding_and_two_layers() {
        let text = b"hello hello hello' or 1=1";
        for (codings, body) in [
            (&[][..], text.to_vec()),
            (&[Coding::Gzip], gzip(text)),
            (&[Coding::Deflate], zlib(text)),
            (&[Coding::Deflate], raw_deflate(text)),
            (&[Coding::Brotli], brotli_stored(text)),
            (&[Coding::Deflate, Coding::Gzip], gzip(&zlib(text))),
            (&[Coding::Gzip, Coding::Gzip], gzip(&gzip(text))),
        ] {
            assert_eq!(
                decompress(codings.iter().copied(), &body, LIMITS).unwrap(),
                text,
                "{codings:?}"
            );
        }
        let members = [gzip(b"hello "), gzip(b"world")].concat();
        assert_eq!(
            decompress([Coding::Gzip], &members, LIMITS).unwrap(),
            b"hello world"
        );
    }

    #[test]
    fn too_large_leaves_the_prefix() {
        let text: Vec<u8> = (0..100_000_u32)
            .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        let limits = DecompressLimits {
            max_output: 1000,
            ..LIMITS
        };
        for (coding, body) in [
            (Coding::Gzip, gzip(&text)),
            (Coding::Deflate, raw_deflate(&text)),
        ] {
            assert_eq!(
                failure(&[coding], &body, limits),
                (Failure::TooLarge, text[..1000].to_vec())
            );
        }
        let exact = DecompressLimits {
            max_output: text.len(),
            ..LIMITS
        };
        assert_eq!(
            decompress([Coding::Gzip], &gzip(&text), exact).unwrap(),
            text
        );
    }

    #[test]
    fn bombs_are_found_by_their_ratio() {
        let bomb = gzip(&vec![b'a'; 10_000_000]);
        let limits = DecompressLimits {
            max_output: 10_000_000,
            max_ratio: 100,
        };
        let (reason, decoded) = failure(&[Coding::Gzip], &bomb, limits);
        assert_eq!(reason, Failure::Bomb);
        assert!(decoded.len() <= bomb.len() * 100 + STEP);
        // Short bodies of one repeated byte are no bombs.
        assert_eq!(
            decompress([Coding::Gzip], &gzip(&[b'a'; 60_000]), LIMITS)
                .unwrap()
                .len(),
            60_000
        );
    }

    #[test]
    fn what_cannot_be_decoded() {
        let good = gzip(b"hello hello hello");
        let (reason, decoded) = failure(&[Coding::Gzip], &good[..good.len() - 8], LIMITS);
        assert_eq!(
            (reason, decoded.as_slice()),
            (Failure::Malformed, &b"hello hello hello"[..])
        );
        assert_eq!(
            failure(&[Coding::Gzip], b"not gzip at all", LIMITS),
            (Failure::Malformed, Vec::new())
        );
        assert_eq!(
            failure(&[Coding::Brotli], b"\xff\xff\xff", LIMITS).0,
            Failure::Malformed
        );
        assert_eq!(
            failure(&[Coding::Other], b"", LIMITS).0,
            Failure::Unsupported
        );
        assert_eq!(
            failure(&[Coding::Brotli], b"\x11\x3f", LIMITS).0,
            Failure::Unsupported
        );
        assert_eq!(
            failure(&[Coding::Gzip; 3], b"", LIMITS).0,
            Failure::TooManyLayers
        );
    }
}
