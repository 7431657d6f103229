//! Layouts of published encoders.

mod hugging_face;
mod settings;

pub use hugging_face::HuggingFace;
