//! The rules of XSS.

use crate::{Category, Level, Rule, Severity};

/// What most rules share: alone enough to block, at every sensitivity.
const CRITICAL: Rule = Rule {
    id: 0,
    name: "",
    category: Category::Xss,
    severity: Severity::Critical,
    level: Level::One,
    description: "",
    example: "",
    lookalike: "",
    reference: "CWE-79",
};
/// What the rules of the second sensitivity level share.
const STRICTER: Rule = Rule {
    level: Level::Two,
    ..CRITICAL
};

/// `<script`.
pub const SCRIPT_TAG: Rule = Rule {
    id: 2001,
    name: "xss-script-tag",
    description: "A script element, in any namespace and with the separators that browsers allow in its tag.",
    example: "<script/x>go()</script>",
    lookalike: "the Javascript <scripting> chapter",
    reference: "CWE-79, CAPEC-63, CRS 941110",
    ..CRITICAL
};
/// `javascript:`.
pub const JAVASCRIPT: Rule = Rule {
    id: 2002,
    name: "xss-javascript",
    description: "A URL of a script scheme (javascript:, vbscript:) with code behind it, through control characters and entities.",
    example: "java\tscript:go(1)",
    lookalike: "JavaScript: The Good Parts",
    reference: "CWE-83, CAPEC-18, CRS 941210",
    ..CRITICAL
};
/// `onerror=`.
pub const ONERROR: Rule = Rule {
    id: 2003,
    name: "xss-onerror",
    description: "An onerror handler in a tag or behind a quote that ends an attribute.",
    example: "<img src=x onerror=go()>",
    lookalike: "<img src=\"/x.png\" alt=\"an error\">",
    reference: "CWE-83, CAPEC-243, CRS 941120",
    ..CRITICAL
};
/// `onload=`.
pub const ONLOAD: Rule = Rule {
    id: 2004,
    name: "xss-onload",
    description: "An onload handler in a tag or behind a quote that ends an attribute.",
    example: "<svg/onload=go()>",
    lookalike: "download=1&preload=auto",
    reference: "CWE-83, CAPEC-243, CRS 941120",
    ..CRITICAL
};
/// `onclick=`.
pub const ONCLICK: Rule = Rule {
    id: 2005,
    name: "xss-onclick",
    description: "An onclick handler in a tag or behind a quote that ends an attribute.",
    example: "<b onclick='go()'>press</b>",
    lookalike: "<Button onClick={handleClick}>",
    reference: "CWE-83, CAPEC-243, CRS 941120",
    ..CRITICAL
};
/// `<img`.
pub const IMG_TAG: Rule = Rule {
    id: 2006,
    name: "xss-img-tag",
    description: "An image or media tag: harmless by itself, the usual carrier of a handler, and a beacon to other sites.",
    example: "<img src=//x.example/a.gif>",
    lookalike: "an img tag",
    reference: "CWE-80, CRS 941320",
    ..STRICTER
};
/// `<iframe`.
pub const IFRAME: Rule = Rule {
    id: 2007,
    name: "xss-iframe",
    description: "A tag that opens another document: iframe, frame, portal. Players of well-known video hosts pass.",
    example: "<iframe src=//x.example>",
    lookalike: "<iframe src=\"https://www.youtube.com/embed/abc\" allowfullscreen></iframe>",
    reference: "CWE-79, CAPEC-587, CRS 941320",
    ..CRITICAL
};
/// `eval(`.
pub const EVAL: Rule = Rule {
    id: 2008,
    name: "xss-eval",
    description: "JavaScript that turns a string into code: eval, Function, setTimeout with a string, execScript, import().",
    example: "eval(name)",
    lookalike: "retrieval(name)",
    reference: "CWE-95, CRS 941390",
    ..CRITICAL
};
/// Any other handler.
pub const EVENT_HANDLER: Rule = Rule {
    id: 2009,
    name: "xss-event-handler",
    description: "An event handler attribute that browsers know, or an unknown one with code in it.",
    example: "\" autofocus onfocus=go() x=\"",
    lookalike: "?onboarding=true&once=1",
    reference: "CWE-83, CAPEC-244, CRS 941120",
    ..CRITICAL
};
/// `<object`, `<embed>`, `<applet>`.
pub const PLUGIN_TAG: Rule = Rule {
    id: 2010,
    name: "xss-plugin-tag",
    description: "A tag that loads a plug-in or a foreign document: object, embed, applet, old data islands and VML frames.",
    example: "<embed src=//x.example/a.swf>",
    lookalike: "<objective> of the course",
    reference: "CWE-79, CRS 941230",
    ..CRITICAL
};
/// `<base href`.
pub const BASE_TAG: Rule = Rule {
    id: 2011,
    name: "xss-base-tag",
    description: "A base element with an address: every relative script of the page is loaded from there.",
    example: "<base href=//x.example/>",
    lookalike: "<base_url>/api",
    reference: "CWE-79, CRS 941240",
    ..CRITICAL
};
/// `<meta http-equiv`.
pub const META_TAG: Rule = Rule {
    id: 2012,
    name: "xss-meta-tag",
    description: "A meta element that redirects, sets a cookie or a policy, or changes the character set to an odd one.",
    example: "<meta http-equiv=refresh content=0;url=//x.example>",
    lookalike: "<meta charset=\"utf-8\">",
    reference: "CWE-79, CRS 941260",
    ..CRITICAL
};
/// `<link rel=stylesheet`.
pub const LINK_TAG: Rule = Rule {
    id: 2013,
    name: "xss-link-tag",
    description: "A link element that loads a style sheet, a module or an import.",
    example: "<link rel=stylesheet href=//x.example/a.css>",
    lookalike: "<link>https://example.com/rss</link>",
    reference: "CWE-79, CRS 941270",
    ..CRITICAL
};
/// `<form action`.
pub const FORM_ACTION: Rule = Rule {
    id: 2014,
    name: "xss-form-action",
    description: "A form, or a button that redirects one, that sends what is typed to another host; isindex.",
    example: "<form action=//x.example/log>",
    lookalike: "<form action=\"/search\">",
    reference: "CWE-79, CWE-352, CRS 941190",
    ..CRITICAL
};
/// `expression(`.
pub const STYLE: Rule = Rule {
    id: 2015,
    name: "xss-style",
    description: "CSS that runs or loads code: expression(), -moz-binding, behavior, @import, script URLs, through escapes and comments.",
    example: "<b style=x:exp/**/ression(go())>",
    lookalike: "<b style=\"color:red\">a regular expression</b>",
    reference: "CWE-79, CRS 941190",
    ..CRITICAL
};
/// `<animate attributeName=href`.
pub const ANIMATE: Rule = Rule {
    id: 2016,
    name: "xss-animate",
    description: "SVG, SMIL or XML-events elements that write a link, a handler or markup, or run one.",
    example: "<set attributeName=onmouseover to=go()>",
    lookalike: "<animate attributeName=\"opacity\" from=\"0\" to=\"1\"/>",
    reference: "CWE-79",
    ..CRITICAL
};
/// `srcdoc=`.
pub const SRCDOC: Rule = Rule {
    id: 2017,
    name: "xss-srcdoc",
    description: "A srcdoc attribute: a whole document in a value.",
    example: "<iframe srcdoc=\"&lt;p>\">",
    lookalike: "the srcdoc attribute",
    reference: "CWE-79, CRS 941150",
    ..CRITICAL
};
/// `data:text/html`.
pub const DATA_URL: Rule = Rule {
    id: 2018,
    name: "xss-data-url",
    description: "A data: URL of a type that runs script: HTML, XHTML, XML, JavaScript, or SVG where it is opened as a document.",
    example: "data:text/html;base64,PGI+",
    lookalike: "data:image/png;base64,iVBORw0KGgo=",
    reference: "CWE-79, CRS 941170",
    ..CRITICAL
};
/// `"><`.
pub const ATTRIBUTE_BREAKOUT: Rule = Rule {
    id: 2019,
    name: "xss-attribute-breakout",
    description: "A value that begins by ending the attribute and the tag it is placed in, and opens its own.",
    example: "x\"><u>mark</u>",
    lookalike: "the \"> sign ends a tag",
    reference: "CWE-79, CAPEC-243, CRS 941330",
    ..CRITICAL
};
/// `';alert(1)//`.
pub const JS_BREAKOUT: Rule = Rule {
    id: 2020,
    name: "xss-js-breakout",
    description: "A value that ends the JavaScript string it is placed in, calls something and makes the rest of the line harmless.",
    example: "';alert(1)//",
    lookalike: "he said 'go' (twice)",
    reference: "CWE-79, CRS 941350",
    ..CRITICAL
};
/// `alert(1)`.
pub const JS_DIALOG: Rule = Rule {
    id: 2021,
    name: "xss-js-dialog",
    description: "JavaScript that opens a dialogue: alert, prompt, confirm called, applied or handed on.",
    example: "(alert)(1)",
    lookalike: "please confirm (by phone)",
    reference: "CWE-79, CRS 941390",
    ..CRITICAL
};
/// `document.cookie`.
pub const DOM_SINK: Rule = Rule {
    id: 2022,
    name: "xss-dom-sink",
    description: "JavaScript that reads the page's secrets, writes it or leaves it: document.cookie, document.write, window.location.",
    example: "document.cookie",
    lookalike: "the document. Cookie policy",
    reference: "CWE-79, CRS 941180",
    ..CRITICAL
};
/// `constructor.constructor`.
pub const JS_GADGET: Rule = Rule {
    id: 2023,
    name: "xss-js-gadget",
    description: "JavaScript written so that no name shows: constructor chains, window['…'], String.fromCharCode, Reflect, tagged templates, six-letter code.",
    example: "window['al'+'ert'](1)",
    lookalike: "window[0] and constructor injection",
    reference: "CWE-79, CRS 941360, CRS 941370",
    ..CRITICAL
};
/// `{{constructor…}}`.
pub const CLIENT_TEMPLATE: Rule = Rule {
    id: 2024,
    name: "xss-client-template",
    description: "A client-side template expression that reaches a constructor, a scope function or a call of code.",
    example: "{{x.constructor.constructor('go()')()}}",
    lookalike: "{{ user.name }}",
    reference: "CWE-1336, CWE-79, CRS 941380",
    ..CRITICAL
};
/// `+ADw-script`.
pub const CHARSET: Rule = Rule {
    id: 2025,
    name: "xss-charset",
    description: "Markup in a character set that the page may be talked into: UTF-7 shifts, US-ASCII with the high bit set.",
    example: "+ADw-script+AD4-",
    lookalike: "about \u{bc} of the script",
    reference: "CWE-838, CRS 941310, CRS 941350",
    ..CRITICAL
};
/// `</textarea>`.
pub const RAWTEXT_END: Rule = Rule {
    id: 2026,
    name: "xss-rawtext-end",
    description: "The end tag of an element whose content is raw text (script, style, title, textarea …) without its start tag.",
    example: "</textarea><b>",
    lookalike: "<title>news</title>",
    reference: "CWE-79, CAPEC-588",
    ..CRITICAL
};
/// `<!--#exec`.
pub const SERVER_INCLUDE: Rule = Rule {
    id: 2027,
    name: "xss-server-include",
    description: "A server-side include directive.",
    example: "<!--#exec cmd=id -->",
    lookalike: "<!-- #1 in the list -->",
    reference: "CWE-97, CAPEC-101",
    ..CRITICAL
};
/// Markup within markup without end.
pub const NESTING: Rule = Rule {
    id: 2028,
    name: "xss-nesting",
    description: "Tags opened within quoted attributes of tags over and over: no document, but a way to tire a parser.",
    example: "<a y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' y='<b ' >",
    lookalike: "<a title=\"a <b> tag\">",
    reference: "CWE-400, CWE-79",
    ..CRITICAL
};
/// `<marquee>`.
pub const PROBE_TAG: Rule = Rule {
    id: 2029,
    name: "xss-probe-tag",
    description: "An element that no editor writes any more and testers like (marquee, blink, layer, xmp, plaintext, bgsound), or the string that shows which signs a page lets through.",
    example: "<marquee>x</marquee>",
    lookalike: "<strong>x</strong>",
    reference: "CWE-80",
    ..CRITICAL
};
/// Any known tag.
pub const HTML_MARKUP: Rule = Rule {
    id: 2030,
    name: "xss-html-markup",
    description: "Any HTML tag that browsers know, with or without attributes.",
    example: "<b>bold</b>",
    lookalike: "a < b, Name <a@b.example>, List<String>",
    reference: "CWE-80, CRS 941320",
    ..STRICTER
};
/// `alert(1)` in a long text.
pub const JS_IN_TEXT: Rule = Rule {
    id: 2031,
    name: "xss-js-in-text",
    description: "JavaScript calls and sinks in a text of several lines, in a sentence or in an element that shows code: code that is spoken of as a rule.",
    example: "First read it:\n\n    let a = document.cookie;\n\nand then show it to whoever asked for it, with a box, say,\nor write it on the page where it can be seen by everybody\nwho happens to pass by and to look at it for a while:\n\n    alert(a)\n\nthat is all that there is to it.",
    lookalike: "First line.\nThe document. The window.\nThe end.",
    reference: "CWE-79, CRS 941180",
    ..STRICTER
};
/// `<x`.
pub const TAG_LIKE: Rule = Rule {
    id: 2032,
    name: "xss-tag-like",
    description: "Anything that a browser would read as a tag, known or not.",
    example: "<unknown thing>",
    lookalike: "a < b",
    reference: "CWE-80, CRS 941320",
    severity: Severity::Warning,
    level: Level::Three,
    ..CRITICAL
};

/// `javascript:;`.
pub const JAVASCRIPT_IDLE: Rule = Rule {
    id: 2033,
    name: "xss-javascript-idle",
    description: "A script URL that does nothing, outside of markup: what scanners try first, and what click trackers and copies of a page's elements send, as menus are such links.",
    example: "javascript:void(0)",
    lookalike: "javascript: void of sense",
    reference: "CWE-83, CRS 941210",
    ..STRICTER
};
/// `<a href=//0x7f.1>`.
pub const LINK_HOST: Rule = Rule {
    id: 2034,
    name: "xss-link-host",
    description: "A link whose host is disguised: a number, octal or hexadecimal parts, a user name before it, control characters within it.",
    example: "<a href=http://0x42.0x66/>here</a>",
    lookalike: "<a href=\"https://example.com/a@b\">here</a>",
    reference: "CWE-601, CAPEC-98",
    ..CRITICAL
};

/// `?q=<a href=//x.example>`.
pub const MARKUP_IN_URL: Rule = Rule {
    id: 2035,
    name: "xss-markup-in-url",
    description: "A tag that leads to or loads from another host, in a query, a path, a cookie or a header: places where no editor writes markup.",
    example: "<a href=//x.example/>win</a>",
    lookalike: "<a href=\"/tickets\">tickets</a>",
    reference: "CWE-80, CAPEC-148",
    ..CRITICAL
};

/// Every rule of this category.
pub static RULES: &[Rule] = &[
    SCRIPT_TAG,
    JAVASCRIPT,
    ONERROR,
    ONLOAD,
    ONCLICK,
    IMG_TAG,
    IFRAME,
    EVAL,
    EVENT_HANDLER,
    PLUGIN_TAG,
    BASE_TAG,
    META_TAG,
    LINK_TAG,
    FORM_ACTION,
    STYLE,
    ANIMATE,
    SRCDOC,
    DATA_URL,
    ATTRIBUTE_BREAKOUT,
    JS_BREAKOUT,
    JS_DIALOG,
    DOM_SINK,
    JS_GADGET,
    CLIENT_TEMPLATE,
    CHARSET,
    RAWTEXT_END,
    SERVER_INCLUDE,
    NESTING,
    PROBE_TAG,
    HTML_MARKUP,
    JS_IN_TEXT,
    TAG_LIKE,
    JAVASCRIPT_IDLE,
    LINK_HOST,
    MARKUP_IN_URL,
];
