//! The crates whose parts the binary has. The linker drops a crate that nothing refers to, and its parts with
//! it, so each has a line here; the parts themselves are listed nowhere but where they are defined.

use fmicl_baselines as _;
use fmicl_c10d as _;
use fmicl_data as _;
use fmicl_divergences as _;
use fmicl_models as _;
use fmicl_schedules as _;
use fmicl_text as _;
