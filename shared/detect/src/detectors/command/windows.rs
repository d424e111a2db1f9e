//! cmd.exe and PowerShell grammar that is none of the shell's: conditionals, loops, variables, cmdlets.

use super::super::ascii::{at, find, from, has, in_table, lower};
use super::operand::{self, Operand};
use super::word::skip_blanks;

/// Environment variables of Windows as an attack writes them.
const VARIABLES: &[&[u8]] = &[
    b"%appdata%",
    b"%appdata:~",
    b"%comspec%",
    b"%comspec:~",
    b"%os%",
    b"%path:~",
    b"%programdata%",
    b"%programdata:~",
    b"%programfiles%",
    b"%programfiles:~",
    b"%public%",
    b"%systemdrive%",
    b"%systemroot%",
    b"%systemroot:~",
    b"%temp%",
    b"%userprofile%",
    b"%windir%",
    b"%windir:~",
];

/// PowerShell cmdlets and aliases that fetch, run or change something.
#[rustfmt::skip]
const CMDLETS: &[&str] = &[
    "add-type", "clear-eventlog", "compress-archive", "convertto-securestring", "copy-item", "expand-archive", "get-acl",
    "get-childitem", "get-ciminstance", "get-computerinfo", "get-content", "get-credential", "get-hotfix", "get-itemproperty",
    "get-localgroupmember", "get-localuser", "get-netipaddress", "get-nettcpconnection", "get-process", "get-psdrive",
    "get-service", "get-wmiobject", "iex", "invoke-cimmethod",
    "invoke-command", "invoke-expression", "invoke-item", "invoke-mimikatz", "invoke-restmethod", "invoke-webrequest",
    "invoke-wmimethod", "irm", "iwmi", "iwr", "move-item", "new-item", "new-localuser", "new-object", "new-psdrive",
    "out-file", "remove-item", "resolve-dnsname", "restart-computer", "set-content", "set-executionpolicy", "set-itemproperty",
    "set-mppreference", "start-bitstransfer", "start-process", "start-service", "start-sleep", "stop-computer", "stop-process",
    "test-netconnection", "write-host", "write-output",
];

/// An environment variable at `i` (a `%`): its end.
pub fn variable(bytes: &[u8], i: usize) -> Option<usize> {
    let initial = at(bytes, i + 1).to_ascii_lowercase();
    VARIABLES
        .iter()
        .filter(|name| name.get(1) == Some(&initial))
        .find(|name| has(bytes, i, name))
        .map(|name| i + name.len())
}

/// A link of a spreadsheet's cell to a program (DDE) whose `|` stands at `i`: `=cmd|'/c calc'!A1`.
pub fn linked(bytes: &[u8], i: usize) -> bool {
    const SERVERS: [&[u8]; 6] = [
        b"cmd",
        b"excel",
        b"msexcel",
        b"mshta",
        b"powershell",
        b"rundll32",
    ];
    at(bytes, i + 1) == b'\''
        && SERVERS.iter().any(|server| {
            i.checked_sub(server.len()).is_some_and(|start| {
                has(bytes, start, server)
                    && start > 0
                    && !at(bytes, start - 1).is_ascii_alphanumeric()
            })
        })
        && find(from(bytes, i), b"'!", 256).is_some()
}

/// A cmdlet at `i`, with an operand that a cmdlet takes: its end.
pub fn cmdlet(bytes: &[u8], i: usize) -> Option<usize> {
    let i = skip_blanks(bytes, i);
    let rest = from(bytes, i);
    let len = rest
        .iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'-')
        .count();
    let mut scratch = [0; 24];
    let name = rest
        .get(..len)
        .and_then(|name| lower(name, &mut scratch))
        .and_then(|len| scratch.get(..len))?;
    let short = matches!(name, b"iex" | b"irm" | b"iwmi" | b"iwr");
    if !short && (!name.contains(&b'-') || !in_table(CMDLETS, name)) {
        return None;
    }
    let end = i + len;
    let call = at(bytes, skip_blanks(bytes, end)) == b'(';
    let dashed = name.contains(&b'-');
    let operand = operand::after(bytes, end);
    let takes = matches!(
        operand,
        Operand::Option | Operand::File | Operand::Address | Operand::Variable | Operand::Quoted
    );
    (call
        || takes
        || dashed
            && matches!(
                operand,
                Operand::Separator | Operand::End | Operand::Word | Operand::Number
            ))
    .then_some(end)
}

/// What looking for a loop or a conditional at `i` costs, in steps of [`Work`](crate::Work).
pub fn steps(bytes: &[u8], i: usize) -> usize {
    let i = skip_blanks(bytes, i);
    if has(bytes, i, b"if") || has(bytes, i, b"for") {
        700
    } else {
        4
    }
}

/// A loop or a conditional of cmd.exe at `i`: `for %x in (…)`, `if exist x …`.
pub fn control(bytes: &[u8], i: usize) -> Option<usize> {
    let i = skip_blanks(bytes, i);
    if has(bytes, i, b"for ") || has(bytes, i, b"for\t") {
        return for_loop(bytes, i);
    }
    if has(bytes, i, b"if ") || has(bytes, i, b"if\t") {
        return conditional(bytes, i);
    }
    None
}

/// `for [/d|/r|/l|/f [options]] %x in (`.
fn for_loop(bytes: &[u8], i: usize) -> Option<usize> {
    let window = from(bytes, i);
    let percent = window.iter().take(96).position(|byte| *byte == b'%')?;
    let head = window.get(3..percent)?.trim_ascii();
    if !(head.is_empty() || at(head, 0) == b'/') {
        return None;
    }
    let opened = find(from(window, percent), b" in", 32)?;
    let rest = from(window, percent + opened + 3);
    (rest.iter().find(|byte| **byte != b' ') == Some(&b'(')).then_some(i + percent + opened + 3)
}

/// `if [/i] [not] (exist x|defined x|a==b|a EQU b)`, with something of a batch file in it.
fn conditional(bytes: &[u8], i: usize) -> Option<usize> {
    let mut k = skip_blanks(bytes, i + 2);
    let mut batch = false;
    if has(bytes, k, b"/i ") {
        k = skip_blanks(bytes, k + 3);
        batch = true;
    }
    if has(bytes, k, b"not ") {
        k = skip_blanks(bytes, k + 4);
    }
    let rest = from(bytes, k);
    for word in [&b"exist "[..], b"defined ", b"errorlevel "] {
        if has(bytes, k, word) {
            let operand = from(rest, word.len()).trim_ascii_start();
            let file = matches!(at(operand, 0), b'"' | b'%' | b'(') || at(operand, 1) == b':';
            let runs = [
                &b" echo"[..],
                b" cmd",
                b" set ",
                b" goto",
                b" del ",
                b" copy ",
            ]
            .iter()
            .any(|command| find(operand, command, 120).is_some());
            return (file || runs).then_some(k + word.len());
        }
    }
    let first = at(rest, 0);
    // `if (a == 'x')` is code of many languages; a batch file compares what it expands.
    let quoted =
        matches!(first, b'%' | b'"' | b'!' | b'[' | b'{') || find(rest, b"%", 24).is_some();
    const WORDS: [&[u8]; 6] = [b" equ ", b" neq ", b" lss ", b" leq ", b" gtr ", b" geq "];
    let window = rest.get(..96).unwrap_or(rest);
    let worded = || {
        let mut blanks = (0..window.len()).filter(|i| at(window, *i) == b' ');
        let is_word = |i: &usize| WORDS.iter().any(|word| has(window, *i, word));
        blanks.find(is_word).map(|i| k + i + 5)
    };
    if !batch && !quoted {
        return (first == b'(').then(worded)?;
    }
    find(rest, b"==", 96).map(|i| k + i + 2).or_else(worded)
}

#[cfg(test)]
mod tests {
    use super::super::super::ascii::is_sorted;
    use super::*;

    #[test]
    fn cmdlets_are_sorted() {
        assert!(is_sorted(CMDLETS));
    }

    #[test]
    fn batch_and_powershell() {
        for text in [
            "FOR %G IN (a,b) DO x",
            "for /f \"tokens=*\" %%A in (x) do y",
            "if not defined n1 set \"n1=0\"",
            "IF EXIST \"x.txt\" ECHO y",
            "if \"%V%\" == \"a\" @echo ok",
        ] {
            assert!(control(text.as_bytes(), 0).is_some(), "{text}");
        }
        for text in [
            "for 50% in (2024)",
            "if you exist, you think",
            "if a == b then",
            "for all in (a)",
            "if exist problems call us",
        ] {
            assert!(control(text.as_bytes(), 0).is_none(), "{text}");
        }
        assert!(cmdlet(b"Invoke-WebRequest http://h/x", 0).is_some());
        assert!(cmdlet(b"iex (New-Object x)", 0).is_some());
        assert!(cmdlet(b"iex files", 0).is_none());
        assert!(variable(b"%ComSpec%", 0).is_some());
    }
}
