//! Techniques and look-alikes, in our own wording.

use super::detect;
use super::rules::RULES;
use crate::{Hits, Input, Level};
use backstop_http::{Kind, Place};
use proptest::prelude::*;

fn found_in(kind: Kind, value: &[u8], level: Level) -> Vec<&'static str> {
    let mut hits = Hits::new(level);
    let input = Input {
        bytes: value,
        place: Place::new(kind, b"x"),
        level,
        features: Input::ALL_FEATURES,
    };
    detect(&input, &mut hits);
    hits.as_slice().iter().map(|hit| hit.rule.name).collect()
}

fn found(value: &str) -> Vec<&'static str> {
    found_in(Kind::Form, value.as_bytes(), Level::One)
}

#[test]
fn every_rule_finds_its_example_and_passes_its_lookalike() {
    for rule in RULES {
        for kind in [Kind::Form, Kind::Json] {
            assert!(
                found_in(kind, rule.example.as_bytes(), rule.level).contains(&rule.name),
                "{}: {}",
                rule.name,
                rule.example
            );
            assert!(
                !found_in(kind, rule.lookalike.as_bytes(), rule.level).contains(&rule.name),
                "{}: {}",
                rule.name,
                rule.lookalike
            );
        }
    }
}

#[test]
fn techniques() {
    for (rule, value) in [
        (
            "xxe-system",
            "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/hostname\">]><a>&e;</a>",
        ),
        (
            "xxe-system",
            "<!DOCTYPE a [<!ENTITY e PUBLIC \"any\" 'http://x.example/e'>]>",
        ),
        (
            "xxe-system",
            "<!doctype a [ <!entity e system 'php://filter/resource=index.php'> ]>",
        ),
        (
            "xxe-system",
            "<!ENTITY\n%\nd\nSYSTEM\n\"http://x.example/d.dtd\">",
        ),
        (
            "xxe-system",
            "\"<!DOCTYPE a [<!ENTITY e SYSTEM \"\"file:///c:/win.ini\"\">]>\"",
        ),
        (
            "xxe-system",
            "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/hostname\"",
        ),
        (
            "xxe-system",
            "<!NOTATION gif SYSTEM \"http://x.example/view\">",
        ),
        (
            "xxe-parameter-entity",
            "<!DOCTYPE a [<!ENTITY % p '<!ENTITY &#37; q \"x\">'> %p; ]>",
        ),
        (
            "xxe-entity-bomb",
            "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>",
        ),
        (
            "xxe-entity",
            "<!DOCTYPE n [ <!ENTITY who \"World\"> ]><n>Hello &who;</n>",
        ),
        (
            "xxe-doctype",
            "<!DOCTYPE a PUBLIC \"-//X//DTD A//EN\" \"http://x.example/a.dtd\">",
        ),
        (
            "xxe-doctype",
            "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://x.example/svg11.dtd\">",
        ),
        ("xxe-doctype", "<!DOCTYPE a SYSTEM 'a.dtd'>"),
        ("xxe-doctype", "<!DOCTYPE a [ %remote; ]>"),
        ("xxe-doctype", "<!DOCTYPE a [<!ELEMENT a ANY>"),
        (
            "xxe-xinclude",
            "<x xmlns:q=\"http://www.w3.org/2001/XInclude\"><q:include href=\"file:///etc/hostname\"/></x>",
        ),
        (
            "xxe-xinclude",
            "<include xmlns=\"http://www.w3.org/2001/XInclude\" href=\"/etc/hostname\"/>",
        ),
        (
            "xxe-schema-location",
            "<a xsi:noNamespaceSchemaLocation=\"file:///etc/hostname\"/>",
        ),
        (
            "xxe-schema-location",
            "<a xsi:schemaLocation=\"urn:a gopher://x.example/1\"/>",
        ),
        (
            "xxe-stylesheet",
            "<?xml-stylesheet type='text/xsl' href='#self'?><a/>",
        ),
        ("xxe-encoding", "<?xml version='1.0' encoding='cp037'?>"),
        ("xxe-xslt", "<xsl:import href='file:///etc/hostname'/>"),
    ] {
        assert!(
            found(value).contains(&rule),
            "{rule}: {value} gives {:?}",
            found(value)
        );
    }
}

#[test]
fn lookalikes() {
    for value in [
        "<!DOCTYPE html><html lang=ko></html>",
        "<!doctype html>",
        "<!DOCTYPE html SYSTEM \"about:legacy-compat\">",
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">",
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">",
        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\"><plist/>",
        "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\" [\n<!ENTITY ns_svg \"http://www.w3.org/2000/svg\">\n<!ENTITY ns_ai \"http://ns.adobe.com/AdobeIllustrator/10.0/\">\n]><svg/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body/></soap:Envelope>",
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\" xsi:schemaLocation=\"http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd\"/>",
        "<gpx xsi:schemaLocation=\"http://www.topografix.com/GPX/1/1 http://www.topografix.com/GPX/1/1/gpx.xsd\"/>",
        "<rss version=\"2.0\"><channel><title>News</title></channel></rss>",
        "<![CDATA[ <b> ]]>",
        "what does <!DOCTYPE mean? and <!ENTITY?",
        "our SYSTEM entity is PUBLIC",
        "<include file='x.h'/>",
    ] {
        assert_eq!(found(value), Vec::<&str>::new(), "{value}");
    }
}

/// Values made of the pieces that this detector looks at, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "<!",
            "<?xml",
            "-stylesheet",
            "DOCTYPE",
            "ENTITY",
            "SYSTEM",
            "PUBLIC",
            "%",
            " ",
            "\n",
            "'",
            "\"",
            "[",
            "]",
            ">",
            "<!--",
            "-->",
            "&a;",
            "xi:include",
            "href",
            "=",
            "http://",
            "schemaLocation",
            "/XInclude",
            "xmlns",
            "<",
            "encoding",
            "utf-7",
            "xsl:import",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..3),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_value_is_read_without_panic_and_what_is_found_the_prefilter_wanted(value in pieces()) {
        let mut hits = Hits::new(Level::Three);
        let input = Input { bytes: &value, place: Place::new(Kind::XmlDocument, b""), level: Level::Three, features: Input::ALL_FEATURES };
        detect(&input, &mut hits);
        let features = crate::prefilter::features(&value).of(crate::Category::XxeInjection);
        prop_assert!(hits.is_empty() || super::wants(features), "{:?}", hits.as_slice());
        for hit in hits.as_slice() {
            prop_assert!(value.get(hit.span.clone()).is_some(), "{} {:?}", hit.rule.name, hit.span);
        }
    }
}
