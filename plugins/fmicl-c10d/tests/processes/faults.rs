//! What goes wrong in one process alone: an optimizer that does it after the fourth step, and a dataset.

use crate::common;
use fmicl_core::tch::{self, Tensor};
use fmicl_core::{Dataset, Optimizer, Parameters, Part, Result, Samples, Split, Stepper, register};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::process::Command;

/// What the process 1 does, once; by the environment variable `FAULT`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Its weights become NaN.
    Nan,
    Dies,
    /// As by SIGSTOP: its connections stay.
    Hangs,
}

const FAULTS: [Fault; 3] = [Fault::Nan, Fault::Dies, Fault::Hangs];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The fault of this process, where it has one; not when torchrun has started it again.
fn own() -> Option<Fault> {
    let name = std::env::var("FAULT").ok()?;
    let again = std::env::var("TORCHELASTIC_RESTART_COUNT").is_ok_and(|count| count != "0");
    let faulty = common::rank() == Some(1) && !again;
    FAULTS.into_iter().find(|fault| faulty && fault.to_string() == name)
}

/// Another optimizer, and the fault.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Faulty {
    of: Part<dyn Optimizer>,
}

register!(Optimizer, "faulty", Faulty, "what goes wrong in one process");

impl Optimizer for Faulty {
    fn build(&self, parameters: &Parameters) -> Box<dyn Stepper> {
        Box::new(Steps {
            of: self.of.build(parameters),
            steps: 0,
        })
    }
}

struct Steps {
    of: Box<dyn Stepper>,
    steps: usize,
}

impl Stepper for Steps {
    fn step(&mut self, parameters: &mut Parameters, lr: f64) {
        self.of.step(parameters, lr);
        self.steps += 1;
        match own().filter(|_| self.steps == 4) {
            Some(Fault::Nan) => {
                let _ = tch::no_grad(|| parameters.groups[0].values.fill_(f64::NAN));
            }
            Some(Fault::Dies) => std::process::abort(),
            Some(Fault::Hangs) => {
                let id = std::process::id().to_string();
                Command::new("kill").args(["-STOP", &id]).status().unwrap();
            }
            None => (),
        }
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.of.state()
    }
}

/// Digits, of which the process 1 has one more.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Uneven {}

register!(Dataset, "uneven", Uneven, "more samples in one process");

impl Dataset for Uneven {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let train = 48 + common::rank().unwrap_or(0) as i64;
        let options = toml::Table::from_iter(
            [("of", "digits".into()), ("train", toml::Value::from(train))].map(|(key, value)| (key.to_string(), value)),
        );
        Part::<dyn Dataset>::new("subset", options)?.open(split)
    }
}
