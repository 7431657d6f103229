//! The datasets, one file each.

mod cifar;
mod cifar10;
mod cifar100;
mod digits;
mod extensions;
mod fashion_mnist;
mod files;
mod idx;
mod image_folder;
mod imagenet;
mod left_out;
mod links;
mod listing;
mod memory;
mod mnist;
mod own;
mod photos;
mod place;
mod published;
mod stl10;
mod subset;
mod tiny_imagenet;
mod walk;

pub use cifar10::Cifar10;
pub use cifar100::Cifar100;
pub use digits::Digits;
pub use fashion_mnist::FashionMnist;
pub use idx::Idx;
pub use image_folder::ImageFolder;
pub use imagenet::ImageNet;
pub use links::FollowLinks;
pub use mnist::Mnist;
pub use place::data_folder;
pub use stl10::Stl10;
pub use subset::{Spread, Subset};
pub use tiny_imagenet::TinyImageNet;
