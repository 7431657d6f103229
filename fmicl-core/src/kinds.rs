//! Kinds of part, a trait a file, and the values that parts hand to each other.

pub(crate) mod architecture;
pub(crate) mod backbone;
pub(crate) mod dataset;
pub(crate) mod divergence;
pub(crate) mod engine;
pub(crate) mod evaluation;
pub(crate) mod objective;
pub(crate) mod optimizer;
pub(crate) mod pretrained;
pub(crate) mod schedule;
pub(crate) mod similarity;
pub(crate) mod tracker;
pub(crate) mod transform;
pub(crate) mod views;

pub(crate) mod bands;
pub(crate) mod bootstrap;
pub(crate) mod confusion;
pub(crate) mod hits;
pub(crate) mod image;
pub(crate) mod learned;
pub(crate) mod modality;
pub(crate) mod pairing;
pub(crate) mod report;
pub(crate) mod scatter;
pub(crate) mod source;
pub(crate) mod supervised;
pub(crate) mod view;
