//! The program `liaf`.
fn main() {}
