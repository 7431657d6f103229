//! Layouts of published weights, each a file: what they are of is told by their names and shapes.

mod timm;
mod torchvision;
mod weights;

pub use timm::Timm;
pub use torchvision::Torchvision;
