//! The parts that every binary with this command line has. The linker drops a crate that nothing refers to, and its parts
//! with it, so each has a line here; the binary has such lines for what it adds. The parts themselves are listed nowhere
//! but where they are defined.

use fmicl_data as _;
use fmicl_divergences as _;
use fmicl_models as _;

// What the experiments of this crate's tests name besides.
#[cfg(test)]
use {fmicl_baselines as _, fmicl_probes as _, fmicl_schedules as _, fmicl_text as _, fmicl_transforms as _};
