//! Text from files as it can be shown on a terminal.

use std::fmt::{self, Write};

/// Displays `text` with its control characters as escapes, as in `\u{1b}[2J`, so that a name or an
/// attribute of a file cannot control the terminal on which it is shown. Line ends are escaped as well,
/// so that the text stays on one line. Characters that change the direction of a line are treated like
/// control characters, because they can make a name look like another one.
///
/// Errors, notes and everything else in this crate that is meant for people are displayed in this way.
/// Programs that need the exact text find it in the fields of the values, or in JSON.
///
/// ```
/// use liaf_data::printable;
/// assert_eq!(printable("a\u{1b}[2J\n").to_string(), r"a\u{1b}[2J\n");
/// assert_eq!(printable("Größe 346×260").to_string(), "Größe 346×260");
/// ```
pub fn printable(text: &str) -> Printable<'_> {
    Printable { text, keeps_lines: false }
}

/// A text whose control characters are displayed as escapes; made by [`printable`].
#[derive(Debug, Clone, Copy)]
pub struct Printable<'a> {
    text: &'a str,
    keeps_lines: bool,
}

impl Printable<'_> {
    /// Keeps line ends and tabs, for a message of several lines.
    #[must_use]
    pub fn keep_lines(self) -> Self {
        Self { keeps_lines: true, ..self }
    }
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_escaped = |c: char| controls(c) && !(self.keeps_lines && (c == '\n' || c == '\t'));
        let mut rest = self.text;
        while let Some(at) = rest.find(is_escaped) {
            let (before, after) = rest.split_at(at);
            f.write_str(before)?;
            let mut chars = after.chars();
            for escaped in chars.next().into_iter().flat_map(char::escape_default) {
                f.write_char(escaped)?;
            }
            rest = chars.as_str();
        }
        f.write_str(rest)
    }
}

/// Whether a terminal may take the character for a command, or shows the text around it in another
/// order.
fn controls(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_character_is_escaped_and_nothing_else() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            let shown = printable(&text).to_string();
            let hidden = c.is_control()
                || "\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}"
                    .contains(c)
                || "\u{2066}\u{2067}\u{2068}\u{2069}".contains(c);
            if hidden {
                assert!(shown.starts_with('\\') && shown.is_ascii(), "{c:?}");
                assert_eq!(shown, c.escape_default().to_string());
            } else {
                assert_eq!(shown, text);
            }
        }
        assert_eq!(
            printable("a\x1b]0;b\x07\x7f\u{9b}2J c").to_string(),
            r"a\u{1b}]0;b\u{7}\u{7f}\u{9b}2J c"
        );
    }

    #[test]
    fn lines_are_kept_where_a_message_has_several() {
        assert_eq!(printable("a\n\tb\r\x1b").keep_lines().to_string(), "a\n\tb\\r\\u{1b}");
        assert_eq!(printable("a\n\tb").to_string(), r"a\n\tb");
    }
}
