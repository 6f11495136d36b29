//! What a source imports, read as tokens rather than as a syntax tree.

use std::collections::{BTreeMap, BTreeSet};

use super::{child, parent};

/// Identifiers, `::`, and single characters of punctuation; no comments, literals or lifetimes.
///
/// A `$` belongs to the name after it, so that a fragment of a macro is not taken for a module;
/// `$crate` becomes `crate`.
fn tokens(mut text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    while let Some(first) = text.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let one = first.len_utf8();
        let name = text[one..].find(|c| !is_name(c)).map_or(text, |end| &text[..one + end]);
        let after = text[name.len()..].trim_start_matches('#');
        let hashes = text.len() - name.len() - after.len();
        let length = if text.starts_with("//") {
            text.find('\n')
        } else if text.starts_with("/*") {
            comment(text)
        } else if first == '"' {
            let mut escaped = false;
            let end = text[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map(|end| end + 2)
        } else if matches!(name, "r" | "br" | "cr") && after.starts_with('"') {
            let start = name.len() + hashes + 1;
            text[start..]
                .find(&format!("\"{}", "#".repeat(hashes)))
                .map(|end| start + end + 1 + hashes)
        } else if let Some(character) = text.strip_prefix('\'') {
            // An escape may be that of a quote; what closes no character is a lifetime.
            let escape = character.starts_with('\\');
            let skipped: usize =
                character.chars().take(1 + usize::from(escape)).map(char::len_utf8).sum();
            match character[skipped..].find('\'') {
                Some(end) if escape || end == 0 => Some(1 + skipped + end + 1),
                _ => Some(name.len()),
            }
        } else if name == "r" && hashes == 1 {
            Some(2)
        } else if first.is_ascii_digit() {
            Some(name.len())
        } else if is_name(first) || first == '$' {
            tokens.push(if name == "$crate" { "crate" } else { name });
            Some(name.len())
        } else if text.starts_with("::") {
            tokens.push("::");
            Some(2)
        } else {
            tokens.extend(Some(&text[..one]).filter(|_| !first.is_whitespace()));
            Some(one)
        };
        text = &text[length.unwrap_or(text.len())..];
    }
    tokens
}

/// The length of the comment that begins the text, with those inside it.
fn comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    loop {
        match text.as_bytes().get(at..at + 2)? {
            b"*/" if depth == 1 => return Some(at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            b"/*" => (depth, at) = (depth + 1, at + 2),
            _ => at += 1,
        }
    }
}

/// A path as written in a source, with the module in which it stands.
pub(super) struct Import<'a> {
    scope: String,
    path: Vec<&'a str>,
    /// The name that a `use` gives it.
    alias: Option<&'a str>,
}

/// What a file imports and declares, test code apart.
#[derive(Default)]
pub(super) struct Scan<'a> {
    /// The module that is being read, which may be one inside the file.
    pub(super) scope: String,
    pub(super) imports: Vec<Import<'a>>,
    /// Modules that are test code: this one or others.
    pub(super) tests: Vec<String>,
    /// Exported macros.
    pub(super) macros: Vec<&'a str>,
}

impl<'a> Scan<'a> {
    pub(super) fn of(module: String, text: &'a str) -> Self {
        let tokens = tokens(text);
        let token = |i: usize| tokens.get(i).copied().unwrap_or_default();
        let mut scan = Self { scope: module, ..Self::default() };
        // For every brace that is open, whether it is that of a module.
        let mut braces = Vec::new();
        let mut exported = false;
        let mut i = 0;
        while i < tokens.len() {
            let next = i + 1;
            match token(i) {
                "#" if braces.is_empty() && token(next) == "!" && is_test(&tokens, i + 2) => {
                    scan.tests.push(scan.scope.clone());
                    break;
                }
                "#" if is_test(&tokens, next) => {
                    let item = after_prefix(&tokens, i);
                    if token(item) == "mod" && token(item + 2) == ";" {
                        scan.tests.push(child(&scan.scope, token(item + 1)));
                    }
                    i = after_item(&tokens, item);
                    continue;
                }
                "macro_export" => exported = true,
                "macro_rules" if exported => {
                    scan.macros.push(token(i + 2));
                    exported = false;
                }
                "pub" if token(next) == "(" && token(i + 2) == "in" => i = close(&tokens, next),
                "mod" if token(i + 2) == "{" => {
                    scan.scope = child(&scan.scope, token(next));
                    braces.push(true);
                    i += 2;
                }
                "{" => braces.push(false),
                "}" if braces.pop() == Some(true) => scan.scope = parent(&scan.scope),
                // `impl Trait + use<'a>` imports nothing.
                "use" if token(next) != "<" => {
                    i = scan.add_tree(&tokens, next, &[]);
                    continue;
                }
                first if is_word(first) && token(next) == "::" => {
                    let from_here = i == 0 || token(i - 1) != "::";
                    let mut path = vec![first];
                    while token(i + 1) == "::" && is_word(token(i + 2)) {
                        path.push(token(i + 2));
                        i += 2;
                    }
                    if from_here {
                        scan.add(path, None);
                    }
                }
                _ => {}
            }
            i += 1;
        }
        scan
    }

    fn add(&mut self, path: Vec<&'a str>, alias: Option<&'a str>) {
        self.imports.push(Import { scope: self.scope.clone(), path, alias });
    }

    /// Adds every leaf of the tree of a `use` that begins at `i`, and says where it ends.
    fn add_tree(&mut self, tokens: &[&'a str], mut i: usize, prefix: &[&'a str]) -> usize {
        let mut path = prefix.to_vec();
        let mut alias = None;
        while let Some(&token) = tokens.get(i) {
            i += 1;
            match token {
                "{" => {
                    while tokens.get(i).is_some_and(|token| *token != "}") {
                        i = self.add_tree(tokens, i, &path);
                        i += usize::from(tokens.get(i) == Some(&","));
                    }
                    return i + 1;
                }
                "}" | "," | ";" => {
                    i -= 1;
                    break;
                }
                "as" => {
                    alias = tokens.get(i).copied();
                    i += 1;
                }
                "self" if !path.is_empty() => alias = path.last().copied(),
                // What begins with `::` belongs to another crate: no name resolves below it.
                "::" if path.is_empty() => path.push("::"),
                token if is_word(token) => {
                    path.push(token);
                    alias = Some(token);
                }
                _ => {}
            }
        }
        self.add(path, alias);
        i
    }

    /// The absolute paths of what the file imports from its crate.
    pub(super) fn targets(&self, modules: &BTreeSet<String>) -> BTreeSet<String> {
        let mut aliases: BTreeMap<(&str, &str), String> = BTreeMap::new();
        let mut targets = BTreeSet::new();
        // One alias may lead to another, and a path may stand before the `use` that it needs.
        for _ in 0..3 {
            for Import { scope, path, alias } in &self.imports {
                let Some((first, rest)) = path.split_first() else { continue };
                let inner = child(scope, first);
                let mut target = match *first {
                    "crate" => String::new(),
                    "self" => scope.clone(),
                    "super" => parent(scope),
                    _ if modules.contains(&inner) => inner,
                    name => match aliases.get(&(scope.as_str(), name)) {
                        Some(module) => module.clone(),
                        None => continue,
                    },
                };
                for name in rest {
                    target = if *name == "super" { parent(&target) } else { child(&target, name) };
                }
                if let Some(alias) = alias
                    && modules.contains(&target)
                {
                    aliases.insert((scope, alias), target.clone());
                }
                targets.insert(target);
            }
        }
        targets
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Whether the attribute whose bracket is at `open` is `test`, `cfg(test)` or `cfg(all(test, …))`.
fn is_test(tokens: &[&str], open: usize) -> bool {
    match &tokens[open.min(tokens.len())..close(tokens, open)] {
        ["[", "test"] | ["[", "cfg", "(", "test", ")"] => true,
        ["[", "cfg", "(", "all", rest @ ..] => {
            rest.contains(&"test") && !rest.contains(&"any") && !rest.contains(&"not")
        }
        _ => false,
    }
}

/// The place of the bracket that closes the one at `open`.
fn close(tokens: &[&str], open: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        depth += i32::from(matches!(*token, "(" | "[" | "{"));
        depth -= i32::from(matches!(*token, ")" | "]" | "}"));
        if depth == 0 {
            return i;
        }
    }
    tokens.len()
}

/// The index of the token after the attributes and the visibility of an item.
fn after_prefix(tokens: &[&str], mut i: usize) -> usize {
    while let Some(["#", "["]) = tokens.get(i..i + 2) {
        i = close(tokens, i + 1) + 1;
    }
    match tokens.get(i..i + 2) {
        Some(["pub", "("]) => close(tokens, i + 1) + 1,
        Some(["pub", _]) => i + 1,
        _ => i,
    }
}

/// The index of the token after the item that begins at `start`, or after a field, a variant or an
/// arm.
fn after_item(tokens: &[&str], start: usize) -> usize {
    let token = |i: usize| tokens.get(i).copied().unwrap_or_default();
    let (first, second) = (token(start), token(start + 1));
    let is_fn = matches!(second, "fn" | "unsafe" | "async" | "extern");
    // The braces of a value or of a tree of imports end nothing.
    let is_value = matches!(first, "use" | "const" | "static" | "let" | "type") && !is_fn;
    // An item begins with a keyword and another word; what does not may stand in a list.
    let is_item = is_value || is_word(second) || matches!(first, "impl" | "macro_rules");
    let mut i = start;
    while i < tokens.len() {
        match token(i) {
            ")" | "]" | "}" => return i,
            "," if !is_item => return i + 1,
            ";" => return i + 1,
            "{" if !is_value => return close(tokens, i) + 1,
            "(" | "[" | "{" => i = close(tokens, i) + 1,
            _ => i += 1,
        }
    }
    i
}
