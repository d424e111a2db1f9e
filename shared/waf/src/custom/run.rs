//! The custom rules on one request.

use std::ops::ControlFlow;
use std::rc::Rc;

use backstop_detect::{Chain, Forms};
use backstop_http::Place;

use super::CustomRule;

/// What of a value matched a custom rule.
pub(crate) struct Match<'a> {
    pub(crate) rule: &'a Rc<CustomRule>,
    pub(crate) matched: &'a [u8],
    pub(crate) chain: Chain,
}

/// The rules that look at one request, and how much more they may read of it.
#[derive(Debug)]
pub(crate) struct CustomRun {
    active: Vec<Rc<CustomRule>>,
    left: usize,
    /// Whether something was left unread.
    exhausted: bool,
    /// Whether that was told.
    told: bool,
    forms: Forms,
}

impl CustomRun {
    pub(super) fn new(active: Vec<Rc<CustomRule>>, limit: usize) -> Self {
        Self {
            active,
            left: limit,
            exhausted: false,
            told: false,
            forms: Forms::default(),
        }
    }

    /// Whether something was left unread; once per request.
    pub(crate) fn take_exhausted(&mut self) -> bool {
        let news = self.exhausted && !self.told;
        self.told |= news;
        news
    }

    /// Tries every rule that is about `place` on every form of `value`; `found` is told of the first match of each.
    pub(crate) fn value(
        &mut self,
        place: Place<'_>,
        value: &[u8],
        found: &mut dyn FnMut(Match<'_>),
    ) {
        let mut waiting = self
            .active
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.at(place))
            .fold(0_u64, |set, (index, _)| set | 1 << index);
        if waiting == 0 {
            return;
        }
        let (active, left, exhausted) = (&self.active, &mut self.left, &mut self.exhausted);
        // What cannot be read is not decoded either.
        let readable = value.get(..*left).unwrap_or(value);
        let cut = readable.len() < value.len();
        *exhausted |= cut;
        self.forms.visit(place.kind, readable, &mut |chain, form| {
            // One copy for all rules, and none where it is UTF-8.
            let text = String::from_utf8_lossy(form);
            for (index, rule) in active.iter().enumerate() {
                if waiting & 1 << index == 0 {
                    continue;
                }
                let room = *left / rule.weight;
                let read = prefix(&text, room);
                let cut = cut || read.len() < text.len();
                *exhausted |= cut;
                if read.is_empty() {
                    continue;
                }
                *left = left.saturating_sub(read.len() * rule.weight);
                // Where the value goes on unread is not its end.
                let holds = |end: usize| !cut || !rule.to_end || end < read.len();
                if let Some(span) = rule.regex.find(read).filter(|span| holds(span.end())) {
                    waiting &= !(1 << index);
                    found(Match {
                        rule,
                        matched: span.as_str().as_bytes(),
                        chain: *chain,
                    });
                }
            }
            if waiting == 0 || *exhausted {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
    }
}

/// At most `limit` bytes of `text`, whole characters.
fn prefix(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}
