//! Division of lines into columns.

use std::borrow::Cow;

/// The bytes that separate columns.
fn is_separator(byte: u8) -> bool {
    matches!(byte, b',' | b';' | b' ' | b'\t')
}

/// The separator of the columns of a line, if it is not spaces.
pub(crate) fn separator(line: &[u8]) -> Option<u8> {
    [b',', b';', b'\t'].into_iter().find(|separator| line.contains(separator))
}

/// Where the first column of a line ends that begins with a quotation mark.
fn end_of_quoted(line: &[u8], ends: impl Fn(u8) -> bool) -> Option<usize> {
    let mut is_inside = false;
    line.iter().position(|&byte| {
        is_inside ^= byte == b'"';
        !is_inside && ends(byte)
    })
}

/// The first column of a trimmed line, and the rest of the line if there is another column. Columns are
/// separated by `only`, or else by any of `,`, `;`, spaces and tabs, where spaces around another
/// separator belong to it. Separators in quotation marks are a part of the column.
pub(crate) fn next(line: &[u8], only: Option<u8>) -> (&[u8], Option<&[u8]>) {
    let ends = |byte| only.map_or_else(|| is_separator(byte), |only| byte == only);
    let end = match line.starts_with(b"\"") {
        true => end_of_quoted(line, ends),
        false => line.iter().position(|&byte| ends(byte)),
    };
    let (column, after) = line.split_at(end.unwrap_or(line.len()));
    match only {
        None => (column, next_of(after)),
        Some(_) => (column.trim_ascii(), after.get(1..)),
    }
}

/// What follows the separator at the start of `after`, if there is one.
#[inline(always)]
pub(crate) fn next_of(after: &[u8]) -> Option<&[u8]> {
    if after.is_empty() {
        return None;
    }
    let mut rest = after.trim_ascii_start();
    if let [b',' | b';', after @ ..] = rest {
        rest = after.trim_ascii_start();
    }
    Some(rest)
}

/// The columns of a trimmed line, divided as by [`next`].
pub(crate) fn columns(line: &[u8], only: Option<u8>) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let (column, after) = next(rest?, only);
        rest = after;
        Some(unquoted(column))
    })
}

/// A column without the quotation marks around it.
#[inline(always)]
pub(crate) fn unquoted(column: &[u8]) -> &[u8] {
    match column {
        [b'"', inside @ .., b'"'] => inside,
        _ => column,
    }
}

/// The fields of a trimmed line, separated by commas and without spaces around them, as RFC 4180 quotes them: a
/// field in quotation marks keeps commas and spaces, and has two of them for one. `None` if the marks do not
/// enclose a field.
pub(crate) fn fields(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let (mut fields, mut rest) = (Vec::new(), Some(line));
    while let Some(after) = rest {
        let text = after.trim_start();
        let (field, after) = next(text.as_bytes(), Some(b','));
        // Columns end at commas, which are whole characters.
        let field = std::str::from_utf8(field).ok()?;
        rest = after.map(|after| &text[text.len() - after.len()..]);
        let Some(inside) = field.strip_prefix('"') else {
            fields.push(Cow::Borrowed(field));
            continue;
        };
        let inside = inside.strip_suffix('"')?;
        fields.push(match inside.contains('"') {
            false => Cow::Borrowed(inside),
            true if inside.replace("\"\"", "").contains('"') => return None,
            true => Cow::Owned(inside.replace("\"\"", "\"")),
        });
    }
    Some(fields)
}

/// Divides a line of names as [`next`] does, but neither inside of brackets and quotation marks nor
/// before brackets, because `time (us)` is one name.
pub(crate) fn names(line: &[u8], only: Option<u8>) -> Vec<&[u8]> {
    let (mut names, mut start, mut depth, mut is_quoted) = (Vec::new(), 0, 0_usize, false);
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_end = only.map_or_else(|| is_separator(byte), |only| byte == only);
        if !is_end || depth > 0 || is_quoted {
            at += 1;
            continue;
        }
        let rest = match only {
            None => next_of(&line[at..]).unwrap_or_default(),
            Some(_) => &line[at + 1..],
        };
        let next = line.len() - rest.len();
        let is_space = line[at..next].iter().all(|byte| matches!(byte, b' ' | b'\t'));
        if only.is_some() || !is_space || !matches!(rest, [b'(' | b'[', ..]) {
            names.push(&line[start..at]);
            start = next;
        }
        at = next;
    }
    names.push(&line[start..]);
    let names = names.into_iter().map(|name| unquoted(name.trim_ascii()));
    let mut names: Vec<_> = names.collect();
    while names.last().is_some_and(|name| name.is_empty()) {
        names.pop();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: Vec<&[u8]>) -> Vec<String> {
        names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    #[test]
    fn names_keep_their_spaces_and_brackets() {
        for (line, only, expected) in [
            ("time (us),x (px), y (px),p", Some(b','), "time (us)|x (px)|y (px)|p"),
            ("time (us) x [px] y p", None, "time (us)|x [px]|y|p"),
            (
                "time (float s), polarity (0=off, 1=on), x",
                Some(b','),
                "time (float s)|polarity (0=off, 1=on)|x",
            ),
            ("Time Stamp;\"X; Addr\";Pol;;", Some(b';'), "Time Stamp|X; Addr|Pol"),
            ("t, x ;y\tp,", None, "t|x|y|p"),
            (",t,x", Some(b','), "|t|x"),
            ("", None, ""),
        ] {
            let expected: Vec<_> = expected.split('|').filter(|_| !line.is_empty()).collect();
            assert_eq!(texts(names(line.as_bytes(), only)), expected, "{line}");
        }
    }

    #[test]
    fn fields_are_quoted_as_rfc_4180_says() {
        for (line, expected) in [
            ("a, b ,,c", Some("a|b||c")),
            ("\"a, b\", \"c \"\"d\"\"\",\"\"", Some("a, b|c \"d\"|")),
            ("\" a \",b\"c", Some(" a |b\"c")),
            ("\"\"\"\",é,\"ü,\"", Some("\"|é|ü,")),
            ("a,", Some("a|")),
            ("\"a,b", None),
            ("\"a\" b,c", None),
            ("\"a\"b\",c", None),
            ("\"", None),
        ] {
            let found = fields(line).map(|all| all.join("|"));
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn columns_are_divided_by_one_separator_or_by_all() {
        let split = |line: &'static str, only| {
            texts(columns(line.as_bytes(), only).collect::<Vec<_>>()).join("|")
        };
        assert_eq!(split("1, 2 ;3\t4", None), "1|2|3|4");
        assert_eq!(split("1, 2 ;3\t4", Some(b',')), "1|2 ;3\t4");
        assert_eq!(split("1,,\"2\",", None), "1||2|");
        assert_eq!(split("\"a, b\",2,\"c \"\"d\"\", e\"", None), "a, b|2|c \"\"d\"\", e");
        assert_eq!(split("\"a, b\";2;c\"d;e", Some(b';')), "a, b|2|c\"d|e");
        assert_eq!(separator(b"a b;c"), Some(b';'));
        assert_eq!(separator(b"a b"), None);
    }
}
