//! Aho-Corasick with the fail transitions resolved: a dense DFA over byte classes, ASCII case folded.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

/// Collects literals.
#[derive(Default)]
pub struct Builder {
    literals: BTreeMap<Vec<u8>, u64>,
    non_ascii: u64,
}

struct State {
    next: Vec<Option<usize>>,
    fail: usize,
    out: u64,
}

/// The finished tables.
pub struct Tables {
    classes: [u8; 256],
    shift: u32,
    first_match: usize,
    next: Vec<u16>,
    out: Vec<u64>,
    literals: Vec<Vec<u8>>,
}

impl Builder {
    /// Adds a literal that sets `bits`; the same literal may be added by several categories.
    pub fn add(&mut self, literal: &[u8], bits: u64) {
        assert!(!literal.is_empty(), "an empty literal is everywhere");
        *self
            .literals
            .entry(literal.to_ascii_lowercase())
            .or_default() |= bits;
    }

    /// Has every byte outside ASCII set `bits`.
    pub fn mark_non_ascii(&mut self, bits: u64) {
        self.non_ascii = bits;
    }

    /// Class 0 is ASCII that no literal holds, class 1 the same outside ASCII; every other byte has its own.
    fn classes(&self) -> ([u8; 256], usize) {
        let mut used = [false; 256];
        for byte in self.literals.keys().flatten() {
            used[usize::from(*byte)] = true;
        }
        let mut classes = [0u8; 256];
        let mut count = 2;
        for byte in 0..=255u8 {
            let slot = usize::from(byte);
            if byte.is_ascii_uppercase() {
                continue;
            }
            if used[slot] {
                classes[slot] = count;
                count += 1;
            } else {
                classes[slot] = u8::from(!byte.is_ascii());
            }
        }
        for byte in b'A'..=b'Z' {
            classes[usize::from(byte)] = classes[usize::from(byte.to_ascii_lowercase())];
        }
        (classes, usize::from(count))
    }

    /// Builds the automaton: states in breadth-first order (shallow, hot rows together), those without output first.
    pub fn build(&self) -> Tables {
        let (classes, count) = self.classes();
        let shift = count.next_power_of_two().trailing_zeros();
        let new = || State {
            next: vec![None; count],
            fail: 0,
            out: 0,
        };
        let mut states = vec![new()];
        let mut insert = |path: &[usize], bits: u64| {
            let mut at = 0;
            for class in path {
                at = match states[at].next[*class] {
                    Some(next) => next,
                    None => {
                        states.push(new());
                        let next = states.len() - 1;
                        states[at].next[*class] = Some(next);
                        next
                    }
                };
            }
            states[at].out |= bits;
        };
        for (literal, bits) in &self.literals {
            let path: Vec<usize> = literal
                .iter()
                .map(|byte| usize::from(classes[usize::from(*byte)]))
                .collect();
            insert(&path, *bits);
        }
        for class in classes.iter().skip(128) {
            insert(&[usize::from(*class)], self.non_ascii);
        }
        let order = resolve(&mut states, count);
        self.number(&states, &order, classes, count, shift)
    }

    fn number(
        &self,
        states: &[State],
        order: &[usize],
        classes: [u8; 256],
        count: usize,
        shift: u32,
    ) -> Tables {
        let (quiet, loud): (Vec<usize>, Vec<usize>) =
            order.iter().partition(|state| states[**state].out == 0);
        assert!(states.len() <= usize::from(u16::MAX), "states fit u16");
        let mut number = vec![0u16; states.len()];
        for (index, state) in quiet.iter().chain(&loud).enumerate() {
            number[*state] = u16::try_from(index).expect("checked above");
        }
        let mut next = vec![0u16; states.len() << shift];
        for (index, state) in states.iter().enumerate() {
            let row = usize::from(number[index]) << shift;
            for class in 0..count {
                next[row + class] = number[state.next[class].unwrap_or(0)];
            }
        }
        Tables {
            classes,
            shift,
            first_match: quiet.len(),
            next,
            out: loud.iter().map(|state| states[*state].out).collect(),
            literals: self.literals.keys().cloned().collect(),
        }
    }
}

/// Fills in fail states, inherited outputs and every missing transition; answers the breadth-first order.
fn resolve(states: &mut [State], count: usize) -> Vec<usize> {
    let mut order = vec![0];
    let mut queue = VecDeque::new();
    for class in 0..count {
        match states[0].next[class] {
            Some(child) => queue.push_back(child),
            None => states[0].next[class] = Some(0),
        }
    }
    while let Some(at) = queue.pop_front() {
        order.push(at);
        let fail = states[at].fail;
        states[at].out |= states[fail].out;
        for class in 0..count {
            let fallback = states[fail].next[class];
            match states[at].next[class] {
                Some(child) => {
                    states[child].fail = fallback.unwrap_or(0);
                    queue.push_back(child);
                }
                None => states[at].next[class] = fallback,
            }
        }
    }
    order
}

impl Tables {
    /// The tables as a Rust source file.
    pub fn to_rust(&self) -> String {
        let mut text = String::new();
        let classes = list(self.classes.iter());
        let next = list(self.next.iter());
        let out = list(self.out.iter());
        let literals: String = self
            .literals
            .iter()
            .map(|literal| format!("b\"{}\",", literal.escape_ascii()))
            .collect();
        writeln!(
            text,
            "/// The class of each byte.\n\
             pub static CLASSES: [u8; 256] = [{classes}];\n\
             /// log2 of the length of a row of `NEXT`.\n\
             pub const SHIFT: u32 = {};\n\
             /// States from this one on have output.\n\
             pub const FIRST_MATCH: u16 = {};\n\
             /// The next state, by state << SHIFT | class.\n\
             pub static NEXT: [u16; {}] = [{next}];\n\
             /// What the states from FIRST_MATCH on say.\n\
             pub static OUT: [u64; {}] = [{out}];\n\
             /// Every literal, folded: for tests and benches.\n\
             #[cfg(test)]\n\
             pub static LITERALS: [&[u8]; {}] = [{literals}];",
            self.shift,
            self.first_match,
            self.next.len(),
            self.out.len(),
            self.literals.len(),
        )
        .expect("a string takes it");
        text
    }
}

fn list<T: std::fmt::Display>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| format!("{item},")).collect()
}
