//! The allocator of every binary with this command line.
//!
//! A batch, a tile, and what libtorch makes of them are freed and asked for again all the time. glibc gives them back to the
//! system, which clears their pages each time, or, told to keep them, scatters them (a loss then holds twice what it
//! uses), and its one heap makes threads wait and trade memory between their caches, its many hold more still. So jemalloc
//! takes the place of malloc, libtorch's too, where it can be had; elsewhere the system's is as good as it is.

#[cfg(target_os = "linux")]
mod jemalloc {
    use std::ffi::c_char;
    // Its `malloc` is what the libraries find.
    use tikv_jemalloc_sys as _;

    /// A pointer that may go from thread to thread, for what it points to never changes.
    #[repr(transparent)]
    pub struct Options(#[allow(dead_code, reason = "jemalloc reads it")] *const c_char);

    // SAFETY: the string is constant.
    unsafe impl Sync for Options {}

    /// Freed memory is kept, that of large blocks too. The variable MALLOC_CONF adds to these.
    // SAFETY: jemalloc declares the symbol as this type, and reads it before `main`.
    #[unsafe(export_name = "malloc_conf")]
    pub static OPTIONS: Options = Options(c"dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0".as_ptr());
}

/// Gives back what is free, for once, so that a measurement which follows counts all that it takes.
pub fn give_back_freed_memory() {
    #[cfg(target_os = "linux")]
    // SAFETY: the name is that of an action on all arenas (4096 stands for all) without argument or result.
    unsafe {
        use std::ptr::null_mut;
        tikv_jemalloc_sys::mallctl(c"arena.4096.purge".as_ptr(), null_mut(), null_mut(), null_mut(), 0);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ptr::null_mut;

    #[test]
    fn freed_memory_is_kept_libtorchs_too() {
        let read = |name: &std::ffi::CStr| {
            let (mut value, mut size) = (0_isize, size_of::<isize>());
            // SAFETY: both values have this size.
            let error =
                unsafe { tikv_jemalloc_sys::mallctl(name.as_ptr(), (&raw mut value).cast(), &mut size, null_mut(), 0) };
            assert_eq!(error, 0, "{name:?}");
            value
        };
        assert_eq!(read(c"opt.dirty_decay_ms"), -1);
        let before = read(c"thread.allocated");
        let tensor = tch::Tensor::zeros([1 << 20], (tch::Kind::Float, tch::Device::Cpu));
        assert!(read(c"thread.allocated") - before >= 4 << 20, "{tensor:?} is elsewhere");
    }
}
