//! The program's allocator, which libtorch takes, too.
#![cfg(all(feature = "jemalloc", target_os = "linux"))]

#[path = "../src/allocator.rs"]
mod allocator;

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
