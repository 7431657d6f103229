//! The machine that a process runs on, and what of it may be used.

use fmicl_core::simd;
use std::collections::BTreeMap;

/// Variables by which less than the processor's own instructions are used: of this program, oneDNN (by two names) and libtorch.
const LIMITS: [&str; 4] = [
    "FMICL_SIMD",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
];

/// The host's name.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The processor's model, as the system names it; its architecture where it does not.
pub fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    model(&text).map_or(std::env::consts::ARCH, str::trim).into()
}

fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1)
}

/// The instructions that this program's own loops use.
pub fn level() -> String {
    format!("{:?}", simd::level()).to_lowercase()
}

/// The variables that are set.
pub fn limits() -> BTreeMap<String, String> {
    let set = |name: &str| Some((name.to_string(), std::env::var(name).ok()?));
    LIMITS.into_iter().filter_map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_read_as_linux_writes_it() {
        let text =
            "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R) CPU @ 2.00GHz\n";
        assert_eq!(model(text).map(str::trim), Some("Intel(R) Xeon(R) CPU @ 2.00GHz"));
        assert_eq!(model("processor\t: 0\nBogoMIPS\t: 50.00\n"), None);
    }
}
