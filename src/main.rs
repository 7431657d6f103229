//! The binary `fmicl`: the crates whose parts it has, its allocator, and the command line.
//!
//! The linker drops a crate that nothing refers to, and its parts with it: hence a line for each. A binary of your own is
//! these lines with your crates added.

#[cfg(all(feature = "jemalloc", target_os = "linux"))]
mod allocator;

#[cfg(feature = "baselines")]
use fmicl_baselines as _;
#[cfg(feature = "c10d")]
use fmicl_c10d as _;
#[cfg(feature = "export")]
use fmicl_export as _;
#[cfg(feature = "fetch")]
use fmicl_fetch as _;
#[cfg(feature = "probes")]
use fmicl_probes as _;
#[cfg(feature = "report")]
use fmicl_report as _;
#[cfg(feature = "runs")]
use fmicl_runs as _;
#[cfg(feature = "schedules")]
use fmicl_schedules as _;
#[cfg(feature = "schema")]
use fmicl_schema as _;
#[cfg(feature = "shards")]
use fmicl_shards as _;
#[cfg(feature = "sweep")]
use fmicl_sweep as _;
#[cfg(feature = "text")]
use fmicl_text as _;
#[cfg(feature = "trackers")]
use fmicl_trackers as _;
#[cfg(feature = "transforms")]
use fmicl_transforms as _;
#[cfg(feature = "verify")]
use fmicl_verify as _;
#[cfg(feature = "watch")]
use fmicl_watch as _;

fn main() -> std::process::ExitCode {
    fmicl_runner::cli()
}
