//! Reduced precision of matrix products and convolutions: bfloat16 by autocast, TF32 on a GPU.
//!
//! tch binds neither: its `autocast` is for float16 on CUDA only. These are functions of `ATen/autocast_mode.h` and
//! `ATen/Context.h`, called by their mangled C++ names.

use std::ffi::{c_int, c_void};
use tch::Device;

/// libtorch's autocast to bfloat16 on this thread, until it is dropped.
#[derive(Debug)]
pub struct Autocast {
    device: i8,
    /// State before, to be restored.
    enabled: bool,
    kind: i8,
}

/// `c10::ScalarType::BFloat16`.
const BFLOAT16: i8 = 15;

/// `c10::DeviceType`.
fn type_of(device: Device) -> i8 {
    if device.is_cuda() { 1 } else { 0 }
}

impl Autocast {
    /// Enables bfloat16 for convolutions and matrix products on the device, a CPU or a GPU.
    #[must_use]
    pub fn bfloat16(device: Device) -> Self {
        let device = type_of(device);
        // SAFETY: these read and set variables of the thread; both device types have an autocast.
        unsafe {
            let before = Autocast {
                device,
                enabled: is_autocast_enabled(device),
                kind: get_autocast_dtype(device),
            };
            set_autocast_dtype(device, BFLOAT16);
            set_autocast_enabled(device, true);
            increment_nesting();
            before
        }
    }

    /// Returns true if autocast is enabled for the device.
    pub fn is_on(device: Device) -> bool {
        // SAFETY: as above.
        unsafe { is_autocast_enabled(type_of(device)) }
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: as above. The outermost one forgets the weights that were cast, since a step will change them.
        unsafe {
            if decrement_nesting() == 0 {
                clear_cache();
            }
            set_autocast_enabled(self.device, self.enabled);
            set_autocast_dtype(self.device, self.kind);
        }
    }
}

/// Allows or forbids TF32 (10 bits of fraction) in f32 convolutions and matrix products on a GPU, for the whole
/// process. PyTorch's default allows it for convolutions and not for products.
pub fn allow_tf32(allow: bool) {
    // SAFETY: the context is the process's one, and these set a setting of it.
    unsafe {
        set_allow_tf32_cudnn(global_context(), allow);
        set_allow_tf32_cublas(global_context(), allow);
    }
}

/// Disables TF32 on this thread until it is dropped: `at::NoTF32Guard`.
#[derive(Debug)]
pub struct WithoutTf32 {
    /// `true` if this guard changed the state; the C++ class's only member, a `bool`.
    changed: bool,
}

impl WithoutTf32 {
    /// Disables TF32.
    #[must_use]
    pub fn new() -> Self {
        let mut guard = WithoutTf32 { changed: false };
        // SAFETY: the constructor sets the member and a variable of the thread.
        unsafe { no_tf32(&raw mut guard.changed) };
        guard
    }
}

impl Default for WithoutTf32 {
    fn default() -> Self {
        WithoutTf32::new()
    }
}

impl Drop for WithoutTf32 {
    fn drop(&mut self) {
        // SAFETY: the destructor reads the member and sets the thread's variable back.
        unsafe { tf32_again(&raw mut self.changed) };
    }
}

unsafe extern "C" {
    #[link_name = "_ZN2at8autocast19is_autocast_enabledEN3c1010DeviceTypeE"]
    fn is_autocast_enabled(device: i8) -> bool;
    #[link_name = "_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb"]
    fn set_autocast_enabled(device: i8, enabled: bool);
    #[link_name = "_ZN2at8autocast18get_autocast_dtypeEN3c1010DeviceTypeE"]
    fn get_autocast_dtype(device: i8) -> i8;
    #[link_name = "_ZN2at8autocast18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE"]
    fn set_autocast_dtype(device: i8, kind: i8);
    #[link_name = "_ZN2at8autocast17increment_nestingEv"]
    fn increment_nesting() -> c_int;
    #[link_name = "_ZN2at8autocast17decrement_nestingEv"]
    fn decrement_nesting() -> c_int;
    #[link_name = "_ZN2at8autocast11clear_cacheEv"]
    fn clear_cache();
    #[link_name = "_ZN2at13globalContextEv"]
    fn global_context() -> *mut c_void;
    #[link_name = "_ZN2at7Context17setAllowTF32CuDNNEb"]
    fn set_allow_tf32_cudnn(context: *mut c_void, allow: bool);
    #[link_name = "_ZN2at7Context18setAllowTF32CuBLASEb"]
    fn set_allow_tf32_cublas(context: *mut c_void, allow: bool);
    #[link_name = "_ZN2at11NoTF32GuardC1Ev"]
    fn no_tf32(guard: *mut bool);
    #[link_name = "_ZN2at11NoTF32GuardD1Ev"]
    fn tf32_again(guard: *mut bool);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear;
    use tch::{Kind, Tensor};

    unsafe extern "C" {
        #[link_name = "_ZNK2at7Context15allowTF32CuBLASEv"]
        fn allows_tf32_cublas(context: *mut c_void) -> bool;
        #[link_name = "_ZN2at11NoTF32Guard19should_disable_tf32Ev"]
        fn is_without_tf32() -> bool;
    }

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
        // SAFETY: they read what the functions above set.
        let (allowed, without) = (
            || unsafe { allows_tf32_cublas(global_context()) },
            || unsafe { is_without_tf32() },
        );
        allow_tf32(true);
        assert!(allowed() && !without());
        {
            let _exact = WithoutTf32::new();
            let _nested = WithoutTf32::new();
            assert!(without());
        }
        assert!(!without());
        allow_tf32(false);
        assert!(!allowed());
    }
}
