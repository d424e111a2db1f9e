//! The WAF's configuration inside a filter's: all of it, or a section of `edge`'s.

use serde_json::Value;

/// The key of the WAF's section in edge's configuration.
const SECTION: &str = "waf";

/// A filter's configuration, and where in it the WAF's is.
pub(super) enum WafSection {
    /// It is the filter's.
    Whole(Vec<u8>),
    /// It is a section.
    Section(Value),
}

impl WafSection {
    /// Of `filter`'s configuration `config`.
    pub(super) fn of(filter: &str, config: &[u8]) -> Self {
        match serde_json::from_slice(config) {
            Ok(whole @ Value::Object(_)) if filter == "edge" => Self::Section(whole),
            _ => Self::Whole(config.to_vec()),
        }
    }

    /// The WAF's configuration; empty without one.
    pub(super) fn own(&self) -> Vec<u8> {
        match self {
            Self::Whole(config) => config.clone(),
            Self::Section(whole) => whole
                .get(SECTION)
                .map(|section| section.to_string().into_bytes())
                .unwrap_or_default(),
        }
    }

    /// The filter's configuration with `own` as the WAF's.
    pub(super) fn with(&self, own: Vec<u8>) -> Vec<u8> {
        let Self::Section(whole) = self else {
            return own;
        };
        let mut whole = whole.clone();
        if let (Some(fields), Ok(own)) = (whole.as_object_mut(), serde_json::from_slice(&own)) {
            fields.insert(SECTION.to_owned(), own);
        }
        whole.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_of_edge_and_the_whole_of_others() {
        let edge = WafSection::of("edge", br#"{"rateLimit":{},"waf":{"mode":"detect"}}"#);
        assert_eq!(edge.own(), br#"{"mode":"detect"}"#);
        assert_eq!(
            edge.with(b"{\"mode\":\"block\"}".to_vec()),
            br#"{"rateLimit":{},"waf":{"mode":"block"}}"#
        );
        let waf = WafSection::of("waf", br#"{"mode":"detect"}"#);
        assert_eq!(waf.own(), br#"{"mode":"detect"}"#);
        assert_eq!(waf.with(b"{}".to_vec()), b"{}");
        assert_eq!(
            WafSection::of("edge", br#"{"rateLimit":{}}"#).own(),
            b"",
            "no section"
        );
    }
}
