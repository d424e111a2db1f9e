//! `application/x-www-form-urlencoded`: names and values, decoded once.

use std::ops::ControlFlow;

use backstop_http::Kind;
use backstop_http::scan::find;
use backstop_http::target::Params;

use crate::charset::Charset;
use crate::escape::form_decoded;
use crate::sink::Sink;
use crate::sniff::is_form_name;

/// Buffers of the form reader.
#[derive(Debug, Default)]
pub(crate) struct Form {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Form {
    /// Visits each field's name and value. In a form that is not declared as one, a name with a space, a quote or a bracket is
    /// a piece of text between two ampersands: it is visited as a value. Where the form's charset is not a superset of ASCII, the bytes behind
    /// percent-escapes are visited as that charset's text, too.
    pub(crate) fn walk(
        &mut self,
        body: &[u8],
        is_declared: bool,
        charset: Charset,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        for field in Params::new(body) {
            let is_name = is_declared || field.name.iter().all(|byte| is_form_name(*byte));
            let name = form_decoded(field.name, &mut self.name);
            if is_name {
                sink.put(Kind::FormName, name, name)?;
            } else {
                sink.put(Kind::Form, b"", name)?;
            }
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
            let _ = Form::default().walk(body, true, Charset::Ascii, sink);
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

    #[test]
    fn a_text_with_ampersands_has_no_names() {
        let seen = visits(|sink| {
            let body = b"a=1 \"R&B\"; x & y=2";
            let _ = Form::default().walk(body, false, Charset::Ascii, sink);
        });
        assert_eq!(
            seen,
            [
                "formName:a = a",
                "form:a = 1 \\\"R",
                "form = B\\\"; x ",
                "form =  y",
                "form: y = 2",
            ]
        );
    }
}
