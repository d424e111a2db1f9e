//! Aho-Corasick with the fail transitions resolved: a dense, minimal DFA over byte classes, ASCII case folded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;

/// Collects literals.
#[derive(Default)]
pub struct Builder {
    literals: BTreeMap<Vec<u8>, u64>,
}

struct State {
    next: Vec<Option<usize>>,
    fail: usize,
    out: u64,
}

/// The finished tables.
pub struct Tables {
    classes: [u8; 256],
    stride: usize,
    first_match: usize,
    last: usize,
    next: Vec<u16>,
    out: Vec<u64>,
    literals: Vec<Vec<u8>>,
}

/// Rows start at multiples of this many entries, so that a row's number fits `u16` and is scaled by a shift.
const GRAIN: usize = 16;

/// How much of a literal is looked for: bounds the tables, and how far the prefilter's lanes overlap.
const LONGEST: usize = 8;

/// Stands for every control character that is not told from the others.
pub const CONTROL: u8 = 1;

/// What a byte is looked for as: letters without case, control characters but NUL, tab and line ends as one.
fn fold(byte: u8) -> u8 {
    match byte {
        1..=8 | 11 | 12 | 14..=31 | 127 => CONTROL,
        _ => byte.to_ascii_lowercase(),
    }
}

impl Builder {
    /// Adds a literal that sets `bits`; the same literal may be added by several categories. Of a long one only a part is
    /// kept: what the prefilter passes may be more than the detectors find, never less. That part is its start, or its end
    /// where it ends in a sign: `function(` is told by its parenthesis from the word `functional`.
    pub fn add(&mut self, literal: &[u8], bits: u64) {
        assert!(!literal.is_empty(), "an empty literal is everywhere");
        let beyond = literal.len().saturating_sub(LONGEST);
        let part = match literal.last() {
            Some(last) if last.is_ascii_alphanumeric() => &literal[..literal.len() - beyond],
            _ => &literal[beyond..],
        };
        let folded = part.iter().copied().map(fold).collect();
        *self.literals.entry(folded).or_default() |= bits;
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
            if fold(byte) != byte {
                continue;
            }
            if used[slot] {
                classes[slot] = count;
                count += 1;
            } else {
                classes[slot] = u8::from(!byte.is_ascii());
            }
        }
        for byte in 0..=255u8 {
            classes[usize::from(byte)] = classes[usize::from(fold(byte))];
        }
        (classes, usize::from(count))
    }

    /// Builds the automaton: states in breadth-first order, those without output first.
    pub fn build(&self) -> Tables {
        let (classes, count) = self.classes();
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
        resolve(&mut states, count);
        let mut dfa = Dfa::minimal(&states);
        let classes = dfa.merge_classes(classes);
        self.number(&dfa, classes)
    }

    fn number(&self, dfa: &Dfa, classes: [u8; 256]) -> Tables {
        let count = dfa.next[0].len();
        let order = dfa.breadth_first();
        let (quiet, loud): (Vec<usize>, Vec<usize>) =
            order.iter().partition(|state| dfa.out[**state] == 0);
        let stride = count.next_multiple_of(GRAIN);
        let mut row = vec![0u16; dfa.out.len()];
        for (index, state) in quiet.iter().chain(&loud).enumerate() {
            row[*state] = u16::try_from(index * stride / GRAIN).expect("rows fit u16");
        }
        let mut next = Vec::new();
        for state in quiet.iter().chain(&loud) {
            let targets = dfa.next[*state].iter().map(|target| row[*target]);
            next.extend(targets.chain(std::iter::repeat(0)).take(stride));
        }
        // Room behind the last row for any class: that no look-up can miss is then plain to the compiler.
        let last = (next.len() - stride) / GRAIN;
        next.resize(last * GRAIN + 256, 0);
        Tables {
            classes,
            stride,
            first_match: quiet.len() * stride / GRAIN,
            last,
            next,
            out: loud.iter().map(|state| dfa.out[*state]).collect(),
            literals: self.literals.keys().cloned().collect(),
        }
    }
}

/// A complete automaton: outputs and transitions by state, state 0 the start.
struct Dfa {
    out: Vec<u64>,
    next: Vec<Vec<usize>>,
}

impl Dfa {
    /// Merges states that no input tells apart (Moore's refinement): what stands behind a literal's end, as a rule.
    fn minimal(states: &[State]) -> Self {
        let next: Vec<Vec<usize>> = states
            .iter()
            .map(|state| {
                state
                    .next
                    .iter()
                    .map(|target| target.unwrap_or(0))
                    .collect()
            })
            .collect();
        let mut block = vec![0usize; states.len()];
        let mut blocks = 1;
        loop {
            let mut known: HashMap<(u64, usize, Vec<usize>), usize> = HashMap::new();
            let refined: Vec<usize> = (0..states.len())
                .map(|state| {
                    let targets = next[state].iter().map(|target| block[*target]).collect();
                    let fresh = known.len();
                    *known
                        .entry((states[state].out, block[state], targets))
                        .or_insert(fresh)
                })
                .collect();
            block = refined;
            if known.len() == blocks {
                break;
            }
            blocks = known.len();
        }
        let mut dfa = Self {
            out: vec![0; blocks],
            next: vec![Vec::new(); blocks],
        };
        for (state, merged) in block.iter().enumerate() {
            dfa.out[*merged] = states[state].out;
            dfa.next[*merged] = next[state].iter().map(|target| block[*target]).collect();
        }
        dfa
    }

    /// Merges classes that no state tells apart, and answers the class of each byte then.
    fn merge_classes(&mut self, classes: [u8; 256]) -> [u8; 256] {
        let mut columns: HashMap<Vec<usize>, u8> = HashMap::new();
        let mut kept = Vec::new();
        let merged: Vec<u8> = (0..self.next[0].len())
            .map(|class| {
                let column = self.next.iter().map(|row| row[class]).collect();
                let fresh = u8::try_from(columns.len()).expect("no more than bytes");
                *columns.entry(column).or_insert_with(|| {
                    kept.push(class);
                    fresh
                })
            })
            .collect();
        for row in &mut self.next {
            *row = kept.iter().map(|class| row[*class]).collect();
        }
        classes.map(|class| merged[usize::from(class)])
    }

    /// The states as they are reached: shallow, hot rows together.
    fn breadth_first(&self) -> Vec<usize> {
        let mut order = vec![0];
        let mut seen = vec![false; self.out.len()];
        seen[0] = true;
        let mut at = 0;
        while let Some(state) = order.get(at).copied() {
            for target in &self.next[state] {
                if !seen[*target] {
                    seen[*target] = true;
                    order.push(*target);
                }
            }
            at += 1;
        }
        order
    }
}

/// Fills in fail states, inherited outputs and every missing transition.
fn resolve(states: &mut [State], count: usize) {
    let mut queue = VecDeque::new();
    for class in 0..count {
        match states[0].next[class] {
            Some(child) => queue.push_back(child),
            None => states[0].next[class] = Some(0),
        }
    }
    while let Some(at) = queue.pop_front() {
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
             /// Entries of `NEXT` per row.\n\
             pub const STRIDE: usize = {};\n\
             /// A state is the start of its row in units of this many entries.\n\
             pub const GRAIN: usize = {GRAIN};\n\
             /// No literal is longer.\n\
             pub const LONGEST: usize = {LONGEST};\n\
             /// States from this one on have output.\n\
             pub const FIRST_MATCH: usize = {};\n\
             /// The last state.\n\
             pub const LAST: usize = {};\n\
             /// The next state, by state * GRAIN + class.\n\
             pub static NEXT: [u16; {}] = [{next}];\n\
             /// What the states from FIRST_MATCH on say.\n\
             pub static OUT: [u64; {}] = [{out}];\n\
             /// Every literal, folded.\n\
             pub static LITERALS: [&[u8]; {}] = [{literals}];",
            self.stride,
            self.first_match,
            self.last,
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
