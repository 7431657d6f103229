//! Datasets, transforms with torchvision's semantics, and the loader.
