use super::*;

#[test]
fn a_pattern_weighs_by_its_compiled_size() {
    let weight = |text: &str| pattern(text).map(|(_, weight)| weight);
    assert_eq!(weight("x"), Ok(1));
    let weights: Vec<usize> = [10, 50, 100, 200]
        .into_iter()
        .filter_map(|times| weight(&format!("[a-z]{{{times}}}")).ok())
        .collect();
    assert!(weights.is_sorted() && weights.len() > 1, "{weights:?}");
    assert!(weights.last() > weights.first(), "{weights:?}");
}

#[test]
fn a_pattern_that_cannot_be_says_why() {
    for (text, reason) in [
        ("", "an empty pattern matches every value"),
        ("a*", "`a*` matches the empty text, so every value"),
        ("^$", "`^$` matches the empty text, so every value"),
        ("a(b", "`a(b`: found open group without closing"),
        ("a\n[", "`a\\n[`: "),
        ("a{1000}{1000}", "`a{1000}{1000}`: "),
        ("\\p{L}", "`\\\\p{L}`: "),
        ("(?=a)b", "`(?=a)b`: "),
    ] {
        let error = pattern(text).unwrap_err();
        assert!(error.starts_with(reason), "{text:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let long = pattern(&"a".repeat(MAX_PATTERN + 1)).unwrap_err();
    assert_eq!(long, "1025 bytes are more than the 1024 that are allowed");
    let deep = format!("{}a{}", "(".repeat(40), ")".repeat(40));
    assert!(pattern(&deep).unwrap_err().contains("groups 32 deep"));
}

#[test]
fn a_name_is_a_label_that_no_other_rule_has() {
    for name in ["patch-1", "a", &"a".repeat(MAX_NAME)] {
        assert_eq!(check_name(name), Ok(()), "{name}");
    }
    for name in [
        "",
        "Patch",
        "a b",
        "a;.;b",
        "\u{e9}",
        "100001",
        "sql-union",
        &"a".repeat(MAX_NAME + 1),
    ] {
        assert!(check_name(name).is_err(), "{name}");
    }
}

#[test]
fn a_pattern_that_asks_for_the_end_is_known() {
    for (pattern, asks) in [
        ("zebra$", true),
        ("^[0-9]+$", true),
        (r"zebra\z", true),
        (r"a\\$", true),
        ("zebra", false),
        (r"\$zebra", false),
        ("[$]zebra", false),
        (r"\\zebra", false),
    ] {
        assert_eq!(asks_for_end(pattern), asks, "{pattern}");
    }
}
