//! Time and memory of something that is done again and again.

use std::error::Error;
use std::fs;
use std::time::Instant;

/// Does it once to warm up, then `times` times, and prints the seconds of each, those of all processors together, and
/// how far the process grew beyond the MiB that it needs to hold what the work begins with.
pub fn repeat(times: i64, held: f64, mut what: impl FnMut()) -> Result<(), Box<dyn Error>> {
    // The peak starts again from here.
    let _ = fs::write("/proc/self/clear_refs", "5");
    what();
    let cpu = cpu_seconds();
    let seconds: Vec<f64> = (0..times)
        .map(|_| {
            let started = Instant::now();
            what();
            started.elapsed().as_secs_f64()
        })
        .collect();
    let cpu = (cpu_seconds() - cpu) / times as f64;
    let line = serde_json::json!({ "seconds": seconds, "cpu_seconds": cpu, "grew_mib": status("VmHWM") - held });
    println!("{line}");
    Ok(())
}

/// MiB that the process holds, after giving back what is free: where that is used again, it counts again.
pub fn held() -> f64 {
    give_back_freed_memory();
    status("VmRSS")
}

/// Gives back what is free, for once, so that a measurement which follows counts all that it takes.
fn give_back_freed_memory() {
    #[cfg(all(feature = "jemalloc", target_os = "linux"))]
    // SAFETY: the name is that of an action on all arenas (4096 stands for all) without argument or result.
    unsafe {
        use std::ptr::null_mut;
        tikv_jemalloc_sys::mallctl(c"arena.4096.purge".as_ptr(), null_mut(), null_mut(), null_mut(), 0);
    }
}

/// A line of `/proc/self/status`, in MiB.
fn status(key: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// What this process has used of the processors so far.
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
