//! Questions about stories, in words: the tensors `story`, `question` and `answer`.

mod build;
mod tensors;
mod text;

pub(super) use build::run;
