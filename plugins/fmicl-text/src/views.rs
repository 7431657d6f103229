//! Tokenisation of texts.

mod settings;
mod text;
mod tokens;

pub(crate) use settings::Settings;
pub use text::Text;
