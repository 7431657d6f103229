//! Files: opening what may be anything, writing atomically, files of tensors, fingerprints.

pub mod disk;
pub(crate) mod files;
pub(crate) mod portion;
pub(crate) mod reads;
pub mod weights;
