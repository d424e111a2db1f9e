//! `backstop hash-secret`.

use crate::command::{Files, run, run_with};

const SECRET: &str = "5f0c9e27d1b84a63720e9fd4c6b1a853";

#[test]
fn an_entry_comes_out_that_the_filter_accepts_and_the_secret_does_not() {
    let run_with_name = [
        "hash-secret",
        "--name",
        "cf-2026",
        "--not-after",
        "2027-01-01T00:00:00Z",
    ];
    let entry = run_with(&run_with_name, format!("{SECRET}\n").as_bytes());
    assert_eq!(entry.code, 0, "{}", entry.stderr);
    assert!(!entry.stdout.contains(SECRET));
    let files = Files::new();
    let config = files.write("config.yaml", format!("secrets:\n{}", entry.stdout));
    let check = run(&["check", "--filter", "origin-verify", &config]);
    assert_eq!(
        (check.code, check.stdout.as_str()),
        (0, "ok\n"),
        "{}",
        check.stderr
    );
}

#[test]
fn a_weak_secret_is_refused_unless_told() {
    let refused = run_with(&["hash-secret"], b"letmein");
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("weak secret: at most 33 bits"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        run_with(&["hash-secret", "--allow-weak"], b"letmein").code,
        0
    );
}
