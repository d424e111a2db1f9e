//! What the place of a value says of it: a build's step and a traced process name tools, a frame of an error report is code.

use backstop_http::{Kind, Place};

use crate::Input;

/// Whether the value is the name that a build service gives to a step of a job: the first line of the script that it runs.
pub fn names_a_step(input: &Input<'_>) -> bool {
    let Place { kind, name } = input.place;
    kind == Kind::Json
        && name
            .strip_suffix(b"/name")
            .and_then(|step| {
                step.split_at_checked(step.iter().rposition(|byte| *byte == b'/')? + 1)
            })
            .is_some_and(|(list, index)| {
                list.ends_with(b"/steps/") && index.iter().all(u8::is_ascii_digit)
            })
}

/// Whether the value is a command line of a package's manifest, as registries and dependency scanners are sent them: npm's and
/// Composer's `scripts`. One that begins with a sign joins what stood before it.
pub fn is_a_script(input: &Input<'_>) -> bool {
    let Place { kind, name } = input.place;
    let mut segments = name.rsplit(|byte| *byte == b'/');
    kind == Kind::Json
        && segments.next().is_some_and(|key| !key.is_empty())
        && segments.next() == Some(b"scripts")
        && input.bytes.first().is_some_and(u8::is_ascii_alphabetic)
}

/// Whether the value is a tool's path and nothing else, deep inside a document: what a process was started from (a trace's
/// resource), what a container runs; or an attribute of OpenTelemetry (`process.command_line`). At the top of a document, or in
/// a parameter, it is what somebody wants to have run.
pub fn names_a_tool(input: &Input<'_>) -> bool {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-');
    input.place.kind == Kind::Json
        && (input.bytes.starts_with(b"/") && input.bytes.iter().all(plain)
            || input.place.name.ends_with(b"/value/stringValue"))
        && is_deep(input)
}

/// Whether the value stands deep inside a document, as what traces and error reports carry does.
fn is_deep(input: &Input<'_>) -> bool {
    const DEEP: usize = 4;
    let levels = || {
        let name = input.place.name.iter();
        name.filter(|byte| **byte == b'/').count()
    };
    input.place.kind == Kind::Json && levels() >= DEEP
}
