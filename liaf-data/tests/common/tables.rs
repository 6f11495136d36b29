//! The tables of what the bundled recordings hold.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs;
use std::path::Path;

use toml::{Table, Value};

/// The rows of one kind, `case` or `bad`, of all tables: those of `fixtures/cases`, in the order of
/// their names, and `more.toml`.
pub fn rows(fixtures: &Path, kind: &str) -> Vec<Table> {
    let folder = fs::read_dir(fixtures.join("cases")).unwrap();
    let mut tables: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    tables.sort();
    tables.push(fixtures.join("more.toml"));
    let mut rows = Vec::new();
    for table in tables {
        let table: Table = fs::read_to_string(table).unwrap().parse().unwrap();
        let of_kind = table.get(kind).and_then(Value::as_array).into_iter().flatten();
        rows.extend(of_kind.map(|row| row.as_table().unwrap().clone()));
    }
    rows
}
