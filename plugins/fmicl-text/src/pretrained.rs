//! Layouts of published encoders.

mod hugging_face;

pub use hugging_face::HuggingFace;
