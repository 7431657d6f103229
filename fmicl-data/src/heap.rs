//! What the C library does with freed memory.

/// Keeps memory that is freed instead of giving it back to the system, in one heap. A batch, and what libtorch makes of it,
/// is freed and asked for again at every step, and pages that the system must clear each time cost a tenth of a loader's
/// work, more with several threads. With a heap for each thread, tensors that one makes and another frees lie scattered:
/// a loss took half as much memory again. For a program's start; without effect but on Linux with glibc.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it changes thresholds of the allocator and nothing that it has given out.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}
