//! The modules of the crate import each other as the table in ARCHITECTURE.md says: downward only.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

#[path = "../../liaf-data/tests/common/layers.rs"]
mod layers;

#[test]
fn imports_go_down_the_layers_of_the_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    layers::assert_layers(root, env!("CARGO_PKG_NAME"));
}
