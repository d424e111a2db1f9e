//! Every target over its seeds, and over seeds that are cut, doubled and joined.

#[test]
fn no_target_finds_anything_in_its_seeds() {
    for (name, target) in backstop_fuzz::TARGETS {
        let seeds = backstop_fuzz::seeds::of(name);
        assert!(seeds.len() > 4, "{name} has too few seeds");
        for (index, seed) in seeds.iter().enumerate() {
            target(seed);
            target(&seed[..seed.len() / 2]);
            target(&[&seed[..], &seeds[(index * 7 + 1) % seeds.len()]].concat());
        }
        target(b"");
    }
}

#[test]
fn the_dictionary_is_one_quoted_literal_per_line() {
    let dictionary = backstop_fuzz::seeds::dictionary();
    assert!(dictionary.lines().count() > 100);
    for line in dictionary.lines() {
        assert!(
            line.len() > 2 && line.starts_with('"') && line.ends_with('"'),
            "{line}"
        );
        assert!(line.is_ascii());
    }
}
