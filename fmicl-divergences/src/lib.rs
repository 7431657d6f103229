//! The f-divergences and similarities of f-MICL, one file each.
//!
//! Source of all: Lu et al., "f-MICL", TMLR 2023, arXiv 2402.10150, table 1 (divergences) and section 4
//! (similarities). Each divergence is written in the log density ratio `l = log u`; see
//! [`fmicl_core::Divergence`].

pub mod divergences;
pub mod similarities;
