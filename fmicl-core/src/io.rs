//! Files: opening what may be anything, files of tensors, fingerprints.

pub(crate) mod files;
pub(crate) mod portion;
pub(crate) mod reads;
pub mod weights;
