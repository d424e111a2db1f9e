//! Query languages beside SQL, in whose statements a value may stand, too: XPath and Cypher.

use super::breakout::is_value;
use super::judge::Judge;
use super::{rules, starts_with_ignore_case};

/// How far behind the quote a clause is looked for, in bytes.
const REACH: usize = 256;

/// The first token closes a literal: does the value go on in one of these languages?
pub fn judge(judge: &mut Judge<'_, '_>) {
    let end = judge.at(0).end as usize;
    let rest = judge.bytes.get(end..).unwrap_or_default();
    // Every break-out of these languages begins with a bracket, a space or a letter; most quotes end here.
    if rest.len() < 6 || !is_value(judge) {
        return;
    }
    if is_xpath(rest) {
        judge.found(&rules::XPATH, 0, 4);
    } else if is_cypher(rest) {
        judge.found(&rules::CYPHER, 0, 4);
    }
}

/// `']|//user/*['`, `')] | //* | a[('`: the predicate closed, and another path (XPath 1.0 section 3.3). `' or count(/*)=1`:
/// a function of XPath over a path, which no division begins with.
fn is_xpath(rest: &[u8]) -> bool {
    let closed = trim(rest, b")");
    if let Some(behind) = closed.strip_prefix(b"]") {
        let union = trim(behind, b"])").strip_prefix(b"|");
        return union.is_some_and(|path| trim(path, b"").starts_with(b"/"));
    }
    const FUNCTIONS: [&[u8]; 6] = [
        b"count(/",
        b"name(/",
        b"string-length(/",
        b"string-length(name(",
        b"substring(//",
        b"substring(name(",
    ];
    let asked = closed
        .strip_prefix(b"or ")
        .or(closed.strip_prefix(b"and "))
        .map(|condition| trim(condition, b"("));
    asked.is_some_and(|condition| {
        FUNCTIONS
            .iter()
            .any(|function| condition.starts_with(function))
            || condition.starts_with(b"//")
    })
}

/// `'}) return n //`, `' or 1=1 return n //`, `'}) detach delete n`: a clause (openCypher 9), and a comment or a second clause.
fn is_cypher(rest: &[u8]) -> bool {
    let rest = rest.get(..REACH).unwrap_or(rest);
    let closed = trim(rest, b"})]");
    const CLAUSES: [&[u8]; 8] = [
        b"return ",
        b"match (",
        b"optional match",
        b"detach delete ",
        b"with ",
        b"call db.",
        b"call apoc.",
        b"load csv ",
    ];
    let clause = CLAUSES
        .iter()
        .any(|clause| starts_with_ignore_case(closed, clause));
    // A comment right behind one word or after a pattern; an address has a colon before its slashes.
    let commented =
        rest.trim_ascii_end().ends_with(b"//") && !rest.trim_ascii_end().ends_with(b"://");
    let pattern = rest.len() - closed.len() >= 2 && rest.contains(&b'}');
    clause && (commented || pattern)
}

/// `bytes` without leading white space and `signs`.
fn trim<'a>(bytes: &'a [u8], signs: &[u8]) -> &'a [u8] {
    let length = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace() || signs.contains(byte))
        .count();
    bytes.get(length..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_is_closed_and_another_path_begins() {
        for rest in [
            "]|//a/b['",
            ")] | //* | a[('",
            " or count(/*)=1 or 'a'='b",
            " or //a",
        ] {
            assert!(is_xpath(rest.as_bytes()), "{rest}");
        }
        for rest in ["]||[]", "] | music", " or count(x)=1", ")]"] {
            assert!(!is_xpath(rest.as_bytes()), "{rest}");
        }
    }

    #[test]
    fn a_clause_goes_on() {
        for rest in [
            "}) return n //",
            " return n//",
            "}) detach delete n",
            " WITH 1 as x CALL db.labels() //",
        ] {
            assert!(is_cypher(rest.as_bytes()), "{rest}");
        }
        for rest in [
            " return it //lost",
            "return",
            " with love",
            ") return x",
            " with https://",
        ] {
            assert!(!is_cypher(rest.as_bytes()), "{rest}");
        }
    }
}
