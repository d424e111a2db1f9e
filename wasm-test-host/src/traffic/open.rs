//! Opens a traffic file: standard input or a path, gzipped or not, and tells its format by its content.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// How much of a file is looked at to tell its format.
const SNIFF: usize = 64 * 1024;

/// A traffic file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// `-` is standard input, anything else a path.
    pub fn from_arg(arg: &str) -> Self {
        if arg == "-" {
            Input::Stdin
        } else {
            Input::File(PathBuf::from(arg))
        }
    }

    /// The name that reports give it.
    pub fn name(&self) -> Arc<str> {
        match self {
            Input::Stdin => Arc::from("-"),
            Input::File(path) => Arc::from(path.to_string_lossy().as_ref()),
        }
    }

    /// Why the input cannot be opened, if it is already plain that it cannot.
    pub fn missing(&self) -> Option<OpenError> {
        match self {
            Input::Stdin => None,
            Input::File(path) => std::fs::metadata(path).err().map(|source| OpenError {
                file: self.name(),
                source,
            }),
        }
    }

    /// The file's size in bytes on disk, where there is one to know.
    pub fn size(&self) -> Option<u64> {
        match self {
            Input::Stdin => None,
            Input::File(path) => std::fs::metadata(path)
                .ok()
                .filter(|m| m.is_file())
                .map(|m| m.len()),
        }
    }
}

/// A traffic file cannot be opened, or its first bytes cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {source}")]
pub struct OpenError {
    /// The file's name as given.
    pub file: Arc<str>,
    /// Why.
    pub source: io::Error,
}

/// How many bytes of the inputs have been read so far (compressed bytes of a compressed file).
#[derive(Clone, Debug, Default)]
pub struct ReadProgress(Arc<AtomicU64>);

impl ReadProgress {
    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Metered<R> {
    inner: R,
    progress: ReadProgress,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.progress.0.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The format of a traffic file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// One JSON object per line.
    Jsonl,
    /// HTTP Archive 1.2: one object with `log.entries`.
    Har,
}

/// Opens `input` and tells its format.
pub(super) fn open(
    input: &Input,
    progress: &ReadProgress,
) -> Result<(Format, Box<dyn BufRead>), OpenError> {
    let fail = |source| OpenError {
        file: input.name(),
        source,
    };
    let raw: Box<dyn Read> = match input {
        Input::Stdin => Box::new(io::stdin()),
        Input::File(path) => {
            let file = File::open(path).map_err(fail)?;
            if file.metadata().map_err(fail)?.is_dir() {
                return Err(fail(io::Error::from(io::ErrorKind::IsADirectory)));
            }
            Box::new(file)
        }
    };
    let metered = Metered {
        inner: raw,
        progress: progress.clone(),
    };
    sniff(BufReader::with_capacity(128 * 1024, metered)).map_err(fail)
}

fn sniff(mut raw: impl BufRead + 'static) -> io::Result<(Format, Box<dyn BufRead>)> {
    let mut head = Vec::new();
    raw.by_ref().take(2).read_to_end(&mut head)?;
    let joined = Cursor::new(head.clone()).chain(raw);
    let mut plain: Box<dyn BufRead> = if head == [0x1f, 0x8b] {
        Box::new(BufReader::with_capacity(
            128 * 1024,
            MultiGzDecoder::new(joined),
        ))
    } else {
        Box::new(joined)
    };
    let mut head = Vec::new();
    plain.by_ref().take(SNIFF as u64).read_to_end(&mut head)?;
    let format = format_of(&head);
    let without_mark = if head.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let mut head = Cursor::new(head);
    head.set_position(without_mark);
    Ok((format, Box::new(head.chain(plain))))
}

/// A HAR is one object that spans lines, or that starts with `"log"`; all else is read line by line, so that an
/// error names a line.
fn format_of(head: &[u8]) -> Format {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let Some(rest) = head.trim_ascii_start().strip_prefix(b"{") else {
        return Format::Jsonl;
    };
    let first_line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first_line.trim_ascii().is_empty() || rest.trim_ascii_start().starts_with(b"\"log\"") {
        Format::Har
    } else {
        Format::Jsonl
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gz(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn opened(bytes: Vec<u8>) -> (Format, Vec<u8>) {
        let (format, mut reader) = sniff(BufReader::with_capacity(7, Cursor::new(bytes))).unwrap();
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        (format, all)
    }

    #[test]
    fn the_format_is_told_by_content() {
        for (head, format) in [
            (&b"{\"id\":\"1\"}\n"[..], Format::Jsonl),
            (b"{\"log\":{\"entries\":[]}}", Format::Har),
            (b" {\n  \"log\": {", Format::Har),
            (b"{ \"log\" : {}}", Format::Har),
            (b"\xef\xbb\xbf{\"log\":{}}", Format::Har),
            (b"", Format::Jsonl),
            (b"not json", Format::Jsonl),
            (b"\n\n{\"method\":\"GET\"}", Format::Jsonl),
        ] {
            assert_eq!(
                format_of(head),
                format,
                "{:?}",
                head.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn gzip_of_one_or_many_members_is_read_like_the_plain_file() {
        let plain = b"{\"id\":\"1\"}\n{\"id\":\"2\"}\n".to_vec();
        assert_eq!(opened(plain.clone()), (Format::Jsonl, plain.clone()));
        assert_eq!(opened(gz(&plain)), (Format::Jsonl, plain.clone()));
        let two = [gz(&plain[..11]), gz(&plain[11..])].concat();
        assert_eq!(opened(two), (Format::Jsonl, plain));
    }

    #[test]
    fn a_byte_order_mark_is_no_content() {
        assert_eq!(opened(b"\xef\xbb\xbf{\"a\":1}".to_vec()).1, b"{\"a\":1}");
    }

    #[test]
    fn one_byte_is_enough_of_a_file() {
        assert_eq!(opened(b"{".to_vec()), (Format::Har, b"{".to_vec()));
    }
}
