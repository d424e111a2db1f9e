//! Tokens to a short window of tokens: signs, brackets, casts and adjacent strings folded, so that the judge sees the
//! same sequence however the attack is dressed.

use super::token::{Kind, Token};
use super::tokenizer::Tokenizer;
use super::words::Word;

/// How many tokens the judge sees at a time.
pub const WINDOW: usize = 128;
/// How many of them it may look ahead from the one it judges.
pub const AHEAD: usize = 40;
/// How many it may look back.
pub const BEHIND: usize = 8;

/// An empty window. A static, so that a new window is one copy of memory and not a loop over its tokens.
static BLANK: [Token; WINDOW] = [Token::END; WINDOW];

/// A bounded stretch of the token sequence. A long value is judged stretch by stretch, each overlapping the last, so
/// that padding hides nothing and memory stays constant.
pub struct Window<'a> {
    tokenizer: Tokenizer<'a>,
    tokens: [Token; WINDOW],
    length: usize,
    judged: usize,
    ended: bool,
    first: bool,
}

impl<'a> Window<'a> {
    /// Over the tokens of `tokenizer`.
    pub fn new(tokenizer: Tokenizer<'a>) -> Self {
        Self {
            tokenizer,
            tokens: BLANK,
            length: 0,
            judged: 0,
            ended: false,
            first: true,
        }
    }

    /// Reads on. `false` when everything has been judged.
    pub fn advance(&mut self) -> bool {
        if self.ended {
            return false;
        }
        if self.length > 0 {
            let keep_from = self.judged.saturating_sub(BEHIND);
            self.tokens.copy_within(keep_from..self.length, 0);
            self.length -= keep_from;
            self.judged -= keep_from;
            self.first = false;
        }
        while self.length < WINDOW {
            match self.tokenizer.next_token() {
                Some(token) => self.push(token),
                None => {
                    self.ended = true;
                    break;
                }
            }
        }
        true
    }

    /// The tokens of this stretch.
    pub fn tokens(&self) -> &[Token] {
        self.tokens.get(..self.length).unwrap_or_default()
    }

    /// Whether the stretch begins where the value begins.
    pub fn is_first(&self) -> bool {
        self.first
    }

    /// The positions to judge now, marked as judged.
    pub fn due(&mut self) -> std::ops::Range<usize> {
        let end = if self.ended {
            self.length
        } else {
            self.length.saturating_sub(AHEAD)
        };
        let start = self.judged;
        self.judged = end.max(start);
        start..self.judged
    }

    fn last(&self) -> Option<&Token> {
        self.tokens.get(self.length.checked_sub(1)?)
    }

    /// The last token, if it may be folded into: not one that has been judged.
    fn open_last(&mut self) -> Option<&mut Token> {
        let index = self.length.checked_sub(1)?;
        if index < self.judged {
            return None;
        }
        self.tokens.get_mut(index)
    }

    fn append(&mut self, token: Token) {
        if let Some(slot) = self.tokens.get_mut(self.length) {
            *slot = token;
            self.length += 1;
        }
    }

    fn push(&mut self, token: Token) {
        let previous = self.last().copied().unwrap_or(Token::END);
        match token.kind {
            // select--x\n1: a line comment where a blank would do.
            Kind::Comment if token.depth == 0 && !previous.ends_operand() => {}
            // A sign before an operand says nothing.
            Kind::Arith if !previous.ends_operand() => {}
            Kind::Open | Kind::Close if previous.kind == token.kind => {
                if let Some(last) = self.open_last() {
                    last.depth = last.depth.saturating_add(1);
                    last.end = token.end;
                } else {
                    self.append(token);
                }
            }
            // 'a' 'b' is one string.
            Kind::Text | Kind::OpenText if previous.kind == Kind::Text => {
                if let Some(last) = self.open_last() {
                    last.kind = token.kind;
                    last.end = token.end;
                } else {
                    self.append(token);
                }
            }
            // schema.table.column is one name, with the meaning of its last part, or of its first.
            Kind::Name | Kind::Word | Kind::Star
                if previous.kind == Kind::Dot && self.joins_dot() =>
            {
                self.length -= 1;
                if let Some(last) = self.open_last() {
                    last.end = token.end;
                    let named = matches!(
                        token.word,
                        Word::Textfn | Word::Sharedfn | Word::Commonfn | Word::System
                    );
                    if token.word.is_function() && !named || token.word == Word::Catalog {
                        last.word = token.word;
                        last.kind = Kind::Word;
                    } else if !matches!(last.word, Word::Catalog | Word::System | Word::Error) {
                        last.word = Word::None;
                        last.kind = Kind::Name;
                    }
                }
            }
            // `+` left over from a form encoding stands where a blank would.
            Kind::Word if previous.kind == Kind::Arith && !token.word.is_operand() => {
                if self.open_last().is_some() {
                    self.length -= 1;
                }
                self.append(Token {
                    spaced: true,
                    ..token
                });
            }
            _ => self.append(token),
        }
    }

    /// Whether the two last tokens are a name (or what can be one) and a dot, neither judged yet.
    fn joins_dot(&self) -> bool {
        let Some(index) = self.length.checked_sub(2) else {
            return false;
        };
        index >= self.judged
            && self.tokens.get(index).is_some_and(|t| {
                t.kind == Kind::Name || t.kind == Kind::Word && t.word.is_operand()
            })
    }
}
