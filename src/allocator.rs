//! The program's allocator.
//!
//! A batch, a tile, and what libtorch makes of them are freed and asked for again all the time. glibc gives them back to the
//! system, which clears their pages each time, or, told to keep them, scatters them (a loss then holds twice what it
//! uses), and its one heap makes threads wait and trade memory between their caches, its many hold more still. So jemalloc
//! takes the place of malloc, libtorch's too, where it can be had; elsewhere the system's is as good as it is.

use std::ffi::c_char;
use std::sync::atomic::AtomicPtr;
// Its `malloc` is what the libraries find.
use tikv_jemalloc_sys as _;

/// Freed memory is kept, that of large blocks too. The variable MALLOC_CONF adds to these.
// SAFETY: jemalloc declares the symbol as a pointer to constant characters, which an atomic pointer has the representation
// of, and reads it before `main`.
#[unsafe(export_name = "malloc_conf")]
pub static OPTIONS: AtomicPtr<c_char> = AtomicPtr::new(
    c"dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0"
        .as_ptr()
        .cast_mut(),
);
