//! Parquet: a table that DuckDB, Polars and Spark query in place. It can be written, but not read.
//!
//! | column | type | |
//! |---|---|---|
//! | `t` | INT64 | µs, delta-encoded |
//! | `x`, `y` | UINT_16 | |
//! | `p` | INT_8 | 0 or 1 |
//!
//! The polarity is a signed number, so that `p = 1`, `sum(p)` and `2 * p - 1` mean the same in all
//! three: Spark cannot add booleans, and in Polars the last expression gives 255 instead of -1 for an
//! unsigned 0. The metadata of the file contain `width`, `height`, `t_offset` (what was subtracted from
//! all times) and `liaf`, the provenance. Source: the Apache Parquet format, by the crate `parquet`.

mod encode;

pub(crate) use encode::TARGET;
