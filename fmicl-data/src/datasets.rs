//! The datasets, one file each.

mod cifar10;
mod digits;
mod files;
mod idx;
mod image_folder;
mod memory;
mod place;
mod subset;

pub use cifar10::Cifar10;
pub use digits::Digits;
pub use idx::Idx;
pub use image_folder::ImageFolder;
pub use place::data_folder;
pub use subset::Subset;
