//! Checks the layers of a crate against the table in `ARCHITECTURE.md`.
//!
//! The table has the header `| crate | layer | modules |`. The rows of a crate go from the lowest
//! floor up, and the modules that a row names are the rooms of that floor. A file stands in the
//! room whose path is the longest prefix of its own. Imports go to the same floor or to a lower
//! one, and the rooms of one floor form no circle. An import names a module: what is re-exported at
//! the root of the crate hides where it comes from. Test code may import what it likes.
//!
//! The sources are read as tokens, not as a syntax tree. Seen are paths that begin with `crate`,
//! `self`, `super`, a child module, or a module that a `use` in the same module names. Not seen are
//! names that come from a glob import, paths inside strings, and calls of methods.

mod scan;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

use scan::Scan;

/// Panics with all violations of the crate in the folder `root/crate_name`.
///
/// It also panics if it sees fewer imports than the crate has files, because then the check itself
/// has gone blind.
pub fn assert_layers(root: &Path, crate_name: &str) {
    let Outcome { violations, imports, files } = read_and_check(root, crate_name);
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
    assert!(files > 5 && imports >= files, "{crate_name}: {imports} imports in {files} files");
}

/// The violations of the crate in the folder `root/crate_name`, sorted, each of them once.
pub fn violations(root: &Path, crate_name: &str) -> Vec<String> {
    read_and_check(root, crate_name).violations
}

struct Outcome {
    violations: Vec<String>,
    /// Pairs of a file and another module that it imports.
    imports: usize,
    files: usize,
}

fn read_and_check(root: &Path, crate_name: &str) -> Outcome {
    let document = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut sources = Vec::new();
    read_sources(&root.join(crate_name).join("src"), "src", &mut sources);
    check(&document, crate_name, &sources)
}

fn read_sources(folder: &Path, name: &str, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect(name) {
        let path = entry.expect(name).path();
        let name = format!("{name}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            read_sources(&path, &name, sources);
        } else if name.ends_with(".rs") {
            sources.push((name.clone(), fs::read_to_string(&path).expect(&name)));
        }
    }
}

/// Checks pairs of a path such as `src/model/event.rs` and the text of that file.
fn check(document: &str, crate_name: &str, sources: &[(String, String)]) -> Outcome {
    let mut found = BTreeSet::new();
    let rooms = rooms(document, crate_name, &mut found);
    let mut scans: Vec<(&str, String, Scan)> = sources
        .iter()
        .filter(|(path, _)| path != "src/main.rs" && !path.starts_with("src/bin/"))
        .map(|(path, text)| (path.as_str(), module_of(path), Scan::of(module_of(path), text)))
        .collect();
    let (mut tests, mut macros) = (BTreeSet::new(), BTreeMap::new());
    for (_, module, scan) in &scans {
        tests.extend(scan.tests.iter().cloned());
        macros.extend(scan.macros.iter().map(|name| (name.to_string(), module.clone())));
    }
    // The root of the crate knows all floors. It was scanned only for what it declares.
    scans.retain(|(_, module, _)| !module.is_empty() && longest(module, &tests).is_none());
    let modules: BTreeSet<String> = scans.iter().map(|(_, module, _)| module.clone()).collect();
    for (room, floor) in rooms.iter().filter(|(room, _)| !modules.contains(*room)) {
        found.insert(format!("the row {} names {room}, which is no module", floor.layer));
    }

    let names: BTreeSet<String> = rooms.keys().cloned().collect();
    // From a room to another one on its floor, with a file that imports so.
    let mut doors: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (path, module, scan) in &scans {
        let Some(home) = longest(module, &names) else {
            found.insert(format!("{path} is in no row of the table"));
            continue;
        };
        let Floor { layer, number } = &rooms[home];
        let place = format!("{path} ({layer}, floor {number}) imports");
        for path_in_crate in scan.targets(&modules) {
            // An exported macro stands at the root and counts as a part of the module that
            // defines it.
            let defined = macros.get(&path_in_crate).map(String::as_str);
            let Some(target) = longest(&path_in_crate, &modules).or(defined) else {
                let name = path_in_crate.split("::").next().filter(|name| !name.is_empty());
                let name = name.unwrap_or("everything");
                found.insert(format!("{place} {name} through the root of the crate"));
                continue;
            };
            if target != module {
                seen.insert((path, target.to_string()));
            }
            let Some(room) = longest(target, &names) else { continue };
            let above = rooms[room].number;
            if above > *number {
                found.insert(format!("{place} {target} (floor {above}): upward"));
            } else if above == *number && home != room {
                doors.entry(home).or_default().entry(room).or_insert(path);
            }
        }
    }
    for circle in doors.keys().filter_map(|room| circle(room, &doors)) {
        let Floor { layer, number } = &rooms[circle[0]];
        let mut text = format!("a circle ({layer}, floor {number}): {}", circle[0]);
        for (i, from) in circle.iter().enumerate() {
            let to = circle[(i + 1) % circle.len()];
            text += &format!(" -> {to} ({})", doors[from][to]);
        }
        found.insert(text);
    }
    let violations = found.into_iter().map(|text| format!("{crate_name}: {text}")).collect();
    Outcome { violations, imports: seen.len(), files: scans.len() }
}

struct Floor {
    number: usize,
    layer: String,
}

/// The rooms of a crate by their module paths.
fn rooms(
    document: &str,
    crate_name: &str,
    found: &mut BTreeSet<String>,
) -> BTreeMap<String, Floor> {
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim().trim_matches('|').split('|');
        cells.map(|cell| cell.replace(['`', ','], " ").trim().to_string()).collect()
    };
    let mut rooms = BTreeMap::new();
    let mut number = 0;
    let lines = document.lines().skip_while(|line| cells(line) != ["crate", "layer", "modules"]);
    for line in lines.skip(2).take_while(|line| line.starts_with('|')) {
        if let [name, layer, modules] = cells(line).as_slice()
            && name == crate_name
        {
            number += 1;
            for room in modules.split_whitespace() {
                let floor = Floor { number, layer: layer.clone() };
                if rooms.insert(room.to_string(), floor).is_some() {
                    found.insert(format!("the table names {room} twice"));
                }
            }
        }
    }
    if rooms.is_empty() {
        found.insert("ARCHITECTURE.md has no table of layers with rows for this crate".into());
    }
    rooms
}

/// The shortest circle through `start`, from its least room on so that it is the same for each.
fn circle<'a>(
    start: &'a str,
    doors: &BTreeMap<&'a str, BTreeMap<&'a str, &str>>,
) -> Option<Vec<&'a str>> {
    let mut queue = VecDeque::from([vec![start]]);
    let mut visited = BTreeSet::new();
    while let Some(mut way) = queue.pop_front() {
        for next in doors.get(way[way.len() - 1]).into_iter().flat_map(BTreeMap::keys) {
            if *next == start {
                let least = (0..way.len()).min_by_key(|&i| way[i])?;
                way.rotate_left(least);
                return Some(way);
            }
            if visited.insert(*next) {
                queue.push_back([way.as_slice(), &[*next]].concat());
            }
        }
    }
    None
}

/// The module path of a file, which is empty for `src/lib.rs`.
fn module_of(path: &str) -> String {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { String::new() } else { path.replace('/', "::") }
}

/// The longest prefix of a module path that is among the given ones.
fn longest<'a>(mut path: &str, among: &'a BTreeSet<String>) -> Option<&'a str> {
    loop {
        if let Some(found) = among.get(path) {
            return Some(found);
        }
        path = path.rsplit_once("::")?.0;
    }
}

fn parent(path: &str) -> String {
    path.rsplit_once("::").map_or("", |(parent, _)| parent).into()
}

fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}::{name}") }
}

/// The violations in a crate of three floors, some of whose files have the given texts.
fn found(changed: &[(&str, &str)]) -> Vec<String> {
    let table = "
| crate | layer | modules |
|---|---|---|
| `a` | ground | `error` `other` |
| `a` | codec | `codec` `pack` |
| `a` | options | `read` `codec::options` |
";
    let mut sources = BTreeMap::new();
    for name in
        ["lib", "error", "other", "codec/mod", "codec/deep", "codec/options", "pack", "read"]
    {
        sources.insert(format!("src/{name}.rs"), String::new());
    }
    sources.extend(changed.iter().map(|(path, text)| (path.to_string(), text.to_string())));
    check(table, "a", &Vec::from_iter(sources)).violations
}

#[test]
fn upward_imports_fail_however_they_are_written() {
    for text in [
        "use crate::read::Options;",
        "use crate::{other::{self, X as Y}, read::{Options, More}};",
        "use super::read as r;",
        "pub(crate) use crate::read::*;",
        "fn f<'a>(x: &'a crate::read::X) -> char { 'x' }",
        "fn f() -> char { let c = b'\\''; crate::read::x() }",
        "mod inner { fn f() { super::super::read::f() } } struct X(r#type);",
        "macro_rules! m { ($read:ident) => { $crate::read::x() } }",
        "#[cfg(test)] use x::{y}; use crate::read::X;",
        "struct A { #[cfg(test)] a: u8, b: crate::read::X }",
        "impl A { #[cfg(test)] const fn f() -> [u8; 2] { [0; 2] } fn g() { crate::read::f() } }",
        "const A: &str = r#\"\"\"#; type B = crate::read::X;",
        "/*/ a /* b */ \" */ use crate::read::X;",
    ] {
        let upward = "a: src/error.rs (ground, floor 1) imports read (floor 3): upward";
        assert_eq!(found(&[("src/error.rs", text)]), [upward], "{text}");
    }
    let text = "use super::super::read::X; use super::super::codec; fn f() { codec::options::f() }";
    let place = "a: src/codec/deep.rs (codec, floor 2) imports";
    assert_eq!(
        found(&[("src/codec/deep.rs", text)]),
        [
            format!("{place} codec::options (floor 3): upward"),
            format!("{place} read (floor 3): upward")
        ]
    );
    let child = "a: src/codec/mod.rs (codec, floor 2) imports codec::options (floor 3): upward";
    assert_eq!(found(&[("src/codec/mod.rs", "mod options; pub use options::X;")]), [child]);
}

#[test]
fn downward_imports_and_those_within_a_room_pass() {
    let none: [&str; 0] = [];
    let read = ("src/read.rs", "use crate::{codec::Decoder, error::{Error, Result}};");
    let options = ("src/codec/options.rs", "use super::deep::X; use crate::pack::Y;");
    let codec = ("src/codec/mod.rs", "use deep::X;");
    let deep = ("src/codec/deep.rs", "use super::Y;");
    assert_eq!(found(&[read, options, codec, deep]), none);
}

#[test]
fn tests_comments_strings_and_visibilities_are_no_imports() {
    let none: [&str; 0] = [];
    for text in [
        "#[cfg(test)] mod tests { use crate::read::X; } /* /* crate::read::X */ crate::read::Y */",
        "#[cfg(test)] pub(crate) use crate::read::{X, Y}; // crate::read::X",
        "#[cfg(test)] #[inline] fn f<A, B>() { crate::read::f() }",
        "#[cfg(all(test, unix))] impl A<B> for C { fn f() { crate::read::f() } }",
        "#![cfg(test)] use crate::read::X;",
        "const A: &str = \"\\\"crate::read::x\"; const B: &[u8] = br##\"\"# crate::read::x\"##;",
        "pub(in crate::read) fn f<'a>(x: &'a str) -> impl A + use<'a> { x::<std::read::X>() }",
        "enum A { #[cfg(test)] B(crate::read::X), C }",
    ] {
        assert_eq!(found(&[("src/codec/deep.rs", text)]), none, "{text}");
    }
    let parent = ("src/codec/mod.rs", "#[cfg(test)] pub(super) mod tests;");
    assert_eq!(found(&[parent, ("src/codec/tests/x.rs", "use crate::read::X;")]), none);
}

#[test]
fn rooms_of_one_floor_form_no_circle() {
    let none: [&str; 0] = [];
    let there = ("src/codec/deep.rs", "use crate::pack::X;");
    assert_eq!(found(&[there]), none);
    let chain = "codec -> pack (src/codec/deep.rs) -> codec (src/pack.rs)";
    assert_eq!(
        found(&[there, ("src/pack.rs", "use super::codec::Y;")]),
        [format!("a: a circle (codec, floor 2): {chain}")]
    );
}

#[test]
fn imports_through_the_root_fail_unless_they_are_exported_macros() {
    let through = |name| {
        format!("a: src/error.rs (ground, floor 1) imports {name} through the root of the crate")
    };
    let error = |text| ("src/error.rs", text);
    assert_eq!(found(&[error("use crate::Error;")]), [through("Error")]);
    assert_eq!(found(&[error("use super::{*, X};")]), [through("X"), through("everything")]);
    let call = error("fn f() { crate::check!(1) }");
    assert_eq!(found(&[call]), [through("check")]);
    let definition = "#[macro_export] macro_rules! check { () => {} }";
    let none: [&str; 0] = [];
    assert_eq!(found(&[call, ("src/other.rs", definition)]), none);
    assert_eq!(found(&[call, ("src/lib.rs", definition)]), none);
    let upward = "a: src/error.rs (ground, floor 1) imports pack (floor 2): upward";
    assert_eq!(found(&[call, ("src/pack.rs", definition)]), [upward]);
}

#[test]
fn the_table_names_every_module_once_and_no_other() {
    assert_eq!(found(&[("src/new.rs", "")]), ["a: src/new.rs is in no row of the table"]);
    let header = "| crate | layer | modules |\n|---|---|---|\n";
    let violations = |rows: &str| {
        let sources = [("src/b.rs".to_string(), String::new())];
        check(&(header.to_string() + rows), "b", &sources).violations
    };
    let none = "b: ARCHITECTURE.md has no table of layers with rows for this crate";
    let missing = "b: src/b.rs is in no row of the table";
    assert_eq!(violations("| `a` | low | `b` |"), [none, missing]);
    let gone = "b: the row low names gone, which is no module";
    let twice = "b: the table names b twice";
    assert_eq!(violations("| `b` | low | `b` `gone` |\n| `b` | high | `b` |"), [gone, twice]);
}

#[test]
fn a_tree_on_disk_is_read_whole_and_must_show_imports() {
    let root = std::env::temp_dir().join(format!("layers-{}", std::process::id()));
    fs::create_dir_all(root.join("a/src/codec")).expect("a folder for the test");
    let write = |name: &str, text: &str| fs::write(root.join(name), text).expect(name);
    let table = "| crate | layer | modules |\n|-|-|-|\n| a | low | x |\n| a | high | codec |\n";
    write("ARCHITECTURE.md", table);
    write("a/src/lib.rs", "pub use codec::X;");
    write("a/src/x.rs", "use crate::codec::X;");
    write("a/src/codec/mod.rs", "");
    let upward = violations(&root, "a");
    write("a/src/x.rs", "");
    let without = (violations(&root, "a"), std::panic::catch_unwind(|| assert_layers(&root, "a")));
    fs::remove_dir_all(&root).expect("the folder of the test");
    assert_eq!(upward, ["a: src/x.rs (low, floor 1) imports codec (floor 2): upward"]);
    assert!(without.0.is_empty() && without.1.is_err());
}
