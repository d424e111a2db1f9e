//! Techniques and look-alikes, in our own wording.

use super::detect;
use super::rules::RULES;
use crate::{Hits, Input, Level};
use backstop_http::{Kind, Place};
use proptest::prelude::*;

fn found(value: &[u8], level: Level) -> Vec<&'static str> {
    let mut hits = Hits::new(level);
    let input = Input {
        bytes: value,
        place: Place::new(Kind::Query, b"q"),
        level,
        features: Input::ALL_FEATURES,
    };
    detect(&input, &mut hits);
    hits.as_slice().iter().map(|hit| hit.rule.name).collect()
}

#[test]
fn every_rule_finds_its_example_and_passes_its_lookalike() {
    for rule in RULES {
        assert!(
            found(rule.example.as_bytes(), rule.level).contains(&rule.name),
            "{}: {} gives {:?}",
            rule.name,
            rule.example,
            found(rule.example.as_bytes(), rule.level)
        );
        assert!(
            !found(rule.lookalike.as_bytes(), rule.level).contains(&rule.name),
            "{}: {}",
            rule.name,
            rule.lookalike
        );
    }
}

/// What the cases of the folder `cases` cannot hold: places within the value.
#[test]
fn a_finding_says_where_it_stands() {
    let value = b"Seat map: <b title=x onclick=run()>7</b>";
    let mut hits = Hits::new(Level::One);
    let input = Input {
        bytes: value,
        place: Place::new(Kind::Json, b"/memo"),
        level: Level::One,
        features: Input::ALL_FEATURES,
    };
    detect(&input, &mut hits);
    let hit = &hits.as_slice()[0];
    assert_eq!(hit.rule.name, "xss-onclick");
    assert_eq!(&value[hit.span.clone()], b"<b title=x onclick=run()");
}

#[test]
fn an_attribute_of_a_drawing_is_a_handler_too() {
    let mut hits = Hits::new(Level::One);
    for (name, value) in [
        (&b"onload"[..], &b"top.alert(1)"[..]),
        (b"android:onClick", b"confirm(view)"),
    ] {
        let input = Input {
            bytes: value,
            place: Place::new(Kind::XmlAttribute, name),
            level: Level::One,
            features: Input::ALL_FEATURES,
        };
        detect(&input, &mut hits);
    }
    assert_eq!(hits.as_slice()[0].rule.name, "xss-onload");
    assert!(
        hits.as_slice()
            .iter()
            .skip(1)
            .all(|hit| !hit.rule.name.starts_with("xss-on"))
    );
}

#[test]
fn attributes_are_read_as_browsers_read_them() {
    for (value, rule) in [
        ("<b title='a>b' onerror=run()>", "xss-onerror"),
        ("<b title=a/b onerror=run()>", "xss-onerror"),
        ("<b ===onclick onerror=run()>", "xss-onerror"),
        ("<b \"onerror=run()>", "xss-onerror"),
        ("<b\x0bonerror=run()>", "xss-onerror"),
        ("<b <i onerror=run()", "xss-onerror"),
        ("</b onerror=run()>", "xss-onerror"),
        ("<b href=\\\"javascript:run()\\\">", "xss-javascript"),
        ("<b href='&#0000106avascript&#58run()'>", "xss-javascript"),
    ] {
        assert!(
            found(value.as_bytes(), Level::One).contains(&rule),
            "{value}"
        );
    }
    for value in [
        "< b onerror=run",
        "<b>onerror=now</b>",
        "<b data-onerror=run>",
        "<b title=onerror=>",
    ] {
        assert!(
            !found(value.as_bytes(), Level::One).contains(&"xss-onerror"),
            "{value}"
        );
    }
}

#[test]
fn an_idle_link_passes_and_one_that_goes_on_does_not() {
    for value in [
        "javascript:void(0);run()",
        "javascript:;run()",
        "javascript:''+run()",
        "javascript:false||run()",
    ] {
        assert!(
            found(value.as_bytes(), Level::One).contains(&"xss-javascript"),
            "{value}"
        );
    }
    for value in [
        "<a href='javascript:void(0);'>",
        "<a href=\"javascript:;\">",
        "<a href=javascript:>",
    ] {
        assert!(found(value.as_bytes(), Level::One).is_empty(), "{value}");
    }
}

#[test]
fn code_in_a_text_counts_from_the_second_level_on() {
    let post = "A question about hooks, as I do not understand them yet.\n\n```js\nuseEffect(() => {\n  document.title = `${count}`;\n  \
        setTimeout(() => alert('seven'), 700);\n  window.location.href = next;\n}, [count]);\n```\n\nWhy does it run twice, and how \
        do I keep it from doing so?\n";
    assert_eq!(found(post.as_bytes(), Level::One), Vec::<&str>::new());
    assert!(found(post.as_bytes(), Level::Two).contains(&"xss-js-in-text"));
    let broken_out = format!("{post}';alert(7)//");
    assert!(found(broken_out.as_bytes(), Level::One).contains(&"xss-js-breakout"));
}

#[test]
fn markup_nested_in_quotes_is_paid_from_a_budget() {
    let nested = ["<a ", &"y='<b ' ".repeat(4000)].concat();
    assert_eq!(found(nested.as_bytes(), Level::One), ["xss-nesting"]);
    let honest = "<li title='a \"b\"' class=\"c 'd'\">one</li>\n".repeat(4000);
    assert_eq!(found(honest.as_bytes(), Level::One), Vec::<&str>::new());
}

/// Values made of the pieces that this detector looks at, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "<",
            "</",
            ">",
            "a",
            "script",
            "style",
            "=",
            "'",
            "\"",
            "`",
            " ",
            "\n",
            "\0",
            "/",
            "/*",
            "*/",
            "onclick",
            "href",
            "java",
            ":",
            "&#",
            "x6a",
            ";",
            "{",
            "}",
            "(",
            ")",
            "[",
            "]",
            "!",
            "+",
            "alert",
            "document",
            ".",
            "cookie",
            "location",
            "{{",
            "}}",
            "\\",
            "data",
            "text/html",
            ",",
            "constructor",
            "top",
            "<!--#",
            "<?import",
            "void",
            "0",
            "$",
            "=>",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..3),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_value_is_read_without_panic_and_findings_lie_within_it(value in pieces()) {
        for level in [Level::One, Level::Three] {
            let mut hits = Hits::new(level);
            detect(&Input { bytes: &value, place: Place::new(Kind::Query, b"q"), level, features: Input::ALL_FEATURES }, &mut hits);
            for hit in hits.as_slice() {
                prop_assert!(value.get(hit.span.clone()).is_some(), "{} {:?}", hit.rule.name, hit.span);
            }
        }
    }

    #[test]
    fn what_is_found_the_prefilter_wanted(value in pieces()) {
        let features = crate::prefilter::features(&value).of(crate::Category::Xss);
        prop_assert!(super::wants(features) || found(&value, Level::Three).is_empty(), "{:?}", found(&value, Level::Three));
    }
}
