//! Contrastive baselines to compare f-MICL with.
