//! The forms that a value takes on its way through the decodings, for whoever looks at values beside the detectors.

use std::mem;
use std::ops::ControlFlow;

use backstop_http::Kind;

use crate::{Chain, Decoding, decode, prefilter};

/// Buffers that are kept from one value to the next.
#[derive(Debug, Default)]
pub struct Forms {
    form: Vec<u8>,
    spare: Vec<u8>,
}

impl Forms {
    /// Shows `visit` the value as it came, then after each decoding with the decodings that led there, until nothing
    /// changes, the bound of a chain is reached, or it breaks off. The decodings are those that the scanner applies to a
    /// value of `kind`.
    pub fn visit(
        &mut self,
        kind: Kind,
        value: &[u8],
        visit: &mut dyn FnMut(&Chain, &[u8]) -> ControlFlow<()>,
    ) {
        let mut chain = Chain::new();
        if visit(&chain, value).is_break() {
            return;
        }
        let form_encoded = matches!(kind, Kind::Query | Kind::QueryName);
        let mut next = (form_encoded && decode::form(value, &mut self.form))
            .then_some(Decoding::Percent)
            .or_else(|| step(value, &mut self.form));
        while let Some(decoding) = next {
            if !chain.push(decoding) || visit(&chain, &self.form).is_break() {
                return;
            }
            next = step(&self.form, &mut self.spare);
            mem::swap(&mut self.form, &mut self.spare);
        }
    }
}

fn step(bytes: &[u8], out: &mut Vec<u8>) -> Option<Decoding> {
    decode::step(bytes, prefilter::features(bytes).triggers(), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(kind: Kind, value: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        Forms::default().visit(kind, value.as_bytes(), &mut |chain, bytes| {
            all.push((chain.to_string(), bytes.escape_ascii().to_string()));
            ControlFlow::Continue(())
        });
        all
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(chain, form)| ((*chain).to_owned(), (*form).to_owned()))
            .collect()
    }

    #[test]
    fn a_value_is_shown_as_it_came_and_after_each_decoding() {
        assert_eq!(forms(Kind::Json, "plain"), pairs(&[("", "plain")]));
        assert_eq!(
            forms(Kind::Query, "a+%2526lt;b"),
            pairs(&[
                ("", "a+%2526lt;b"),
                ("percent", "a %26lt;b"),
                ("percent>percent", "a &lt;b"),
                ("percent>percent>html", "a <b"),
            ])
        );
        assert_eq!(
            forms(Kind::Header, "a+%41"),
            pairs(&[("", "a+%41"), ("percent", "a+A")])
        );
    }

    #[test]
    fn it_ends_where_it_is_told_to() {
        let mut seen = 0;
        Forms::default().visit(Kind::Query, b"%2541", &mut |_, _| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert_eq!(seen, 1);
    }
}
