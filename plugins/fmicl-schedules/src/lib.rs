#![doc = include_str!("../README.md")]

mod step;

pub use step::Step;

use fmicl_core::{Schedule, register};
use serde::{Deserialize, Serialize};

/// Always 1: the learning rate stays where the warm-up ends, a momentum encoder's momentum where it begins.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {}

register!(Schedule, "constant", Constant, "always 1");

impl Schedule for Constant {
    fn factor(&self, _: f64) -> f64 {
        1.0
    }
}

/// `1 - progress`, from 1 to 0.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {}

register!(Schedule, "linear", Linear, "from 1 to 0 in a straight line");

impl Schedule for Linear {
    fn factor(&self, progress: f64) -> f64 {
        1.0 - progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_schedule;
    use fmicl_core::{Part, toml};

    #[test]
    fn obey_the_laws_and_are_found_by_name() {
        check_schedule(&Constant {});
        check_schedule(&Linear {});
        let factor = |name: &str| Part::<dyn Schedule>::new(name, toml::Table::new()).map(|part| part.factor(0.25));
        assert_eq!(
            (factor("constant").ok(), factor("linear").ok()),
            (Some(1.0), Some(0.75))
        );
    }
}
