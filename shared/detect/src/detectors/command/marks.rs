//! Names that only code injection brings into a value: classes, properties and directives, found at word starts.

use backstop_http::scan::Set;

use super::super::ascii::{at, before, candidates, has, is_word};

/// The language a mark belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Java classes, OGNL and SpEL.
    Java,
    /// Data binding that reaches a class loader (CVE-2022-22965).
    ClassLoader,
    /// PHP and its configuration.
    Php,
    /// Node.js.
    Node,
    /// Python.
    Python,
    /// Ruby and YAML tags that build objects.
    Object,
    /// PowerShell and .NET.
    PowerShell,
    /// A prototype reached by name.
    Prototype,
    /// An option that makes an honest tool run a command.
    Argument,
}

/// Marks, sorted; lower case, matched without regard to case where a word starts.
const MARKS: &[(&[u8], Language)] = &[
    (b"!!javax.", Language::Object),
    (b"!!org.springframework", Language::Object),
    (b"!!python/object", Language::Object),
    (b"!ruby/hash", Language::Object),
    (b"!ruby/object", Language::Object),
    (b"_$$nd_func$$_", Language::Node),
    (b"_memberaccess", Language::Java),
    (b"_validationfielditem", Language::Php),
    (b"allow_url_include", Language::Php),
    (b"auto_append_file", Language::Php),
    (b"auto_prepend_file", Language::Php),
    (b"bsh.interpreter", Language::Java),
    (b"bsh.servlet", Language::Java),
    (b"cgi.force_redirect", Language::Php),
    (b"ch.qos.logback.core.db", Language::Java),
    (b"checkpoint-action=", Language::Argument),
    (b"child_process", Language::Node),
    (b"class.classloader", Language::ClassLoader),
    (b"class.module.classloader", Language::ClassLoader),
    (b"class[\"module\"]", Language::ClassLoader),
    (b"class['module']", Language::ClassLoader),
    (b"classloader.resources", Language::ClassLoader),
    (b"com.opensymphony.", Language::Java),
    (b"com.sun.org.apache.xalan", Language::Java),
    (b"com.sun.rowset.", Language::Java),
    (b"com.sun.security.auth.module.jndi", Language::Java),
    (b"commandline.execute", Language::Java),
    (b"constructor\":{\"prototype", Language::Prototype),
    (b"constructor.constructor", Language::Node),
    (b"constructor.prototype", Language::Prototype),
    (b"constructor[prototype]", Language::Prototype),
    (b"core.sshcommand=", Language::Argument),
    (b"disable_functions", Language::Php),
    (b"downloadfile(", Language::PowerShell),
    (b"downloadstring(", Language::PowerShell),
    (b"execute().gettext", Language::Java),
    (b"execute().text", Language::Java),
    (b"ext::sh", Language::Argument),
    (b"freemarker.template.", Language::Java),
    (b"frombase64string(", Language::PowerShell),
    (b"getclass().", Language::Java),
    (b"getruntime", Language::Java),
    (b"global.process", Language::Node),
    (b"groovy.lang.", Language::Java),
    (b"groovy.transform.", Language::Java),
    (b"groovy.util.", Language::Java),
    (b"hexasciiserializedmap", Language::Java),
    (b"importlib.import_module", Language::Python),
    (b"init=runscript", Language::Java),
    (b"invokefunction", Language::Php),
    (b"io.popen", Language::Object),
    (b"java.beans.eventhandler", Language::Java),
    (b"java.beans.xmldecoder", Language::Java),
    (b"java.io.inputstreamreader", Language::Java),
    (b"java.lang.class", Language::Java),
    (b"java.lang.process", Language::Java),
    (b"java.lang.processbuilder", Language::Java),
    (b"java.lang.runtime", Language::Java),
    (b"java.lang.system@", Language::Java),
    (b"java.lang.thread", Language::Java),
    (b"java.net.urlclassloader", Language::Java),
    (b"java.util.scanner", Language::Java),
    (b"javax.el.", Language::Java),
    (b"javax.naming.initialcontext", Language::Java),
    (b"javax.script.", Language::Java),
    (b"jdk.jshell", Language::Java),
    (b"jdk.nashorn.internal", Language::Java),
    (b"mainmodule.require", Language::Node),
    (b"methodaccessor.denymethodexecution", Language::Java),
    (b"new-object net.webclient", Language::PowerShell),
    (b"new-object system.net", Language::PowerShell),
    (b"objectdataprovider", Language::Object),
    (b"ognl.ognl", Language::Java),
    (b"ognlutil", Language::Java),
    (b"open-files-in-pager=", Language::Argument),
    (b"oproxycommand=", Language::Argument),
    (b"oqueuedirectory", Language::Argument),
    (b"oracle.toplink.internal.sessions", Language::Java),
    (b"org.apache.commons.collections.functors", Language::Java),
    (b"org.apache.commons.io.ioutils", Language::Java),
    (b"org.apache.struts2.", Language::Java),
    (b"org.apache.velocity.", Language::Java),
    (b"org.mozilla.javascript", Language::Java),
    (b"org.springframework.context.support.", Language::Java),
    (b"org.springframework.expression.", Language::Java),
    (b"os.execute(", Language::Object),
    (b"os.popen", Language::Python),
    (b"os.system", Language::Python),
    (b"params.resource.loader.enabled", Language::Java),
    (b"process.binding", Language::Node),
    (b"process.kill(", Language::Node),
    (b"process.mainmodule", Language::Node),
    (b"processbuilder", Language::Java),
    (b"proxycommand=", Language::Argument),
    (b"pty.spawn", Language::Python),
    (b"receive-pack=", Language::Argument),
    (b"scriptenginemanager", Language::Java),
    (b"subprocess.call", Language::Python),
    (b"subprocess.check_output", Language::Python),
    (b"subprocess.popen", Language::Python),
    (b"subprocess.run", Language::Python),
    (b"sun.misc.base64decoder", Language::Java),
    (b"system.configuration.install", Language::Object),
    (b"system.diagnostics.process", Language::PowerShell),
    (b"system.windows.data", Language::Object),
    (b"t(com.", Language::Java),
    (b"t(java.", Language::Java),
    (b"t(org.", Language::Java),
    (b"think\\app", Language::Php),
    (b"think\\container", Language::Php),
    (b"think\\request", Language::Php),
    (b"think\\template", Language::Php),
    (b"upload-pack=", Language::Argument),
    (b"use-askpass=", Language::Argument),
    (b"use-compress-program=", Language::Argument),
    (b"wscript.shell", Language::PowerShell),
    (b"xwork.methodaccessor", Language::Java),
    (b"zerodium", Language::Php),
];

/// Python attributes that lead out of a sandbox, without their double underscores. `__name__` and `__init__` alone do not.
const DUNDERS: &[&[u8]] = &[
    b"base",
    b"bases",
    b"builtins",
    b"class",
    b"code",
    b"dict",
    b"globals",
    b"import",
    b"mro",
    b"reduce",
    b"subclasses",
];

/// PHP's request arrays.
const SUPERGLOBALS: &[&[u8]] = &[
    b"_cookie",
    b"_env",
    b"_files",
    b"_get",
    b"_post",
    b"_request",
    b"_server",
    b"_session",
    b"globals",
];

/// Whether any of [`MARKS`] starts with these two bytes.
fn may_start_mark(first: u8, second: u8) -> bool {
    let second = second.to_ascii_lowercase();
    match first {
        b'!' => matches!(second, b'!' | b'r'),
        b'_' => matches!(second, b'$' | b'm' | b'v'),
        b'a' => matches!(second, b'l' | b'u'),
        b'b' => matches!(second, b's'),
        b'c' => matches!(second, b'g' | b'h' | b'l' | b'o'),
        b'd' => matches!(second, b'i' | b'o'),
        b'e' => matches!(second, b'x'),
        b'f' => matches!(second, b'r'),
        b'g' => matches!(second, b'e' | b'l' | b'r'),
        b'h' => matches!(second, b'e'),
        b'i' => matches!(second, b'm' | b'n' | b'o'),
        b'j' => matches!(second, b'a' | b'd'),
        b'm' => matches!(second, b'a' | b'e'),
        b'n' => matches!(second, b'e'),
        b'o' => matches!(second, b'b' | b'g' | b'p' | b'q' | b'r' | b's'),
        b'p' => matches!(second, b'a' | b'r' | b't'),
        b'r' => matches!(second, b'e'),
        b's' => matches!(second, b'c' | b'u' | b'y'),
        b't' => matches!(second, b'(' | b'h'),
        b'u' => matches!(second, b'p' | b's'),
        b'w' => matches!(second, b's'),
        b'x' => matches!(second, b'w'),
        b'z' => matches!(second, b'e'),
        _ => false,
    }
}

/// Whether a mark may stand at `i`: most words stop here.
pub fn may_start(bytes: &[u8], i: usize) -> bool {
    let first = at(bytes, i).to_ascii_lowercase();
    first == b'$'
        || may_start_mark(first, at(bytes, i + 1))
        || first == b'_' && at(bytes, i + 1) == b'_'
}

/// A mark at `i`, where a word starts and [`may_start`] says that it may: its language and its end.
pub fn mark_at(bytes: &[u8], i: usize) -> Option<(Language, usize)> {
    let first = at(bytes, i).to_ascii_lowercase();
    if first == b'_' && at(bytes, i + 1) == b'_' {
        return dunder(bytes, i);
    }
    if first == b'$' {
        let name = SUPERGLOBALS.iter().find(|name| has(bytes, i + 1, name))?;
        let end = i + 1 + name.len();
        return matches!(at(bytes, end), b'[' | b'{').then_some((Language::Php, end));
    }
    candidates(MARKS, bytes, i)
        .iter()
        .find(|(mark, _)| {
            // Many begin alike.
            let last = at(bytes, i + mark.len() - 1);
            mark.last() == Some(&last.to_ascii_lowercase()) && has(bytes, i, mark)
        })
        .map(|(mark, language)| (*language, i + mark.len()))
        .filter(|(_, end)| {
            // `java.lang.RuntimeException` in an error report is not `java.lang.Runtime`.
            !is_word(at(bytes, *end))
                || !is_word(at(bytes, end - 1))
                || !has(bytes, *end, b"exception")
        })
        .filter(|(_, end)| !is_a_frame(bytes, i, *end) && !is_a_page(bytes, i, *end))
}

/// Whether Node's module of processes is only named, as its documentation and links to it do (`child_process.html`): code has
/// its name in quotes, or calls one of its functions.
#[inline(never)]
fn is_a_page(bytes: &[u8], i: usize, end: usize) -> bool {
    const NAME: &[u8] = b"child_process";
    if end - i != NAME.len() || !has(bytes, i, NAME) {
        return false;
    }
    let sign = |byte: u8| {
        matches!(
            byte,
            b'\'' | b'"' | b'`' | b'\\' | b'(' | b')' | b':' | b'[' | b']'
        )
    };
    let called = at(bytes, end) == b'.' && matches!(at(bytes, end + 1) | 0x20, b'e' | b's' | b'f');
    let opened = sign(before(bytes, i)) && !has(bytes, end, b".html");
    // `class="nav-child_process"`, `href="#child_process"`
    let closed = sign(at(bytes, end)) && !matches!(before(bytes, i), b'-' | b'#');
    !(called || opened || closed)
}

/// Whether a Java class that error reports name in their frames (`java.lang.Thread.run`) is nothing but named: not reached
/// by OGNL's or SpEL's signs, and no method of its own that code calls.
fn is_a_frame(bytes: &[u8], i: usize, end: usize) -> bool {
    const REPORTED: [&[u8]; 3] = [
        b"java.lang.thread",
        b"java.lang.class",
        b"java.util.scanner",
    ];
    const CALLED: [&[u8]; 3] = [b".sleep", b".forname", b".currentthread"];
    REPORTED.iter().any(|name| has(bytes, i, name))
        && !matches!(at(bytes, end), b'@' | b')' | b'(')
        && !CALLED.iter().any(|method| has(bytes, end, method))
}

/// `__class__` and its kin, and `__proto__`.
fn dunder(bytes: &[u8], i: usize) -> Option<(Language, usize)> {
    if has(bytes, i, b"__proto__") {
        return Some((Language::Prototype, i + 9));
    }
    if has(bytes, i, b"__construct") && !matches!(at(bytes, i + 11), b'(' | b' ' | b'o' | b'O') {
        return Some((Language::Php, i + 11));
    }
    let name = DUNDERS
        .iter()
        .find(|name| has(bytes, i + 2, name) && has(bytes, i + 2 + name.len(), b"__"))?;
    let end = i + 4 + name.len();
    if *name == b"class" && is_own_class(bytes, i, end) {
        return None;
    }
    Some((Language::Python, end))
}

/// `self.__class__.__name__`, `type(self.__class__)`: what code says of its own object. A way out of an expression goes on from
/// there to what the class has, or begins with a literal.
#[inline(never)]
fn is_own_class(bytes: &[u8], i: usize, end: usize) -> bool {
    let own = bytes
        .get(..i)
        .is_some_and(|left| left.ends_with(b"self.") || left.ends_with(b"other."));
    own && (has(bytes, end, b".__name__")
        || matches!(at(bytes, end), b'(' | b')' | b',' | b' ' | b'\n' | b':'))
        && !has(bytes, end, b".__name__.")
}

/// Whether the `#` at `i` starts an OGNL variable: `#context.`, `(#x=`, `#req=#`.
pub fn ognl(bytes: &[u8], i: usize, previous: u8) -> bool {
    const VARIABLES: &[&[u8]] = &[
        b"_memberaccess",
        b"application.",
        b"attr[",
        b"context.",
        b"context[",
        b"parameters.",
        b"session.",
        b"request.",
    ];
    if VARIABLES.iter().any(|name| has(bytes, i + 1, name)) {
        return true;
    }
    let name = bytes
        .iter()
        .skip(i + 1)
        .take(24)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let next = at(bytes, i + 1 + name + 1);
    name > 0
        && at(bytes, i + 1 + name) == b'='
        && (previous == b'(' && next != b'='
            || next == b'#'
            || next == b'@'
            || has(bytes, i + 2 + name, b"new "))
}

/// Whether a name is put together from variables at `i`: `$a$b$c$d`.
pub fn chain(bytes: &[u8], i: usize) -> bool {
    let mut k = i;
    for _ in 0..5 {
        if at(bytes, k) != b'$' || !at(bytes, k + 1).is_ascii_alphabetic() {
            return false;
        }
        k += 2 + usize::from(at(bytes, k + 2).is_ascii_digit());
    }
    true
}

/// What a byte can begin in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing.
    Plain,
    /// A word that a mark starts with.
    Word,
    /// A sign of some grammar.
    Sign,
}

/// The role of `byte`: one look-up, for every byte of every value comes here.
#[inline]
pub fn role(byte: u8) -> Role {
    static ROLES: [Role; 256] = roles();
    ROLES.get(usize::from(byte)).copied().unwrap_or(Role::Sign)
}

/// The signs of all grammars.
pub static SIGNS: Set = Set::of(SIGN);
const SIGN: &[u8] = b";|&\n`$<>(/#%{*@~_!";

const fn roles() -> [Role; 256] {
    let mut table = [Role::Plain; 256];
    let mut rest: &mut [Role] = &mut table;
    let mut byte = 0_u8;
    while let [first, tail @ ..] = rest {
        *first = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Role::Word,
            _ => Role::Plain,
        };
        let mut signs = SIGN;
        while let [sign, others @ ..] = signs {
            if *sign == byte {
                *first = Role::Sign;
            }
            signs = others;
        }
        rest = tail;
        byte = byte.wrapping_add(1);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_sorted() {
        assert!(MARKS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(MARKS.iter().all(|(mark, _)| may_start(mark, 0)));
    }

    #[test]
    fn the_prefilter_knows_every_mark_for_code() {
        let unseen: Vec<_> = MARKS
            .iter()
            .map(|(mark, _)| mark)
            .filter(|mark| mark[0].is_ascii_alphabetic())
            .filter(|mark| {
                let seen = crate::prefilter::features(mark);
                seen.of(crate::Category::CommandInjection) & super::super::anchors::CODE == 0
            })
            .map(|mark| mark.escape_ascii().to_string())
            .collect();
        assert!(unseen.is_empty(), "{unseen:?}");
    }

    #[test]
    fn marks_and_their_look_alikes() {
        for (text, language) in [
            ("java.lang.Runtime@getRuntime()", Some(Language::Java)),
            ("java.lang.RuntimeException: x", None),
            ("__class__.__mro__", Some(Language::Python)),
            ("__name__", None),
            ("__error__", None),
            ("__proto__", Some(Language::Prototype)),
            ("$_GET[x]", Some(Language::Php)),
            ("$_getting", None),
            ("process.mainModule.require", Some(Language::Node)),
            ("process.env", None),
            ("child_process.execSync(", Some(Language::Node)),
            ("child_process')", Some(Language::Node)),
            ("child_process.html", None),
            ("child_process is a module", None),
        ] {
            assert_eq!(mark_at(text.as_bytes(), 0).map(|m| m.0), language, "{text}");
        }
    }
}
