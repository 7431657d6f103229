//! What is kept of a sample that was read.

/// 128 bits of the SHA-256 of its pixels with their size, or of its texts.
pub type Content = [u8; 16];

/// A sample that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Samples of the same content are the same.
    pub content: Content,
    /// Perceptual hash of an image; nothing for one that is too small or too plain, and for texts.
    pub look: Option<u64>,
    /// Width and height of an image in pixels; characters of texts, and their number.
    pub size: [u32; 2],
    /// Whether all pixels are gray, or a text has nothing but white space.
    pub is_plain: bool,
}

/// A sample: what is kept of it, or why it cannot be read.
pub type Seen = Result<Picture, String>;
