//! Parquet: a table that DuckDB, Polars and Spark query in place. It is written, not read.
//!
#![doc = include_str!("../../../docs/formats/parquet.md")]

mod encode;

pub(crate) use encode::TARGET;
