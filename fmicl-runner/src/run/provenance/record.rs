//! `provenance.json`, and the segment that is going on.

use super::{Computing, Segment, program};
use crate::log;
use fmicl_core::{Error, Result, disk, read_file};
use std::path::{Path, PathBuf};

const PROVENANCE: &str = "provenance.json";
/// The most bytes of it: ten thousand segments and more.
const MOST: u64 = 64 << 20;

/// The segment of this process. That it has ended is written down where it is dropped, however the command ends, unless
/// it is killed.
#[derive(Debug)]
pub struct Ongoing {
    path: PathBuf,
    /// Of the run; the last one is this process's.
    segments: Vec<Segment>,
}

impl Ongoing {
    /// Begins one behind those of the run in a directory; the log has it, too.
    ///
    /// # Errors
    /// A record that is damaged, or the disk's.
    pub fn begin(run: &Path, computing: &Computing) -> Result<Self> {
        let path = run.join(PROVENANCE);
        let mut segments = match path.exists() {
            false => vec![],
            true => read(&path, "move it elsewhere to start another")?,
        };
        let own = Segment::begin(computing);
        log::in_file(&told(&own));
        segments.push(own);
        let ongoing = Ongoing { path, segments };
        ongoing.write()?;
        Ok(ongoing)
    }

    /// Ends it now, and gives all segments of the run.
    ///
    /// # Errors
    /// The disk's.
    pub fn end(&mut self) -> Result<&[Segment]> {
        if let Some(own) = self.segments.last_mut().filter(|own| own.end.is_none()) {
            let end = own.end_now();
            log::in_file(&format!("ended {end}"));
            self.write()?;
        }
        Ok(&self.segments)
    }

    fn write(&self) -> Result<()> {
        let failed = |error| Error::Run(format!("{PROVENANCE}: {error}"));
        let json = serde_json::to_string_pretty(&self.segments).map_err(failed)?;
        disk::replace(&self.path, format!("{json}\n").as_bytes())
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!("{error}");
        }
    }
}

/// The segments of the run in a directory.
///
/// # Errors
/// A record that is not there or damaged.
pub fn segments(run: &Path) -> Result<Vec<Segment>> {
    read(&run.join(PROVENANCE), "it contains the settings of each step")
}

fn read(path: &Path, hint: &str) -> Result<Vec<Segment>> {
    let bytes = read_file(path, MOST, hint)?;
    serde_json::from_slice(&bytes).map_err(|error| Error::data(path, format!("is damaged: {error}; {hint}")))
}

/// A segment in a line of the log.
fn told(segment: &Segment) -> String {
    let decisive = segment.decisive().into_iter().filter(|(name, _)| *name != "binary");
    let decisive: String = decisive.map(|(name, value)| format!(", {name} {value}")).collect();
    let crates: String = segment
        .crates
        .iter()
        .map(|(name, version)| format!(", {name} {version}"))
        .collect();
    format!(
        "started {}: {}; in {}, on {} ({}){decisive}, binary {}{crates}",
        segment.start,
        segment.command,
        segment.folder,
        segment.host,
        segment.processor,
        program::sha256().unwrap_or("unknown")
    )
}

#[cfg(test)]
mod tests {
    use super::super::that_took;
    use super::*;

    fn computing(step: u64) -> Computing<'static> {
        Computing {
            step,
            device: "Cpu",
            threads: 3,
            processes: 1,
            train: None,
            steps: None,
        }
    }

    fn read(run: &Path) -> Vec<Segment> {
        segments(run).unwrap()
    }

    #[test]
    fn each_command_adds_its_segment_and_says_when_it_ended() {
        let run = tempfile::tempdir().unwrap();
        let first = Ongoing::begin(run.path(), &computing(0)).unwrap();
        assert_eq!(read(run.path())[0].end, None);
        // As one that was killed.
        std::mem::forget(first);
        drop(Ongoing::begin(run.path(), &computing(0)).unwrap());
        let mut last = Ongoing::begin(run.path(), &computing(7)).unwrap();
        let told = last.end().unwrap().to_vec();
        drop(last);
        let segments = read(run.path());
        assert_eq!(told, segments);
        let ends: Vec<_> = segments.iter().map(|segment| segment.end.is_some()).collect();
        assert_eq!(ends, [false, true, true]);
        assert_eq!(segments[2].from_step, 7);
        // RFC 3339 in UTC, in one order with what it stands for.
        assert!(segments[1].start <= segments[2].start && segments[2].start.ends_with('Z'));
        assert_eq!(segments[2].start.as_bytes()[10], b'T');
        let counted: Vec<_> = Segment::that_count(&segments).map(|segment| &segment.start).collect();
        assert_eq!(counted, [&segments[1].start, &segments[2].start]);
    }

    #[test]
    fn each_step_is_of_the_last_segment_that_began_before_it() {
        let begun = |from| Segment::begin(&computing(from));
        let took = |starts: &[u64], after, last| {
            let segments: Vec<_> = starts.iter().map(|&from| begun(from)).collect();
            let took = that_took(&segments, after, last)?;
            Some(
                took.iter()
                    .map(|(end, segment)| (*end, segment.from_step))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(took(&[0], 0, 3), Some(vec![(3, 0)]));
        assert_eq!(took(&[0, 5, 9], 2, 8), Some(vec![(5, 0), (8, 5)]));
        assert_eq!(took(&[0, 5, 9], 5, 12), Some(vec![(9, 5), (12, 9)]));
        // From an older checkpoint, the newer one being damaged; and one that was killed before its first.
        assert_eq!(took(&[0, 5, 3, 3], 0, 9), Some(vec![(3, 0), (9, 3)]));
        // The record was lost, and begun again.
        assert_eq!(took(&[5], 4, 6), None);
        assert_eq!(took(&[], 0, 1), None);
    }

    #[test]
    fn a_segment_says_which_program_computed_on_what() {
        let segment = Segment::begin(&computing(0));
        let value = serde_json::to_value(&segment).unwrap();
        assert_eq!((&value["device"], &value["threads"]), (&"Cpu".into(), &3.into()));
        assert_eq!(
            (&value["libtorch"], &value["version"]),
            (&"2.11.0".into(), &"0.1.0".into())
        );
        assert_eq!(segment.binary.as_deref(), program::sha256());
        assert!(!segment.host.is_empty() && !segment.processor.is_empty());
        assert!(["portable", "avx2", "avx512"].contains(&&*segment.level));
        assert!(segment.crates.contains_key("fmicl-data"));
        assert!(!segment.command.is_empty() && Path::new(&segment.folder).is_absolute());
    }

    #[test]
    fn a_damaged_record_is_not_thrown_away() {
        let run = tempfile::tempdir().unwrap();
        std::fs::write(run.path().join(PROVENANCE), "[{").unwrap();
        let error = Ongoing::begin(run.path(), &computing(0)).unwrap_err().to_string();
        assert!(
            error.contains("provenance.json: is damaged: ") && error.ends_with("move it elsewhere to start another")
        );
        assert_eq!(std::fs::read_to_string(run.path().join(PROVENANCE)).unwrap(), "[{");
    }
}
