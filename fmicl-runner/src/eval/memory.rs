//! Check that an evaluation fits into memory, before a training of days.

use super::{MOST_PIXELS, raw_bytes};
use crate::data::{Opened, Splits};
use fmicl_core::tch::Device;
use fmicl_core::{Error, Result};
use std::fmt;
use std::fs;
use std::path::Path;

/// Memory that evaluations take, in all processes of this machine.
#[derive(Debug)]
pub(crate) struct Need {
    bytes: u64,
    /// What takes it.
    of: String,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "about {} ({})", gib(self.bytes), self.of)
    }
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

impl Need {
    /// Returns true for a GiB or more.
    pub fn is_large(&self) -> bool {
        self.bytes >= 1 << 30
    }

    /// To judge by `tasks` the labelled splits of `data`, of which each sample has `width` numbers, called `of`; nothing where
    /// nothing is judged by labels.
    fn new(data: &Splits, tasks: &[&Opened], (width, of): (usize, &str)) -> Option<Self> {
        let sizes = data.labelled.as_ref()?.sizes();
        let beside = tasks.iter();
        let beside = beside.map(|opened| (opened.evaluation.memory(&sizes, width), &*opened.name));
        let (beside, name) = beside.max()?;
        let processes = data.processes_here as u64;
        let [train, test] = [sizes.train, sizes.test];
        let (held, mut of) = match tasks.iter().all(|opened| opened.evaluation.trains()) {
            // Who trains on the samples holds no features of all of them.
            true => (0, format!("what `{name}` takes")),
            false => {
                let of = format!(
                    "{of} of {train} + {test} samples, {width} numbers each, and what `{name}` takes beside them"
                );
                (features((train + test) as u64, width as u64, data.half), of)
            }
        };
        if processes > 1 {
            of += &format!(", in each of {processes} processes");
        }
        let bytes = processes * (held + beside);
        Some(Need { bytes, of })
    }

    /// Checks that there is as much; the error calls the evaluations `what`. A GPU's memory is not checked.
    fn require(&self, what: &str, data: &Splits, device: Device) -> Result<()> {
        let there = available().filter(|_| device == Device::Cpu);
        let (Some(labelled), Some(there)) = (&data.labelled, there) else {
            return Ok(());
        };
        if self.bytes <= there {
            return Ok(());
        }
        Err(Error::config(format!(
            "{what} takes {self}, and {} are free; lower eval.train_samples, which is all {} unless set, or take a machine \
             with more memory",
            gib(there),
            labelled.train.len()
        ))
        .at("eval"))
    }
}

/// Checks that there is memory to [compare](super::compare) a trained encoder of `width` features: for the features of the
/// labelled splits, or the raw pixels if those are larger, and for the evaluations, in each process of this machine. The memory
/// of training stays in use meanwhile. Returns what is needed, if anything is judged by labels.
///
/// # Errors
/// A config error at `eval`, with what is needed and what there is.
pub(crate) fn require_room(data: &Splits, width: i64, device: Device) -> Result<Option<Need>> {
    // A sample that cannot be read has an error of its own.
    let raw = data.raw_width().ok().flatten();
    let raw = raw.filter(|width| {
        let mut labelled = data.labelled.iter();
        labelled.any(|labelled| raw_bytes(*width, labelled) <= MOST_PIXELS)
    });
    let tasks: Vec<_> = data.by_labels().map(|(opened, _)| opened).collect();
    let need = Need::new(data, &tasks, widest(width as usize, raw));
    if let Some(need) = &need {
        need.require("the evaluation after training", data, device)?;
    }
    Ok(need)
}

/// Checks that there is memory for one evaluation of one encoder on labelled splits.
///
/// # Errors
/// As [`require_room`].
pub(super) fn require_room_alone(data: &Splits, opened: &Opened, width: i64, device: Device) -> Result<()> {
    let need = Need::new(data, &[opened], (width as usize, FEATURES));
    need.map_or(Ok(()), |need| need.require("this evaluation", data, device))
}

const FEATURES: &str = "features";

/// The wider of an encoder's features and raw pixels, which are judged one after the other.
fn widest(features: usize, raw: Option<usize>) -> (usize, &'static str) {
    match raw {
        Some(raw) if raw > features => (raw, "raw pixels"),
        _ => (features, FEATURES),
    }
}

/// The bytes of features `[samples, width]`, f16 or f32, and of labels, as they are counted and as they are used.
fn features(samples: u64, width: u64, half: bool) -> u64 {
    (if half { 2 } else { 4 }) * samples * width + 8 * 2 * samples
}

/// The bytes that this process can still take: the system's, or those of its control groups, where they allow less.
fn available() -> Option<u64> {
    let system = memory_available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?.trim_start_matches('/'));
        let (root, files) = match controllers {
            "" => ("/sys/fs/cgroup", V2),
            memory if memory.split(',').any(|name| name == "memory") => ("/sys/fs/cgroup/memory", V1),
            _ => return None,
        };
        // A container sees its own group as the root, under whatever path it has outside.
        let own = Path::new(root).join(path);
        let own = if own.is_dir() { own } else { root.into() };
        let bounds = own.ancestors().take_while(|group| group.starts_with(root));
        bounds.filter_map(|group| left_in(group, files)).min()
    });
    groups.chain([system]).min()
}

/// A control group's limit, its use, and the line of its statistics that says what of that can be given back.
type Files = (&'static str, &'static str, &'static str);
const V2: Files = ("memory.max", "memory.current", "inactive_file ");
const V1: Files = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ");

/// Returns the bytes that a control group has left; `None` without a limit.
fn left_in(group: &Path, (limit, used, inactive): Files) -> Option<u64> {
    let number = |file: &str| -> Option<u64> { fs::read_to_string(group.join(file)).ok()?.trim().parse().ok() };
    let statistics = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let inactive = statistics
        .lines()
        .find_map(|line| line.strip_prefix(inactive)?.trim().parse().ok());
    let used = number(used)?.saturating_sub(inactive.unwrap_or(0));
    Some(number(limit)?.saturating_sub(used))
}

/// `MemAvailable` of `/proc/meminfo`.
fn memory_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_group_has_its_limit_less_what_it_cannot_give_back() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("memory.current", "700\n");
        put("memory.stat", "anon 500\ninactive_file 150\n");
        put("memory.max", "max\n");
        assert_eq!(left_in(folder.path(), V2), None);
        put("memory.max", "1000\n");
        assert_eq!(left_in(folder.path(), V2), Some(450));
        put("memory.max", "400\n");
        assert_eq!(left_in(folder.path(), V2), Some(0));
        assert_eq!(left_in(folder.path(), V1), None);
    }

    #[test]
    fn the_systems_memory_is_read_as_it_is_written() {
        let text = "MemTotal:       16384000 kB\nMemFree:          100000 kB\nMemAvailable:    8192000 kB\n";
        assert_eq!(memory_available(text), Some(8_192_000 << 10));
        assert_eq!(memory_available("MemTotal: 1 kB\n"), None);
        assert!(available().is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn raw_pixels_count_where_they_are_wider_than_the_features() {
        assert_eq!(widest(512, Some(3 * 96 * 96)), (27_648, "raw pixels"));
        assert_eq!(widest(512, Some(64)), (512, "features"));
        assert_eq!(widest(512, None), (512, "features"));
    }
}
