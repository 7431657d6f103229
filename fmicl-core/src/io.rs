//! Files: opening what may be anything, text, writing atomically, files of tensors, fingerprints.

pub mod disk;
pub mod encoding;
pub(crate) mod files;
pub mod growing;
pub(crate) mod portion;
pub(crate) mod reads;
pub mod weights;
