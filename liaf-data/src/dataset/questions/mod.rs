//! Questions about stories, in words: the tensors `story`, `question` and `answer`.

mod build;
mod read;
mod tensors;
mod text;

pub(super) use build::run;
pub use read::Questions;
pub(super) use tensors::verify_any;
pub use text::Asked;
