//! Event handler content attributes that browsers know (HTML, SVG, SMIL, pointer and touch events, WebKit, Gecko and old IE).

/// Names without their `on`, sorted.
const EVENTS: &[&[u8]] = &[
    b"abort",
    b"activate",
    b"afterprint",
    b"afterscriptexecute",
    b"afterupdate",
    b"animationcancel",
    b"animationend",
    b"animationiteration",
    b"animationstart",
    b"auxclick",
    b"beforeactivate",
    b"beforecopy",
    b"beforecut",
    b"beforedeactivate",
    b"beforeeditfocus",
    b"beforeinput",
    b"beforeload",
    b"beforematch",
    b"beforepaste",
    b"beforeprint",
    b"beforescriptexecute",
    b"beforetoggle",
    b"beforeunload",
    b"beforeupdate",
    b"beforexrselect",
    b"begin",
    b"blur",
    b"bounce",
    b"cancel",
    b"canplay",
    b"canplaythrough",
    b"cellchange",
    b"change",
    b"click",
    b"close",
    b"command",
    b"compositionend",
    b"compositionstart",
    b"compositionupdate",
    b"contentvisibilityautostatechange",
    b"contextlost",
    b"contextmenu",
    b"contextrestored",
    b"controlselect",
    b"copy",
    b"cuechange",
    b"cut",
    b"dataavailable",
    b"datasetchanged",
    b"datasetcomplete",
    b"dblclick",
    b"deactivate",
    b"drag",
    b"dragdrop",
    b"dragend",
    b"dragenter",
    b"dragexit",
    b"dragleave",
    b"dragover",
    b"dragstart",
    b"drop",
    b"durationchange",
    b"emptied",
    b"encrypted",
    b"end",
    b"ended",
    b"error",
    b"errorupdate",
    b"filterchange",
    b"finish",
    b"focus",
    b"focusin",
    b"focusout",
    b"formchange",
    b"formdata",
    b"forminput",
    b"fullscreenchange",
    b"fullscreenerror",
    b"gesturechange",
    b"gestureend",
    b"gesturestart",
    b"gotpointercapture",
    b"hashchange",
    b"help",
    b"input",
    b"invalid",
    b"keydown",
    b"keypress",
    b"keyup",
    b"languagechange",
    b"layoutcomplete",
    b"load",
    b"loadeddata",
    b"loadedmetadata",
    b"loadend",
    b"loadstart",
    b"locationchange",
    b"losecapture",
    b"lostpointercapture",
    b"mediacomplete",
    b"mediaerror",
    b"message",
    b"messageerror",
    b"mousedown",
    b"mouseenter",
    b"mouseleave",
    b"mousemove",
    b"mouseout",
    b"mouseover",
    b"mouseup",
    b"mousewheel",
    b"move",
    b"moveend",
    b"movestart",
    b"mozfullscreenchange",
    b"mozfullscreenerror",
    b"offline",
    b"online",
    b"orientationchange",
    b"outofsync",
    b"pagehide",
    b"pagereveal",
    b"pageshow",
    b"pageswap",
    b"paste",
    b"pause",
    b"play",
    b"playing",
    b"pointercancel",
    b"pointerdown",
    b"pointerenter",
    b"pointerleave",
    b"pointermove",
    b"pointerout",
    b"pointerover",
    b"pointerrawupdate",
    b"pointerup",
    b"popstate",
    b"popuphidden",
    b"popuphiding",
    b"popupshowing",
    b"popupshown",
    b"progress",
    b"propertychange",
    b"ratechange",
    b"readystatechange",
    b"rejectionhandled",
    b"repeat",
    b"reset",
    b"resize",
    b"resizeend",
    b"resizestart",
    b"resume",
    b"reverse",
    b"rowdelete",
    b"rowenter",
    b"rowexit",
    b"rowinserted",
    b"rowsdelete",
    b"rowsenter",
    b"rowsinserted",
    b"scroll",
    b"scrollend",
    b"scrollsnapchange",
    b"scrollsnapchanging",
    b"search",
    b"securitypolicyviolation",
    b"seek",
    b"seeked",
    b"seeking",
    b"select",
    b"selectionchange",
    b"selectstart",
    b"show",
    b"slotchange",
    b"stalled",
    b"start",
    b"stop",
    b"storage",
    b"submit",
    b"suspend",
    b"syncrestored",
    b"timeerror",
    b"timeout",
    b"timeupdate",
    b"toggle",
    b"touchcancel",
    b"touchend",
    b"touchmove",
    b"touchstart",
    b"trackchange",
    b"transitioncancel",
    b"transitionend",
    b"transitionrun",
    b"transitionstart",
    b"unhandledrejection",
    b"unload",
    b"urlflip",
    b"volumechange",
    b"waiting",
    b"webkitanimationend",
    b"webkitanimationiteration",
    b"webkitanimationstart",
    b"webkitfullscreenchange",
    b"webkitmouseforcechanged",
    b"webkitmouseforcedown",
    b"webkitmouseforceup",
    b"webkitmouseforcewillbegin",
    b"webkitplaybacktargetavailabilitychanged",
    b"webkittransitionend",
    b"webkitwillrevealbottom",
    b"wheel",
    b"zoom",
];

/// The shortest name, with its `on`.
const SHORTEST: usize = 5;
/// The longest name, with its `on`.
pub const LONGEST: usize = 41;

/// Whether `name` (any case) is an event handler that some browser knows.
pub fn is_known(name: &[u8]) -> bool {
    let Some((on, event)) = name.split_at_checked(2) else {
        return false;
    };
    if !on.eq_ignore_ascii_case(b"on") || name.len() < SHORTEST || name.len() > LONGEST {
        return false;
    }
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..event.len()) else {
        return false;
    };
    lower.copy_from_slice(event);
    lower.make_ascii_lowercase();
    EVENTS.binary_search(&&*lower).is_ok()
}

/// Whether `name` has the shape of a handler: `on` and at least three letters. A browser yet to come may know it.
pub fn looks_like_one(name: &[u8]) -> bool {
    name.split_at_checked(2).is_some_and(|(on, event)| {
        on.eq_ignore_ascii_case(b"on")
            && event.len() >= 3
            && event.iter().all(u8::is_ascii_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_within_its_bound() {
        assert!(EVENTS.is_sorted());
        let longest = EVENTS.iter().map(|event| event.len() + 2).max();
        assert_eq!(longest, Some(LONGEST));
        let shortest = EVENTS.iter().map(|event| event.len() + 2).min();
        assert_eq!(shortest, Some(SHORTEST));
    }

    #[test]
    fn names_that_only_begin_like_a_handler_are_none() {
        for known in [
            "onerror",
            "OnLoad",
            "ONCLICK",
            "onwebkitplaybacktargetavailabilitychanged",
        ] {
            assert!(is_known(known.as_bytes()), "{known}");
        }
        for other in [
            "on",
            "once",
            "onion",
            "onboarding",
            "only",
            "onloaded",
            "error",
            "",
        ] {
            assert!(!is_known(other.as_bytes()), "{other}");
        }
        assert!(looks_like_one(b"onnewevent"));
        assert!(!looks_like_one(b"on-click"));
        assert!(!looks_like_one(b"only"));
    }
}
