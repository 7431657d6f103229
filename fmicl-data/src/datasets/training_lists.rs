//! The official lists that make a training split.

use serde::{Deserialize, Serialize};

/// Official lists of photos that make the training split, as an option.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingLists {
    /// Those of training and of validation, as results are reported (Kornblith, Shlens, Le, "Do better ImageNet models transfer
    /// better?", CVPR 2019).
    #[default]
    TrainVal,
    /// Those of training alone.
    Train,
}
