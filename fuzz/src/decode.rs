//! Every decoding, and what decoding comes to.

use backstop_detect::decode::{self, Decode};
use backstop_detect::{prefilter, triggers};

use crate::cost;

/// Every decoding with the trigger that it is tried for; base64 and forms have none.
const DECODINGS: [(&str, u8, Decode); 8] = [
    ("percent", triggers::PERCENT, decode::percent),
    ("nul", triggers::WIDE, decode::nul),
    ("fold", triggers::WIDE, decode::fold),
    ("entity", triggers::ENTITY, decode::entity),
    ("utf7", triggers::ENTITY, decode::utf7),
    ("escape", triggers::BACKSLASH, decode::escape),
    ("base64", 0, decode::base64),
    ("form", 0, decode::form),
];

/// Each decoding is total, shortens or keeps, and tells the truth; the prefilter's triggers miss none of them; together
/// they come to rest.
pub fn decode(data: &[u8]) {
    let mut out = b"left over".to_vec();
    let triggers = prefilter::features(data).triggers();
    for (name, trigger, decode) in DECODINGS {
        if !decode(data, &mut out) {
            continue;
        }
        assert!(out.len() <= data.len(), "{name} grew its input");
        assert_ne!(out, data, "{name} changed nothing");
        assert_eq!(triggers & trigger, trigger, "no trigger for {name}");
    }
    assert_eq!(
        decode::step(data, triggers, &mut out),
        decode::step(data, u8::MAX, &mut Vec::new()),
        "a trigger is missing"
    );
    rest(data);
    cost::check(data, |long| {
        for (_, _, decode) in DECODINGS {
            decode(long, &mut out);
        }
    });
}

/// Decodes until nothing changes. Every step but the folding of a look-alike to another byte makes the value shorter.
fn rest(data: &[u8]) {
    let (mut form, mut out) = (data.to_vec(), Vec::new());
    let mut steps = 0;
    loop {
        let triggers = prefilter::features(&form).triggers();
        let Some(step) = decode::step(&form, triggers, &mut out) else {
            break;
        };
        assert!(out.len() <= form.len(), "{step:?} grew its input");
        steps += 1;
        assert!(steps <= 2 * data.len() + 2, "no rest after {steps} steps");
        std::mem::swap(&mut form, &mut out);
    }
    for (name, _, decode) in DECODINGS.iter().filter(|(name, ..)| *name != "form") {
        assert!(!decode(&form, &mut out), "{name} changes what is at rest");
    }
}
