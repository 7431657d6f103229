//! The process that trains, as Linux shows it: its number, its share of the processors, its memory.

use std::fs;
use std::path::Path;
use std::time::Instant;

/// Linux counts a process's time in hundredths of a second, whatever its own clock does.
const TICKS: f64 = 100.0;

/// A process at work.
#[derive(Debug)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// The processors that it kept busy since the last look; nothing at the first one.
    pub processors: Option<f64>,
    /// Bytes of memory that it holds.
    pub memory: Option<u64>,
    /// Seconds of all its threads, and when that was.
    looked: (f64, Instant),
}

impl Process {
    /// The process on this machine that has the file `lock` open, but for this one; nothing where there is none, or it is another
    /// user's.
    pub fn holding(lock: &Path) -> Option<Self> {
        let lock = fs::canonicalize(lock).ok()?;
        let own = std::process::id();
        let processes = fs::read_dir("/proc")
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let has_it_open = |id: &u32| {
            let files = fs::read_dir(format!("/proc/{id}/fd")).ok();
            let mut files = files.into_iter().flatten().flatten();
            files.any(|file| fs::read_link(file.path()).is_ok_and(|path| path == lock))
        };
        let id = processes.filter(|id| *id != own).find(has_it_open)?;
        let (seconds, memory) = look(id)?;
        Some(Process {
            id,
            processors: None,
            memory,
            looked: (seconds, Instant::now()),
        })
    }

    /// Looks again; false where it has ended.
    pub fn update(&mut self) -> bool {
        let Some((seconds, memory)) = look(self.id) else {
            return false;
        };
        let (before, then) = self.looked;
        let passed = then.elapsed().as_secs_f64();
        // Within a few hundredths nothing is counted.
        if passed > 0.5 {
            self.processors = Some((seconds - before) / passed);
            self.looked = (seconds, Instant::now());
        }
        self.memory = memory;
        true
    }
}

/// Seconds of processors, and bytes of memory.
fn look(id: u32) -> Option<(f64, Option<u64>)> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{id}/{file}")).ok();
    Some((seconds(&read("stat")?)?, memory(&read("status")?)))
}

/// In `/proc/ID/stat`; the name of the process, which may hold anything, is in brackets.
fn seconds(stat: &str) -> Option<f64> {
    let behind = stat.rsplit_once(')')?.1;
    let mut fields = behind.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some((next()? + next()?) as f64 / TICKS)
}

/// In `/proc/ID/status`.
fn memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_memory_are_read_as_linux_writes_them() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 100 1000 50";
        assert_eq!(seconds(stat), Some(3.0));
        assert_eq!(memory("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2 << 20));
        assert_eq!((seconds(""), memory("")), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn who_holds_a_lock_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        let file = fs::File::create(&lock).unwrap();
        assert!(Process::holding(&lock).is_none(), "that is ourselves");
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .stdin(file)
            .spawn()
            .unwrap();
        let mut found = Process::holding(&lock).unwrap();
        assert_eq!(found.id, child.id());
        assert!(found.update() && found.memory.is_some());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!found.update());
    }
}
