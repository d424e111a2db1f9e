//! The decodings that led to a form of a value.

use std::fmt;

/// One decoding, by the name it has in findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Decoding {
    /// Percent encoding; in query strings and forms `+` too.
    Percent,
    /// HTML character references.
    Entity,
    /// UTF-7 shifts.
    Utf7,
    /// JSON and JavaScript backslash escapes.
    Escape,
    /// NUL bytes taken out.
    Nul,
    /// Overlong UTF-8 and look-alikes folded to ASCII.
    Fold,
    /// Base64.
    Base64,
}

impl Decoding {
    /// The word in findings.
    pub const fn word(self) -> &'static str {
        match self {
            Decoding::Percent => "percent",
            Decoding::Entity => "html",
            Decoding::Utf7 => "utf7",
            Decoding::Escape => "escape",
            Decoding::Nul => "nul",
            Decoding::Fold => "fold",
            Decoding::Base64 => "base64",
        }
    }
}

/// The most decodings that one value goes through.
pub const MAX_STEPS: usize = 8;

/// The decodings applied to a value, in order. Displays as `percent>percent>html`, and as nothing when there were none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Chain {
    steps: [Option<Decoding>; MAX_STEPS],
}

impl Chain {
    /// No decoding.
    pub const fn new() -> Self {
        Self {
            steps: [None; MAX_STEPS],
        }
    }

    /// Adds a decoding at the end; answers whether there was room.
    pub fn push(&mut self, decoding: Decoding) -> bool {
        match self.steps.iter_mut().find(|step| step.is_none()) {
            Some(free) => {
                *free = Some(decoding);
                true
            }
            None => false,
        }
    }

    /// The decodings in order.
    pub fn iter(&self) -> impl Iterator<Item = Decoding> {
        self.steps.iter().map_while(|step| *step)
    }

    /// How many decodings there were.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no room for another.
    pub fn is_full(&self) -> bool {
        self.len() == MAX_STEPS
    }

    /// Whether the value was looked at as it came.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(">")?;
            }
            f.write_str(step.word())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_reads_in_order_and_is_bounded() {
        let mut chain = Chain::new();
        assert_eq!(chain.to_string(), "");
        chain.push(Decoding::Percent);
        chain.push(Decoding::Percent);
        chain.push(Decoding::Entity);
        assert_eq!(chain.to_string(), "percent>percent>html");
        while chain.push(Decoding::Nul) {}
        assert_eq!(chain.len(), MAX_STEPS);
    }
}
