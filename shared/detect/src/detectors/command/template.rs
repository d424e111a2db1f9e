//! Template expressions: what stands between the braces tells a probe from a placeholder.

use std::ops::Range;

use super::super::ascii::{at, find, from, has, in_table, is_word, lower};

/// Longest expression looked at.
const WINDOW: usize = 240;

/// What a template expression does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expression {
    /// It computes: `{{7*7}}`.
    Arithmetic,
    /// It reaches for an object of the engine or calls something: `{{config}}`, `${T(x).y()}`.
    Object,
    /// A directive of a template or page language: `<#assign`, `<%@`.
    Directive,
}

/// Objects that a template engine's own documentation does not hand to pages (Jinja, Twig, Flask, Velocity, FreeMarker).
const ROOTS: &[&str] = &[
    "_self",
    "applicationscope",
    "config",
    "cycler",
    "facescontext",
    "get_flashed_messages",
    "initparam",
    "joiner",
    "lipsum",
    "pagecontext",
    "requestscope",
    "self",
    "sessionscope",
    "settings",
    "url_for",
];

/// Parts of an expression that leave the template.
const ESCAPES: &[&[u8]] = &[
    b".class.",
    b".class[",
    b".class}",
    b".constructor",
    b".exec(",
    b".forname(",
    b".getclass",
    b".getruntime",
    b".mro",
    b".popen(",
    b"|attr(",
    b"|filter(",
    b"|map(",
    b"|reduce(",
    b"|sort(",
    b"__class__",
    b"new java",
    b"request.application",
    b"t(java",
    b"t(org.",
    b"t(com.",
    b"_self.env",
    b"?new()",
    b"?api",
    b"getflash",
    b"#request",
    b"#session",
    b"#this",
    b".inspect(",
    b"(#",
    b"dump(app",
    b"app.request",
    b"'+'",
    b"system(",
    b"eval(",
    b"constant('php",
    b"constant(\"php",
    b"#with \"",
    b"{<%[",
    b".signer.key",
];

/// Whether an expression or a directive may open at `i`.
pub fn opens(bytes: &[u8], i: usize) -> bool {
    match (at(bytes, i), at(bytes, i + 1)) {
        (b'{', next) => {
            matches!(
                next,
                b'{' | b'%' | b'p' | b'$' | b'i' | b's' | b'=' | b'#' | b'.'
            ) || next.is_ascii_digit()
        }
        (b'<', b'c') => true,
        (b'$' | b'#' | b'%' | b'*' | b'@' | b'~', b'{') | (b'@', b'(') | (b'<', b'%' | b'#') => {
            true
        }
        (b'#', next) => matches!(next, b's' | b'i' | b'p' | b'e'),
        _ => false,
    }
}

/// An expression that opens at `i`, judged by what it holds.
pub fn expression_at(bytes: &[u8], i: usize) -> Option<(Expression, Range<usize>)> {
    let (open, close): (usize, &[u8]) = match (at(bytes, i), at(bytes, i + 1)) {
        (b'{', b'0'..=b'9') => return product(bytes, i, 1, b"}"),
        (b'{', b'=') => return product(bytes, i, 2, b"}"),
        (b'{', b'#') => return product(bytes, i, 2, b"#}"),
        (b'<', b'c') => return directive(bytes, i),
        (b'{', b'{') => (2, b"}}"),
        (b'{', b'%') => (2, b"%}"),
        (b'$' | b'#' | b'%' | b'*' | b'@' | b'~', b'{') => (2, b"}"),
        (b'@', b'(') => (2, b")"),
        (b'<', b'%') => (2, b"%>"),
        (b'<', b'#') => return directive(bytes, i),
        (b'#', b's' | b'i' | b'p' | b'e') => return directive(bytes, i),
        (b'{', b'p' | b'$' | b'i' | b's' | b'.') => return directive(bytes, i),
        _ => return None,
    };
    let body = from(bytes, i + open);
    let body = body.get(..body.len().min(WINDOW)).unwrap_or_default();
    // What opens inside is looked at on its own: each byte belongs to one expression of a kind.
    let opener = [at(bytes, i), at(bytes, i + 1)];
    let inner = body.windows(2).position(|two| two == opener);
    let body = inner.and_then(|inner| body.get(..inner)).unwrap_or(body);
    let length = find(body, close, WINDOW);
    let body = body.get(..length.unwrap_or_else(|| body.len().min(WINDOW)))?;
    let span = i..i + open + body.len() + length.map_or(0, |_| close.len());
    let inner = body.trim_ascii();
    let inner = match inner {
        [b'=' | b'@', rest @ ..] => rest.trim_ascii(),
        inner => inner,
    };
    if at(bytes, i + 1) == b'%' && at(bytes, i) == b'{' {
        // Jinja's tag of its extension for debugging shows all that a template can reach.
        if inner == b"debug" && length.is_some() {
            return Some((Expression::Object, span));
        }
        // Where two braces are filtered: `{%print(…)%}`.
        if let Some(printed) = printed(inner)
            && (arithmetic(printed) || reaches(printed, length.is_some()) || quoted_call(printed))
        {
            return Some((Expression::Object, span));
        }
    }
    // Ruby runs what stands between any two signs behind `%x`.
    if at(bytes, i) == b'#'
        && matches!(inner, [b'%', b'x', sign, ..] if sign.is_ascii_punctuation())
    {
        return Some((Expression::Object, span));
    }
    if length.is_some() && (arithmetic(inner) || computes(inner)) {
        return Some((Expression::Arithmetic, span));
    }
    if at(bytes, i) == b'<' {
        return page(inner).then_some((Expression::Directive, span));
    }
    if at(bytes, i) == b'@' {
        // Perl computes a list in a text: `@{[ system 'id' ]}`.
        let list = at(bytes, i + 1) == b'{' && inner.first() == Some(&b'[');
        return (list && inner.iter().any(u8::is_ascii_lowercase))
            .then_some((Expression::Object, span));
    }
    (reaches(inner, length.is_some()) || quoted_call(inner)).then_some((Expression::Object, span))
}

/// What Jinja's statement `print` shows: `print(config.items())`, `print 7*7`.
fn printed(inner: &[u8]) -> Option<&[u8]> {
    let rest = inner.strip_prefix(b"print")?;
    let shown = rest.trim_ascii();
    if let Some(bracketed) = shown.strip_prefix(b"(") {
        return Some(bracketed.strip_suffix(b")").unwrap_or(bracketed));
    }
    rest.first()
        .is_some_and(u8::is_ascii_whitespace)
        .then_some(shown)
}

/// `{7*7}`, `{=7*7}`: two numbers multiplied, where single braces hold ranges and sets as a rule.
fn product(
    bytes: &[u8],
    i: usize,
    open: usize,
    close: &[u8],
) -> Option<(Expression, Range<usize>)> {
    let body = from(bytes, i + open);
    let length = find(body, close, 24)?;
    let inner = body.get(..length)?;
    let (left, right) = inner.split_at_checked(inner.iter().position(|byte| *byte == b'*')?)?;
    let number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    (number(left.trim_ascii()) && number(right.get(1..)?.trim_ascii()))
        .then(|| (Expression::Arithmetic, i..i + open + length + close.len()))
}

/// `(7*7)`, `typeof(7)+7`, `7?c`, `set a=7*7`: numbers with what else computes around them.
fn computes(inner: &[u8]) -> bool {
    let set = inner
        .strip_prefix(b"set ")
        .and_then(|rest| rest.split_at_checked(rest.iter().position(|byte| *byte == b'=')?))
        .and_then(|(name, value)| {
            name.trim_ascii()
                .iter()
                .all(|byte| is_word(*byte))
                .then_some(value)
        })
        .and_then(|value| value.get(1..));
    let inner = set.unwrap_or(inner).trim_ascii();
    if set.is_some() && arithmetic(inner) {
        return true;
    }
    if let Some(bracketed) = inner
        .strip_prefix(b"(")
        .and_then(|rest| rest.strip_suffix(b")"))
        && arithmetic(bracketed)
    {
        return true;
    }
    let digits = inner
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    // FreeMarker's built-in of a number: `${7?c}`.
    if digits > 0
        && let Some([b'?', name @ ..]) = inner.get(digits..)
    {
        return matches!(name, [b'a'..=b'z', ..])
            && name.len() <= 12
            && name
                .iter()
                .all(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    }
    // The type of a number, put before another: no page shows either.
    find(inner, b"typeof(", 16).is_some_and(|at| {
        let number = inner.get(at + 7..).unwrap_or_default();
        let digits = number
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        digits > 0 && matches!(number.get(digits..), Some([b')', b'+', ..]))
    })
}

/// `7*7`, `'7'*7`, `100-1`: two short numbers and an operator.
fn arithmetic(inner: &[u8]) -> bool {
    let number = |bytes: &[u8]| {
        let bytes = bytes.trim_ascii();
        let bare = bytes
            .strip_prefix(b"'")
            .and_then(|b| b.strip_suffix(b"'"))
            .or_else(|| {
                bytes
                    .strip_prefix(b"\"")
                    .and_then(|b| b.strip_suffix(b"\""))
            })
            .unwrap_or(bytes);
        !bare.is_empty()
            && bare.len() <= 12
            && (bare.iter().all(u8::is_ascii_digit)
                // A letter repeated, as Python does it: `'a'*7`.
                || bare.len() == 1 && bytes.len() == 3 && bare.iter().all(u8::is_ascii_alphabetic))
    };
    inner
        .iter()
        .position(|byte| matches!(byte, b'*' | b'+' | b'-' | b'/'))
        .filter(|at| *at <= 16)
        .and_then(|at| Some((inner.get(..at)?, inner.get(at + 1..)?)))
        .is_some_and(|(left, right)| {
            let right = right.strip_prefix(b"*").unwrap_or(right);
            // Longer chains (`7*7*7`, `1+2-3`) hold numbers and operators only.
            number(left)
                && (number(right)
                    || right
                        .iter()
                        .all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'+' | b'-' | b' '))
                        && !right.is_empty())
        })
}

/// Whether the expression's root or a part of it is one that leaves the template.
fn reaches(inner: &[u8], closed: bool) -> bool {
    let root = inner
        .iter()
        .take(24)
        .take_while(|byte| is_word(**byte))
        .count();
    let mut scratch = [0; 24];
    let name = inner
        .get(..root)
        .and_then(|name| lower(name, &mut scratch))
        .and_then(|len| scratch.get(..len))
        .unwrap_or_default();
    let next = at(inner, root);
    if closed
        && in_table(ROOTS, name)
        && matches!(next, 0 | b'.' | b'[' | b'|' | b'(' | b' ')
        && !name.is_empty()
        && !is_a_setting(inner, name, root)
    {
        return next != b' ' || at(inner, root + 1) == b'|';
    }
    // FreeMarker's variables about itself: `.data_model`.
    if closed && at(inner, 0) == b'.' && has(inner, 1, b"data_model") {
        return true;
    }
    ESCAPES
        .iter()
        .any(|part| find(inner, part, WINDOW).is_some())
}

/// Whether `config`, `settings` or `self` is asked for a plain entry, as themes of shops and sites do: `{{ settings.title }}`.
/// What is private, in capitals or called is the engine's.
fn is_a_setting(inner: &[u8], name: &[u8], root: usize) -> bool {
    matches!(name, b"config" | b"settings" | b"self")
        && at(inner, root) == b'.'
        && at(inner, root + 1).is_ascii_lowercase()
        && !inner.contains(&b'(')
        && memchr::memmem::find(inner, b"__").is_none()
}

/// `'a'.toUpperCase()`, `''.join(…)`: a method of a literal, which no placeholder needs.
fn quoted_call(inner: &[u8]) -> bool {
    let quote = at(inner, 0);
    if !matches!(quote, b'\'' | b'"') {
        return false;
    }
    inner
        .iter()
        .skip(1)
        .take(16)
        .position(|byte| *byte == quote)
        .is_some_and(|close| {
            at(inner, close + 2) == b'.' && at(inner, close + 3).is_ascii_alphabetic()
                || at(inner, close + 2) == b'['
        })
}

/// Directives of FreeMarker, Velocity and Smarty, and the macros of Rejetto HFS (CVE-2014-6287, CVE-2024-23692).
fn directive(bytes: &[u8], i: usize) -> Option<(Expression, Range<usize>)> {
    const DIRECTIVES: &[&[u8]] = &[
        b"<#assign ",
        b"<#include ",
        b"<#import ",
        b"#set($",
        b"#set ($",
        b"#include(\"/",
        b"#evaluate(",
        b"{php}",
        b"{$smarty.",
        b"{if system(",
        b"{if phpinfo(",
        b"{system(",
        b"{smarty",
        b"{.exec|",
        b"{.save|",
        b"{.load|",
        b"#set( $",
        b"<c:import ",
        b"<c:set ",
        b"<cfexecute ",
    ];
    let found = DIRECTIVES.iter().find(|literal| has(bytes, i, literal))?;
    Some((Expression::Directive, i..i + found.len()))
}

/// What a `<% … %>` holds when it is an attack: a page directive, or code that runs something.
fn page(inner: &[u8]) -> bool {
    const CODE: &[&[u8]] = &[
        b"@page",
        b"@ page",
        b"import=",
        b"system(",
        b"exec(",
        b"runtime",
        b"getparameter",
        b"request(",
        b"request.",
        b"eval",
        b"file.",
        b"dir.",
        b"io.popen",
        b"out.print",
        b"response.write",
        b"processbuilder",
        b"java.",
        b"createobject",
        b"global_variables",
        b"process.",
        b"import os",
        b"require ",
        b"webhandler",
        b"deno.env",
        b"deno.run",
        b"deno.command",
        b"deno.readtext",
    ];
    // Backticks are bytes of whatever is compressed, too.
    CODE.iter().any(|part| find(inner, part, WINDOW).is_some())
        || inner.iter().filter(|byte| **byte == b'`').count() > 1 && !inner.iter().any(is_control)
}

/// Whether a byte is one that no source text holds.
fn is_control(byte: &u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n' | 0x0b | 0x0c | 0)
}

#[cfg(test)]
mod tests {
    use super::super::super::ascii::is_sorted;
    use super::*;

    fn judge(text: &str) -> Option<Expression> {
        expression_at(text.as_bytes(), 0).map(|found| found.0)
    }

    #[test]
    fn roots_are_sorted() {
        assert!(is_sorted(ROOTS));
    }

    #[test]
    fn probes_and_placeholders() {
        for text in [
            "{{7*7}}",
            "${7*7}",
            "#{ 7 * 7 }",
            "<%= 7*7 %>",
            "{{'7'*7}}",
            "*{7*7}",
            "{{config}}",
            "{{self._x}}",
            "{{''.__class__}}",
            "${T(java.lang.Math).random()}",
            "{{x|attr('y')}}",
            "%{(#a=1)}",
            "<#assign ex=1>",
            "<%= File.open('/etc/x') %>",
        ] {
            assert!(judge(text).is_some(), "{text}");
        }
        for text in [
            "{{name}}",
            "{{ .Values.image }}",
            "{{pod}} - {{namespace}}",
            "${var}",
            "${var:csv}",
            "${size + 1}",
            "${20}",
            "#{name}",
            "%{word:user}",
            "<%=title%>",
            "{{ count + 1 }}",
            "{{ settings_url }}",
            "{{config_name}}",
        ] {
            assert_eq!(judge(text), None, "{text}");
        }
    }
}
