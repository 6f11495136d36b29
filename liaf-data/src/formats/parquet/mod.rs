//! Parquet: a table that DuckDB, Polars and Spark query in place. It can be written, but not read.
//!
#![doc = include_str!("../../../docs/formats/parquet.md")]

mod encode;

pub(crate) use encode::TARGET;
