//! Provenance of a run's numbers: `provenance.json`, a segment for each `fmicl train` that has worked on it.
//!
//! | to read | in |
//! |---|---|
//! | the program: version, commit, hash, crates | `provenance/program.rs` |
//! | the machine | `provenance/machine.rs` |
//! | the file, and the segment that is going on | `provenance/record.rs` |

mod machine;
mod program;
mod record;

pub use machine::host;
pub use program::path;
pub(crate) use program::{begin_sha256, crates, take_name, version};
pub(crate) use record::{Ongoing, segments};

use crate::config::Train;
use crate::shell;
use fmicl_core::{libtorch_version, registry, toml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use tracing_subscriber::fmt::{format::Writer, time::FormatTime, time::SystemTime};

/// Version of the files that programs read: `metrics.jsonl`, `steps.jsonl`, `result.json`, `results.csv` and
/// `provenance.json` itself. It is increased when something in them is removed, renamed or means something else; what is
/// added leaves it as it is (docs/TRACKERS.md).
pub const SCHEMA: u32 = 1;

/// A command's work on a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// [`SCHEMA`] of the files that it wrote; 0 of those from before it was written down.
    #[serde(default)]
    pub schema: u32,
    /// The command line, for a shell.
    pub command: String,
    /// Working directory of the command.
    pub folder: String,
    /// When it began, in UTC (RFC 3339).
    pub start: String,
    /// When it ended; nothing while it has not, where it was killed, and where a signal stopped the last evaluation.
    pub end: Option<String>,
    /// The steps that the run had had by then.
    pub from_step: u64,
    /// The steps that the run is to have; nothing where the command took none, or did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// The host's name.
    pub host: String,
    /// The processor's model.
    pub processor: String,
    /// The instructions that the program's own loops used: portable, avx2 or avx512.
    pub level: String,
    /// The variables that were set to use less than the processor has.
    pub limits: BTreeMap<String, String>,
    /// The device, as libtorch names it.
    pub device: String,
    /// Threads of libtorch, in each process.
    pub threads: i32,
    /// Processes that trained together.
    pub processes: usize,
    /// The version of libtorch.
    pub libtorch: String,
    /// The program's version.
    pub version: String,
    /// The commit of its sources, with `-dirty` where they differed from it; nothing where the build did not know it.
    pub commit: Option<String>,
    /// The SHA-256 of its file.
    pub binary: Option<String>,
    /// The crates that registered parts, and their versions.
    pub crates: BTreeMap<String, String>,
    /// The section `[train]` that its steps followed, some of which may change when a run goes on; nothing where it took
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<toml::Table>,
}

/// Circumstances of a run's computation.
#[derive(Debug, Clone)]
pub struct Computing<'a> {
    /// Steps that it has had.
    pub step: u64,
    /// The device, as libtorch names it.
    pub device: &'a str,
    /// Threads of libtorch.
    pub threads: i32,
    /// Processes.
    pub processes: usize,
    /// The section `[train]`, where it trains.
    pub train: Option<&'a Train>,
    /// The steps that the run is to have, where it trains.
    pub steps: Option<u64>,
}

impl Segment {
    /// The one that begins now, in this process.
    pub(crate) fn begin(computing: &Computing) -> Self {
        let words = std::env::args_os().map(|word| shell::word(Path::new(&word)));
        let folder = std::env::current_dir().unwrap_or_default();
        Segment {
            schema: SCHEMA,
            command: words.collect::<Vec<_>>().join(" "),
            folder: folder.to_string_lossy().into_owned(),
            start: now(),
            end: None,
            from_step: computing.step,
            steps: computing.steps,
            host: machine::host(),
            processor: machine::processor(),
            level: machine::level(),
            limits: machine::limits(),
            device: computing.device.into(),
            threads: computing.threads,
            processes: computing.processes,
            libtorch: libtorch_version(),
            version: program::VERSION.into(),
            commit: program::COMMIT.map(str::to_string),
            binary: program::sha256().map(str::to_string),
            crates: crates(),
            train: computing.train.and_then(|train| registry::write_options(train).ok()),
        }
    }

    /// It ends now.
    pub fn end_now(&mut self) -> &str {
        self.end.insert(now())
    }

    /// Keys that the numbers of a run can depend on: two runs that differ in one can differ in the last bits, or by a
    /// bug that was fixed.
    pub const DECISIVE: [&'static str; 8] = [
        "version",
        "commit",
        "binary",
        "libtorch",
        "level",
        "device",
        "threads",
        "processes",
    ];

    /// The value of each of [`DECISIVE`](Segment::DECISIVE), with its name.
    pub fn decisive(&self) -> [(&'static str, String); 8] {
        let unknown = |hash: &Option<String>| hash.as_deref().map_or("unknown".into(), program::short);
        let limits = self.limits.iter().map(|(name, value)| format!(" {name}={value}"));
        let values = [
            self.version.clone(),
            unknown(&self.commit),
            unknown(&self.binary),
            self.libtorch.clone(),
            format!("{}{}", self.level, limits.collect::<String>()),
            self.device.clone(),
            self.threads.to_string(),
            self.processes.to_string(),
        ];
        let mut values = values.into_iter();
        Segment::DECISIVE.map(|name| (name, values.next().unwrap_or_default()))
    }

    /// The segments that a run's numbers come from: steps that no checkpoint held were taken again by the next one.
    pub fn that_count(segments: &[Segment]) -> impl Iterator<Item = &Segment> {
        let next = segments.iter().skip(1).map(Some).chain([None]);
        let pairs = segments.iter().zip(next);
        let counts =
            |(own, next): &(&Segment, Option<&Segment>)| next.is_none_or(|next| next.from_step > own.from_step);
        pairs.filter(counts).map(|(own, _)| own)
    }
}

/// The segments that took the steps behind `after` up to `last` as the run has them, in their order, each with the last step
/// that it took of those; nothing where the record has lost one.
pub fn that_took(segments: &[Segment], after: u64, last: u64) -> Option<Vec<(u64, &Segment)>> {
    let (mut at, mut found) = (after, Vec::new());
    while at < last {
        // Steps that no checkpoint held were taken again by a later one.
        let own = segments.iter().rposition(|segment| segment.from_step <= at)?;
        let next = segments[own..].iter().map(|segment| segment.from_step);
        at = next.filter(|&from| from > at).min().map_or(last, |from| from.min(last));
        found.push((at, &segments[own]));
    }
    Some(found)
}

/// The values that segments have, each once, in their order: mostly one.
pub fn distinct<'a>(segments: impl IntoIterator<Item = &'a Segment>, value: impl Fn(&Segment) -> String) -> String {
    let mut found: Vec<String> = Vec::new();
    for value in segments.into_iter().map(value) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found.join(", then ")
}

/// Now, as the log writes it.
fn now() -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}
