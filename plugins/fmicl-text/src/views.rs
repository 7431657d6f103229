//! How texts become tokens.

mod text;
mod tokens;

pub use text::Text;
