//! Where a URL leads: to another host, to a known player, or to a host that is disguised.

use super::ascii::starts_with;

/// Whether a URL names another host.
pub fn leaves_the_site(url: &[u8]) -> bool {
    let url = url.trim_ascii();
    starts_with(url, b"//")
        || starts_with(url, b"\\\\")
        || starts_with(url, b"\\/")
        || starts_with(url, b"/\\")
        || starts_with(url, b"http:")
        || starts_with(url, b"https:")
}

/// Whether a frame shows a player that rich-text editors embed.
pub fn is_video_player(url: &[u8]) -> bool {
    const PLAYERS: [&[u8]; 20] = [
        b"www.youtube.com/embed/",
        b"www.youtube-nocookie.com/embed/",
        b"player.vimeo.com/video/",
        b"tv.naver.com/embed/",
        b"tv.kakao.com/embed/",
        b"play-tv.kakao.com/embed/",
        b"open.spotify.com/embed/",
        b"www.google.com/maps/embed",
        b"maps.google.com/maps?",
        b"calendar.google.com/calendar/embed",
        b"docs.google.com/forms/",
        b"docs.google.com/presentation/",
        b"www.facebook.com/plugins/",
        b"www.tiktok.com/embed/",
        b"www.dailymotion.com/embed/",
        b"player.twitch.tv/",
        b"w.soundcloud.com/player/",
        b"player.bilibili.com/player.html",
        b"www.slideshare.net/slideshow/embed_code/",
        b"view.officeapps.live.com/op/embed.aspx",
    ];
    let url = url.trim_ascii();
    let url = url.strip_prefix(b"https:").unwrap_or(url);
    url.strip_prefix(b"//")
        .is_some_and(|rest| PLAYERS.iter().any(|player| rest.starts_with(player)))
}

/// Whether a style sheet comes from a host that serves nothing but web fonts, as templates of mails and editors link them.
pub fn is_font_sheet(url: &[u8]) -> bool {
    const HOSTS: [&[u8]; 4] = [
        b"fonts.googleapis.com/",
        b"use.typekit.net/",
        b"fonts.bunny.net/",
        b"use.fontawesome.com/releases/",
    ];
    let url = url.trim_ascii();
    let url = url.strip_prefix(b"https:").unwrap_or(url);
    url.strip_prefix(b"//")
        .is_some_and(|rest| HOSTS.iter().any(|host| rest.starts_with(host)))
}

/// Whether a URL's host is written so that nobody reads it: as a number, in hexadecimal or octal, behind a user name, or
/// through control characters.
pub fn is_disguised(url: &[u8]) -> bool {
    let url = url.trim_ascii();
    // A quote to Internet Explorer alone, and slashes that only browsers take for slashes.
    if [&b"``"[..], b"\\/", b"/\\"]
        .iter()
        .any(|start| url.starts_with(start))
    {
        return true;
    }
    let scheme = [&b"http:"[..], b"https:"]
        .iter()
        .find(|scheme| starts_with(url, scheme))
        .map_or(0, |scheme| scheme.len());
    let Some(rest) = url.get(scheme..).and_then(|rest| rest.strip_prefix(b"//")) else {
        let head = url.get(..12).unwrap_or(url);
        return scheme == 0
            && starts_with(url, b"h")
            && head.iter().any(u8::is_ascii_control)
            && head.contains(&b':');
    };
    let host = rest
        .split(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\'))
        .next()
        .unwrap_or_default();
    let number = host.len() > 6 && host.iter().all(u8::is_ascii_digit);
    number
        || has_odd_parts(host)
        || has_misleading_user(host)
        || host.len() > 1 && host.ends_with(b".")
        || has_named_port(host)
        || host.iter().any(u8::is_ascii_control)
}

/// Whether the user name before the host looks like a host itself.
fn has_misleading_user(host: &[u8]) -> bool {
    memchr::memchr(b'@', host)
        .and_then(|at| host.get(..at))
        .is_some_and(|user| user.contains(&b'.'))
}

/// Whether what stands where the port should is a name: `http://good.example:x.example`.
fn has_named_port(host: &[u8]) -> bool {
    let behind_user = host.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    let port = memchr::memchr(b':', behind_user).and_then(|colon| behind_user.get(colon + 1..));
    !behind_user.starts_with(b"[")
        && port.is_some_and(|port| port.contains(&b'.') && port.iter().any(u8::is_ascii_alphabetic))
}

/// Whether a dotted host has parts in hexadecimal or octal and none that is a name.
fn has_odd_parts(host: &[u8]) -> bool {
    let parts = || host.split(|byte| *byte == b'.');
    let hexadecimal = |part: &[u8]| starts_with(part, b"0x");
    parts().nth(1).is_some()
        && parts().all(|part| hexadecimal(part) || part.iter().all(u8::is_ascii_digit))
        && parts().any(|part| hexadecimal(part) || part.len() > 1 && part.first() == Some(&b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_is_told_by_host_and_path() {
        assert!(is_video_player(b"https://www.youtube.com/embed/abc?rel=0"));
        assert!(!is_video_player(
            b"https://www.youtube.com.x.example/embed/abc"
        ));
        assert!(!is_video_player(
            b"https://x.example/www.youtube.com/embed/"
        ));
        assert!(!is_video_player(b"http://www.youtube.com/embed/"));
    }

    #[test]
    fn a_host_is_disguised_by_its_spelling_only() {
        for url in [
            "http://1113982867/",
            "//0x42.0x66.0x7.0x93/",
            "http://0102.0146.7.147",
            "http://good.example@x.example/",
            "ht\ttp://x.example",
            "http://good.example./",
            "http://good.example:x.example/",
            "``x.example``",
            "\\/x.example/a",
        ] {
            assert!(is_disguised(url.as_bytes()), "{url}");
        }
        for url in [
            "https://example.com/a@b",
            "http://10.0.0.5:8080/",
            "/local",
            "//cdn.example/a.js",
            "http://localhost/",
            "http://[::1]:80/",
            "https://example.com:{port}/",
        ] {
            assert!(!is_disguised(url.as_bytes()), "{url}");
        }
    }
}
