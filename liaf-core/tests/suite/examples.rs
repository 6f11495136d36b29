//! The examples run, and do what they say.

#[path = "../../examples/train_from_toml.rs"]
mod train_from_toml;

#[test]
fn a_network_in_toml_learns() {
    train_from_toml::main().unwrap();
    assert_eq!(train_from_toml::run().unwrap(), 1.0);
}
