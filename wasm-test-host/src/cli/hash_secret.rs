//! `backstop hash-secret`: a secret in, its entry for origin verify's configuration out.

use std::io::{self, IsTerminal, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use super::{Ending, Failure, print};

/// Read a secret and print its entry for the origin-verify filter: a name and a SHA-256 digest, never the secret.
///
/// The secret comes from a prompt that does not show it, or from standard input, where one line break at the end is left
/// out. Make one with `openssl rand -hex 32`. A secret of less than 128 bits, or one that can be guessed from words and
/// patterns, is refused: its digest could be reversed.
#[derive(Debug, Args)]
pub(super) struct HashSecretArgs {
    /// The entry's name, which metrics show.
    #[arg(long, default_value = "current")]
    name: String,
    /// From when on the secret is accepted (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    not_before: Option<String>,
    /// Until when the secret is accepted (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    not_after: Option<String>,
    /// Accept a weak secret.
    #[arg(long)]
    allow_weak: bool,
}

pub(super) fn run(args: &HashSecretArgs) -> Result<Ending, Failure> {
    let secret = read()?;
    if secret.is_empty() {
        return Err(Failure::new("no secret was given"));
    }
    if !secret.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
        return Err(Failure::new(
            "the secret has white space, control characters or letters beyond ASCII, which not every proxy carries in a header",
        ));
    }
    if !args.allow_weak {
        refuse_weak(&secret)?;
    }
    let entry = Entry {
        name: args.name.clone(),
        sha256: STANDARD.encode(backstop_origin_verify::digest(secret.as_bytes())),
        not_before: args.not_before.clone(),
        not_after: args.not_after.clone(),
    };
    let json = serde_json::json!({ "secrets": [&entry] }).to_string();
    backstop_origin_verify::Policy::from_json(json.as_bytes()).map_err(Failure::new)?;
    // JSON is YAML, too, and quotes the moments, which YAML would take for more than text.
    let entry = serde_json::to_string(&entry).map_err(Failure::new)?;
    print(&format!("- {entry}\n"))
}

type Entry = backstop_origin_verify::config::Secret;

fn read() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password("Secret: ").map_err(Failure::new);
    }
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(64 << 10)
        .read_to_string(&mut text)
        .map_err(Failure::new)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// The bits that are asked for: what no search over digests gets through.
const BITS: f64 = 128.0;

fn refuse_weak(secret: &str) -> Result<(), Failure> {
    let advice = "make one with `openssl rand -hex 32`, or say --allow-weak";
    let bits = bits_if_random(secret);
    if bits < BITS {
        return Err(Failure::new(format_args!(
            "weak secret: at most {bits:.0} bits, where {BITS:.0} are needed; {advice}"
        )));
    }
    // The estimate ends at 2^64 guesses: whatever ends before it is made of words, dates, repeats or keyboard rows.
    if zxcvbn::zxcvbn(secret, &[]).guesses() < u64::MAX {
        return Err(Failure::new(format_args!(
            "weak secret: it can be guessed from words and patterns; {advice}"
        )));
    }
    Ok(())
}

/// The bits of a text of this length, were each character drawn from the smallest usual alphabet that has them all.
fn bits_if_random(secret: &str) -> f64 {
    let all = |of: fn(&u8) -> bool| secret.bytes().all(|byte| of(&byte));
    let alphabet = if all(u8::is_ascii_digit) {
        10.0
    } else if all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        || all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
    {
        16.0
    } else if all(u8::is_ascii_lowercase) || all(u8::is_ascii_uppercase) {
        26.0
    } else if all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        || all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    {
        36.0
    } else if all(|byte| byte.is_ascii_alphanumeric() || b"-_+/=".contains(byte)) {
        64.0
    } else {
        94.0_f64
    };
    alphabet.log2() * secret.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_text_of_128_bits_is_taken_and_anything_easier_is_not() {
        for strong in [
            "9f2c41d07be85a36c1f4e87d20ab963f",
            "x8Jq2Wm-7ZkPv_3RtYb1NcA",
            "kqzvhwmxjtrpbnydlgscfaeuoi7w",
        ] {
            assert!(refuse_weak(strong).is_ok(), "{strong}");
        }
        for weak in [
            "hunter2",
            "9f2c41d07be85a36c1f4e87d20ab963",
            "passwordpasswordpasswordpassword",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
            "1234567890123456789012345678901234567890",
        ] {
            assert!(refuse_weak(weak).is_err(), "{weak}");
        }
    }
}
