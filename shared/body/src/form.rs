//! `application/x-www-form-urlencoded`: names and values, decoded once.

use std::ops::ControlFlow;

use backstop_http::Kind;
use backstop_http::scan::find;
use backstop_http::target::Params;

use crate::charset::Charset;
use crate::escape::form_decoded;
use crate::sink::Sink;

/// Buffers of the form reader.
#[derive(Debug, Default)]
pub(crate) struct Form {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Form {
    /// Visits each field's name and value. Where the form's charset is not a superset of ASCII, the bytes behind
    /// percent-escapes are visited as that charset's text, too.
    pub(crate) fn walk(
        &mut self,
        body: &[u8],
        charset: Charset,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        for field in Params::new(body) {
            let name = form_decoded(field.name, &mut self.name);
            sink.put(Kind::FormName, name, name)?;
            let raw = field.value.unwrap_or_default();
            let value = form_decoded(raw, &mut self.value);
            sink.put(Kind::Form, name, value)?;
            if charset != Charset::Ascii
                && find(b'%', raw).is_some()
                && let Some(value) = charset.converted(value)
            {
                sink.put(Kind::Form, name, &value)?;
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::tests::visits;

    fn walk(body: &[u8]) -> Vec<String> {
        visits(|sink| {
            let _ = Form::default().walk(body, Charset::Ascii, sink);
        })
    }

    #[test]
    fn names_and_values_are_decoded_once() {
        let cases: &[(&[u8], &[&str])] = &[
            (
                b"a=1&b=x+y",
                &[
                    "formName:a = a",
                    "form:a = 1",
                    "formName:b = b",
                    "form:b = x y",
                ],
            ),
            (b"%61=%2527", &["formName:a = a", "form:a = %27"]),
            (
                b"a=&b&=c",
                &["formName:a = a", "formName:b = b", "form = c"],
            ),
            (
                b"a=1&a=2",
                &[
                    "formName:a = a",
                    "form:a = 1",
                    "formName:a = a",
                    "form:a = 2",
                ],
            ),
            (b"a=b=c%", &["formName:a = a", "form:a = b=c%"]),
            (b"&&", &[]),
            (b"{\"a\":1}", &["formName:{\\\"a\\\":1} = {\\\"a\\\":1}"]),
        ];
        for (body, expected) in cases {
            assert_eq!(walk(body), *expected, "{}", body.escape_ascii());
        }
    }
}
