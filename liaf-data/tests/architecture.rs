//! The map of the code names only places that exist, and the code keeps to its layers.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::path::{Path, PathBuf};

#[path = "common/literals.rs"]
mod literals;

#[path = "common/layers.rs"]
mod layers;

#[test]
fn every_path_in_the_documents_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut seen = 0;
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        // Every other piece between backticks is code.
        for name in text.split('`').skip(1).step_by(2) {
            let is_path = name.contains('/') && !name.contains([' ', '<', '*', '\n']);
            if is_path && (name.ends_with('/') || name.contains('.')) && !name.starts_with('.') {
                let built = name.starts_with("target/") || name.starts_with("fixtures/more/");
                assert!(built || root.join(name).exists(), "{document} names {name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} paths");
}

/// The documents, and the folder of each.
fn documents(root: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in [".", "docs", "docs/formats", "fixtures", "liaf-data/docs/formats"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push((root.join(folder), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn every_link_in_the_documents_leads_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut seen = 0;
    for (folder, text) in documents(root) {
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap();
            if !link.is_empty() && !link.contains("://") {
                assert!(folder.join(link).exists(), "{} has a link to {link}", folder.display());
                // What a crate's documentation includes is not beside these files where it is read.
                assert!(!folder.ends_with("liaf-data/docs/formats"), "{link}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} links");
}

/// Readers of the repository find every page, and so do those of the documentation of the crate.
#[test]
fn every_page_of_a_format_is_in_the_index_and_in_a_module() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let index = std::fs::read_to_string(root.join("docs/formats/README.md")).unwrap();
    let modules = sources(&root.join("liaf-data/src/formats"));
    let modules: Vec<_> =
        modules.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let mut pages = 0;
    for page in std::fs::read_dir(root.join("liaf-data/docs/formats")).unwrap() {
        let name = page.unwrap().file_name().into_string().unwrap();
        let link = format!("](../../liaf-data/docs/formats/{name})");
        assert!(index.contains(&link), "the index lacks {name}");
        let include = format!("docs/formats/{name}\")]");
        let is_included = modules.iter().any(|module| module.contains(&include));
        assert!(is_included, "no module includes {name}");
        pages += 1;
    }
    assert!(pages > 10);
}

#[test]
fn no_module_imports_from_a_higher_layer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    layers::assert_layers(root, "liaf-data");
}

/// Files with code that not every operating system has.
const SYSTEMS: [&str; 13] = [
    "liaf-cli/src/inputs.rs",
    "liaf-cli/src/outputs.rs",
    "liaf-cli/src/signals.rs",
    "liaf-core/src/checkpoint/whole.rs",
    "liaf-data/src/dataset/folder.rs",
    "liaf-data/src/io/atomic.rs",
    "liaf-data/src/io/memory.rs",
    "liaf-data/src/io/same.rs",
    "liaf-data/src/io/source/lease.rs",
    "liaf-data/src/io/source/mapped.rs",
    "liaf-data/src/io/source/mod.rs",
    "liaf-data/src/io/source/positioned.rs",
    "liaf-data/src/io/stale.rs",
];

#[test]
fn code_for_one_operating_system_is_in_the_files_that_are_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let marks = [
        "os::unix",
        "os::fd",
        "os::linux",
        "os::windows",
        "libc::",
        "\"/proc",
        "\"/dev/",
        "cfg(unix)",
        "cfg(windows)",
        "target_os",
    ];
    let mut found = Vec::new();
    for folder in ["liaf", "liaf-cli", "liaf-core", "liaf-data"] {
        for file in sources(&root.join(folder).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            if marks.iter().any(|mark| text.contains(mark)) {
                found.push(file.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    assert_eq!(found, SYSTEMS);
}

/// All sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// A hint says what helps; only the program knows how its options are called.
#[test]
fn no_text_of_the_libraries_names_an_option_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut seen, mut named) = (0, Vec::new());
    for folder in ["liaf-data/src", "liaf-core/src"] {
        literals::each_in(&root.join(folder), &mut |file, text| {
            seen += 1;
            if literals::option_in(text).is_some() {
                named.push(format!("{}: {text}", file.display()));
            }
        });
    }
    assert!(seen > 1000, "only {seen} texts");
    assert!(named.is_empty(), "{named:#?}");
}

#[test]
fn options_are_found_in_texts_and_not_in_comments() {
    let source = r##"// "--in-comment"
        let a = "state it with --sensor WxH"; let b = '"'; let c = "\"--quoted\" --x";
        /* "--in /* nested */ block" */ let d = r#"raw "--raw" text"#; let e: &'a str = "a--b";"##;
    let mut found = Vec::new();
    literals::each(source, &mut |text| found.push(literals::option_in(text).map(str::to_owned)));
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(found, [name("sensor"), name("quoted"), name("raw"), None]);
}
