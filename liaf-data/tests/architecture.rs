//! The map of the code names only places that exist, and the code keeps to its layers.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::path::Path;

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

#[test]
fn no_module_imports_from_a_higher_layer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    layers::assert_layers(root, "liaf-data");
}
