//! Backbones, projection heads, architectures and optimizers.
