//! Honest texts.

use proptest::prelude::*;

/// What people write, some of it with words that mean something in a language of machines. A lone `; cat` is not among it.
const WORDS: &[&str] = &[
    "tickets",
    "Seoul",
    "please select a seat",
    "the union",
    "in order of arrival",
    "seats from 1,250 won",
    "where we sat",
    "a table for two",
    "don't drop it",
    "this or that",
    "bread and butter",
    "nothing like it",
    "a good sleep",
    "my script",
    "an image",
    "in style",
    "the cat",
    "your id",
    "to echo",
    "some ping",
    "those who know",
    "the system",
    "an admin",
    "the root of it",
    "her windows",
    "a file",
    "local",
    "our host",
    "one entity",
    "a document",
    "cookies",
    "an alert",
    "콘서트",
    "예매",
    "좌석",
    "잠실",
    "안녕하세요",
    "チケット",
    "大阪城ホール",
    "座席",
    "音楽会",
    "北京",
    "билеты",
    "Москва",
    "Привет",
    "Müller",
    "Zoë",
    "naïve",
    "façade",
    "señor",
    "œuvre",
    "ΑΘΗΝΑ",
    "μουσική",
    "תודה",
    "شكرا",
    "धन्यवाद",
    "สวัสดี",
    "O'Brien",
    "don't",
    "it's",
    "l'été",
    "rock'n'roll",
    "AT&T",
    "R&B",
    "C++",
    "C#",
    ".NET",
    "e-mail",
    "co-op",
    "x-ray",
];

/// What stands for itself: numbers, times, prices, addresses, file names.
const TOKENS: &[&str] = &[
    "7",
    "2026-11-22",
    "19:30",
    "1,250.00",
    "50%",
    "20%",
    "₩132,000",
    "$49.90",
    "€20",
    "№ 5",
    "#12",
    "1/2",
    "3x4",
    "90°",
    "+82-2-555-0100",
    "kim@tickets.example",
    "www.tickets.example",
    "https://tickets.example/seats?row=7&block=A",
    "seat-plan.pdf",
    "v1.2.3",
    "2+2=4",
    "A-12",
    "Q&A",
    "24/7",
    "10:30-12:00",
    "5'11\"",
    "B*",
    "😀",
    "❤️",
    "…",
    "—",
];

/// How words are joined: punctuation where a writer puts it.
const JOINTS: &[&str] = &[
    " ", " ", " ", ", ", ". ", "; ", ": ", " - ", " & ", " / ", "? ", "! ", " – ", "\u{a0}",
];

pub fn benign() -> impl Strategy<Value = String> {
    let word = prop_oneof![3 => prop::sample::select(WORDS), 1 => prop::sample::select(TOKENS)];
    let wrapped = (
        word,
        prop::sample::select(
            &[
                ("", ""),
                ("", ""),
                ("", ""),
                ("(", ")"),
                ("\"", "\""),
                ("“", "”"),
                ("'", "'"),
                ("«", "»"),
            ][..],
        ),
    )
        .prop_map(|(word, (open, close))| format!("{open}{word}{close}"));
    let sentence = prop::collection::vec((wrapped, prop::sample::select(JOINTS)), 1..12);
    (
        sentence,
        prop::sample::select(&["", ".", "!", "?", "…"][..]),
    )
        .prop_map(|(parts, end)| {
            let last = parts.len() - 1;
            let text: String = parts
                .iter()
                .enumerate()
                .map(|(index, (word, joint))| {
                    format!("{word}{}", if index < last { joint } else { "" })
                })
                .collect();
            text + end
        })
}
