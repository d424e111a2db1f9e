//! Reads the inputs one after another, a record at a time.

use std::io::BufRead;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::lines::{Line, next_line};
use super::open::{Format, open};
use super::{Broken, Input, Item, OpenError, Origin, ReadProgress, har, parse_line};

/// The longest line of a JSONL file, in bytes: what bounds the memory of one record.
pub const MAX_LINE: usize = 64 * 1024 * 1024;

/// Reads every record of `inputs` in order and hands it to `sink`, until that breaks off.
///
/// # Errors
/// An input cannot be opened. A read error or a broken record goes to the sink.
pub fn read(
    inputs: &[Input],
    progress: &ReadProgress,
    sink: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<(), OpenError> {
    for input in inputs {
        let (format, reader) = open(input, progress)?;
        let flow = match format {
            Format::Har => har::read(reader, &input.name(), sink),
            Format::Jsonl => read_lines(reader, &input.name(), MAX_LINE, sink),
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

fn read_lines(
    mut reader: impl BufRead,
    file: &Arc<str>,
    limit: usize,
    sink: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut line = Vec::new();
    for number in 1.. {
        let origin = Origin {
            file: Arc::clone(file),
            line: number,
        };
        let item = match next_line(&mut reader, &mut line, limit) {
            Ok(Line::End) => break,
            Ok(Line::Whole) if line.trim_ascii().is_empty() => continue,
            Ok(Line::Whole) => match parse_line(&line, origin) {
                Ok(case) => Item::Case(Box::new(case)),
                Err(broken) => Item::Broken(broken),
            },
            Ok(Line::TooLong) => Item::Broken(Broken {
                origin,
                reason: format!("the line is longer than {limit} bytes"),
            }),
            Err(e) => {
                let reason = format!("{e}; the rest of the file is not read");
                return sink(Item::Broken(Broken { origin, reason }));
            }
        };
        sink(item)?;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &[u8], limit: usize) -> Vec<String> {
        let mut all = Vec::new();
        let flow = read_lines(text, &Arc::from("t"), limit, &mut |item| {
            all.push(match item {
                Item::Case(case) => case.id,
                Item::Broken(broken) => broken.to_string(),
                Item::Skipped(_) => unreachable!("JSONL skips nothing"),
            });
            ControlFlow::Continue(())
        });
        assert!(flow.is_continue());
        all
    }

    #[test]
    fn every_line_is_a_request_or_a_reason() {
        assert_eq!(
            told(b"{\"method\":\"GET\",\"path\":\"/\"}\n\n  \nnope\n{\"id\":\"x\",\"method\":\"GET\",\"path\":\"/\"}", 1000),
            ["t:1", "t:4: expected ident (column 2)", "x"]
        );
        assert_eq!(
            told(b"0123456789\n{}\n", 5),
            [
                "t:1: the line is longer than 5 bytes",
                "t:2: missing field `method` (column 2)"
            ]
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let missing = Input::from_arg("no/such/file.jsonl");
        let error = read(&[missing], &ReadProgress::default(), &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap_err();
        assert!(
            error.to_string().starts_with("no/such/file.jsonl: "),
            "{error}"
        );
    }
}
