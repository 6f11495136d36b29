//! The string literals of a source.

use std::path::Path;

/// Passes every string literal of every source below `folder` to `take`, as it is written.
pub fn each_in(folder: &Path, take: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_in(&path, take);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            each(&std::fs::read_to_string(&path).unwrap(), &mut |text| take(&path, text));
        }
    }
}

/// Passes every string literal of `source` to `take`.
pub fn each(source: &str, take: &mut impl FnMut(&str)) {
    let mut rest = source;
    while let Some(at) = rest.find(['/', '"', '\'', 'r']) {
        let before = rest[..at].chars().next_back();
        rest = &rest[at..];
        let after = rest[1..].trim_start_matches('#');
        let hashes = rest.len() - 1 - after.len();
        let is_raw = rest.starts_with('r')
            && after.starts_with('"')
            && !before.is_some_and(|c| c.is_alphanumeric() && c != 'b');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if is_raw {
            let start = hashes + 2;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = rest[start..].find(&close).unwrap_or(rest.len() - start);
            take(&rest[start..start + end]);
            (start + end + close.len()).min(rest.len())
        } else if let Some(text) = rest.strip_prefix('"') {
            let end = closing(text);
            take(&text[..end]);
            (end + 2).min(rest.len())
        } else if rest.starts_with("'\\") {
            // An escaped character: the one after the backslash does not close it.
            rest[3..].find('\'').map_or(1, |end| end + 4)
        } else if let Some(character) = rest.strip_prefix('\'') {
            // One character, or else a lifetime.
            let one = character.chars().next().map_or(0, char::len_utf8);
            if character[one..].starts_with('\'') { one + 2 } else { 1 }
        } else {
            1
        };
        rest = &rest[length..];
    }
}

/// The offset of the quote that closes a literal that starts before `text`.
fn closing(text: &str) -> usize {
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.unwrap_or(text.len())
}

/// The length of a block comment, in which others may be nested.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") || rest.starts_with("*/") {
            depth += if rest.starts_with("/*") { 1 } else { -1 };
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The name of an option of a command line that stands in a text, as `sensor` in `--sensor WxH`.
pub fn option_in(text: &str) -> Option<&str> {
    text.match_indices("--").find_map(|(at, _)| {
        let is_start = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-');
        let name = &text[at + 2..];
        let end = name.find(|c: char| !(c.is_ascii_lowercase() || c == '-')).unwrap_or(name.len());
        (is_start && end > 0 && !name.starts_with('-')).then_some(&name[..end])
    })
}
