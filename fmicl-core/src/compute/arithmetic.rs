//! Reduced precision of matrix products and convolutions: bfloat16 by autocast, TF32 on a GPU.
//!
//! tch binds neither: its `autocast` is for float16 on CUDA only. `arithmetic.cc` gives these functions of
//! `ATen/autocast_mode.h` and `ATen/Context.h` a C interface.

use std::ffi::{CStr, c_char};
use tch::Device;

/// libtorch's autocast to bfloat16 on this thread, until it is dropped.
#[derive(Debug)]
pub struct Autocast {
    cuda: bool,
    before: State,
}

/// Autocast of a device, as `FmiclAutocast` in C++.
#[derive(Debug)]
#[repr(C)]
struct State {
    enabled: bool,
    /// `c10::ScalarType`.
    kind: i8,
}

impl Autocast {
    /// Enables bfloat16 for convolutions and matrix products on the device, a CPU or a GPU.
    #[must_use]
    pub fn bfloat16(device: Device) -> Self {
        let mut entered = Autocast {
            cuda: device.is_cuda(),
            before: State {
                enabled: false,
                kind: 0,
            },
        };
        // SAFETY: the state is the caller's, and only the thread's variables are set.
        checked(unsafe { fmicl_autocast_enter(entered.cuda, &raw mut entered.before) });
        entered
    }

    /// Returns true if autocast is enabled for the device.
    pub fn is_on(device: Device) -> bool {
        let mut enabled = false;
        // SAFETY: it reads a variable of the thread into ours.
        checked(unsafe { fmicl_autocast_enabled(device.is_cuda(), &raw mut enabled) });
        enabled
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: the state is that which entering wrote, of the same device.
        checked(unsafe { fmicl_autocast_leave(self.cuda, &raw const self.before) });
    }
}

/// Allows or forbids TF32 (10 bits of fraction) in f32 convolutions and matrix products on a GPU, for the whole
/// process. PyTorch's default allows it for convolutions and not for products.
pub fn allow_tf32(allow: bool) {
    // SAFETY: it takes no pointer, and sets settings of the process.
    checked(unsafe { fmicl_allow_tf32(allow) });
}

/// Disables TF32 on this thread until it is dropped: `at::NoTF32Guard`.
#[derive(Debug)]
pub struct WithoutTf32 {
    /// The memory of the C++ guard: a `bool`, true if this one changed the state. Moving it moves the guard.
    guard: bool,
}

impl WithoutTf32 {
    /// Disables TF32.
    #[must_use]
    pub fn new() -> Self {
        let mut entered = WithoutTf32 { guard: false };
        // SAFETY: the C++ guard is of the size and alignment of a `bool`, which the compiler of the shim checks.
        checked(unsafe { fmicl_without_tf32_enter(&raw mut entered.guard) });
        entered
    }
}

impl Default for WithoutTf32 {
    fn default() -> Self {
        WithoutTf32::new()
    }
}

impl Drop for WithoutTf32 {
    fn drop(&mut self) {
        // SAFETY: the memory holds the guard that entering made there, which is destroyed once.
        checked(unsafe { fmicl_without_tf32_leave(&raw mut self.guard) });
    }
}

/// Panics with the message of a C++ exception, as tch's functions do.
fn checked(message: *const c_char) {
    if !message.is_null() {
        // SAFETY: a message ends with a zero byte and stands until the next exception on this thread.
        panic!("libtorch: {}", unsafe { CStr::from_ptr(message) }.to_string_lossy());
    }
}

unsafe extern "C" {
    fn fmicl_autocast_enabled(cuda: bool, enabled: *mut bool) -> *const c_char;
    fn fmicl_autocast_enter(cuda: bool, before: *mut State) -> *const c_char;
    fn fmicl_autocast_leave(cuda: bool, before: *const State) -> *const c_char;
    fn fmicl_allow_tf32(allow: bool) -> *const c_char;
    fn fmicl_without_tf32_enter(guard: *mut bool) -> *const c_char;
    fn fmicl_without_tf32_leave(guard: *mut bool) -> *const c_char;
    #[cfg(test)]
    fn fmicl_tf32_state(allowed: *mut bool, without: *mut bool) -> *const c_char;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear;
    use tch::{Kind, Tensor};

    fn product(n: i64) -> Kind {
        let ones = Tensor::ones([n, n], (Kind::Float, Device::Cpu));
        let kind = linear(&ones, &ones, None).kind();
        assert_eq!(ones.matmul(&ones).kind(), kind);
        kind
    }

    #[test]
    fn products_of_any_size_are_in_bf16_until_the_guard_goes() {
        for n in [2, 300] {
            assert_eq!(product(n), Kind::Float);
            let outer = Autocast::bfloat16(Device::Cpu);
            let inner = Autocast::bfloat16(Device::Cpu);
            assert_eq!(product(n), Kind::BFloat16);
            drop(inner);
            assert_eq!(product(n), Kind::BFloat16);
            drop(outer);
            assert_eq!(product(n), Kind::Float);
        }
    }

    #[test]
    fn a_panic_leaves_nothing_behind() {
        let panicked = std::panic::catch_unwind(|| {
            let _autocast = Autocast::bfloat16(Device::Cpu);
            let ones = |n| Tensor::ones([n, n], (Kind::Float, Device::Cpu));
            let _ = ones(2).matmul(&ones(3));
        });
        assert!(panicked.is_err());
        assert_eq!(product(2), Kind::Float);
    }

    #[test]
    fn tf32_is_allowed_and_forbidden() {
        let state = || {
            let (mut allowed, mut without) = (false, false);
            // SAFETY: it reads settings into our two variables.
            checked(unsafe { fmicl_tf32_state(&raw mut allowed, &raw mut without) });
            (allowed, without)
        };
        allow_tf32(true);
        assert_eq!(state(), (true, false));
        {
            let _exact = WithoutTf32::new();
            let _nested = WithoutTf32::new();
            assert_eq!(state(), (true, true));
        }
        assert_eq!(state(), (true, false));
        allow_tf32(false);
        assert_eq!(state(), (false, false));
    }
}
