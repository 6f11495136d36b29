//! Parquet: a table that DuckDB, Polars and Spark query in place. It is written, not read.
//!
//! | column | type | |
//! |---|---|---|
//! | `t` | INT64 | µs, differences packed |
//! | `x`, `y` | UINT_16 | |
//! | `p` | INT_8 | 0 or 1 |
//!
//! The polarity is a signed number, so that `p = 1`, `sum(p)` and `2 * p - 1` mean the same in all
//! three: Spark does not add booleans, and of an unsigned 0 Polars makes 255 where -1 is meant.
//! The metadata of the file hold `width`, `height`, `t_offset` (what was taken from all times) and
//! `liaf`, the provenance. Source: the Apache Parquet format, by the crate `parquet`.

mod encode;

pub(crate) use encode::TARGET;
