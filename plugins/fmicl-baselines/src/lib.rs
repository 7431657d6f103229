//! Contrastive baselines to compare f-MICL with, one file each, on the public interface alone.

mod infonce;

pub use infonce::InfoNce;
