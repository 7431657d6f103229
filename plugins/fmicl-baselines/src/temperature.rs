//! The option `temperature`.

use fmicl_core::{Result, require};

/// The temperature of a softmax, from 1e-6 to 1e6.
pub fn check_temperature(temperature: f64) -> Result<()> {
    require((1e-6..=1e6).contains(&temperature), "temperature", || {
        format!("{temperature} is not from 1e-6 to 1e6")
    })
}
