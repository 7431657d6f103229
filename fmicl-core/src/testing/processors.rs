//! The processors that this one can stand in for, and tests that run as on each of them.
//!
//! oneDNN, MKL, ATen and this project choose code by the processor, so a bug may show on some processors only.

use crate::simd::{self, Level};
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A kind of processor, by the variables that make the libraries take this one for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processor {
    /// Widest instruction set.
    pub name: &'static str,
    /// The level that our own kernels have there.
    pub level: Level,
    /// Environment variables and their values.
    pub variables: &'static [(&'static str, &'static str)],
}

/// The kinds, the least first. The last one has no restriction.
const KINDS: [Processor; 4] = [
    Processor {
        name: "SSE4.1",
        level: Level::Portable,
        variables: &[
            ("FMICL_SIMD", "portable"),
            ("ONEDNN_MAX_CPU_ISA", "SSE41"),
            ("ATEN_CPU_CAPABILITY", "default"),
            ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2"),
            ("JSIMD_FORCESSE2", "1"),
        ],
    },
    Processor {
        name: "AVX2",
        level: Level::Avx2,
        variables: &[
            ("FMICL_SIMD", "avx2"),
            ("ONEDNN_MAX_CPU_ISA", "AVX2"),
            ("ATEN_CPU_CAPABILITY", "avx2"),
            ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
        ],
    },
    Processor {
        name: "AVX-512",
        level: Level::Avx512,
        variables: &[("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")],
    },
    Processor {
        name: "all that this one has",
        level: Level::Avx512,
        variables: &[],
    },
];

impl Processor {
    /// Makes a command run as on this processor.
    pub fn stand_in(&self, command: &mut Command) {
        command.envs(self.variables.iter().copied());
    }
}

/// The processors that this one can stand in for, the least first; the last is this one as it is.
pub fn processors() -> Vec<Processor> {
    let own = simd::of_processor();
    let [lesser @ .., all] = KINDS;
    lesser
        .into_iter()
        .filter(|kind| kind.level <= own)
        .chain([all])
        .collect()
}

/// Set in a child process of [`on_every_processor`].
const CHILD: &str = "FMICL_TEST_CHILD";
/// Timeout: with some faults a kernel spins for ever.
const LIMIT: Duration = Duration::from_secs(600);

/// Runs `body` in a child process for each of the [`processors`], with glibc's checks of the heap on and freed memory
/// overwritten: a write beyond a buffer ends the child where the buffer is freed. `test` is the path of the calling test,
/// whose body must be this call alone, such as `"tests::narrow_networks_train"`.
///
/// # Panics
/// If a child does not pass, with its output; if there is no such test; or if a child's heap is not checked.
pub fn on_every_processor(test: &str, body: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        heap_is_checked();
        return body();
    }
    for processor in processors() {
        let program = std::env::current_exe().expect("the test's program has a path");
        let mut command = Command::new(program);
        command
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, "1");
        command.envs([("MALLOC_CHECK_", "3"), ("MALLOC_PERTURB_", "85")]);
        // Threads that spin while they wait for each other take minutes where cores are busy.
        command.env("GOMP_SPINCOUNT", "0");
        if cfg!(all(target_os = "linux", target_env = "gnu")) {
            command.env("LD_PRELOAD", "libc_malloc_debug.so.0");
        }
        processor.stand_in(&mut command);
        let (passed, output) = finish(command);
        assert!(
            passed && output.contains("test result: ok. 1 passed"),
            "{test} does not pass on a processor with {}:\n{output}",
            processor.name
        );
    }
}

/// Runs a command: `true` if it succeeds within the time, and its output.
fn finish(mut command: Command) -> (bool, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the test's program starts");
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let started = Instant::now();
    let ended = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break Some(status),
            None if started.elapsed() > LIMIT => break None,
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    let how = match ended {
        Some(status) => status.to_string(),
        None => {
            child.kill().and_then(|()| child.wait()).expect("a child can be killed");
            format!("killed after {} s", LIMIT.as_secs())
        }
    };
    let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().unwrap_or_default());
    (
        ended.is_some_and(|status| status.success()),
        format!("{stdout}{stderr}{how}"),
    )
}

fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is all that there is to show.
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A library that the loader does not find is only a line on stderr.
fn heap_is_checked() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("a process sees its own memory");
        assert!(
            maps.contains("libc_malloc_debug.so"),
            "glibc's libc_malloc_debug.so.0 was not found"
        );
    }
}
