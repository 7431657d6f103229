//! Safe bindings to the C functions of `shim.cc`.

use fmicl_core::tch::{Device, Tensor};
use fmicl_core::{Error, Result};
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::time::Duration;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn fmicl_c10d_store(
        host: *const c_char,
        port: u16,
        serve: bool,
        prefix: *const c_char,
        timeout_ms: i64,
        error: *mut *mut c_char,
    ) -> *mut c_void;
    fn fmicl_c10d_has_gloo() -> bool;
    fn fmicl_c10d_meet_gloo(
        group: *mut c_void,
        rank: c_int,
        size: c_int,
        interface: *const c_char,
        address: *const c_char,
        error: *mut *mut c_char,
    ) -> bool;
    fn fmicl_c10d_meet_nccl(
        group: *mut c_void,
        rank: c_int,
        size: c_int,
        gpu: c_int,
        bytes: *const u8,
        length: usize,
        error: *mut *mut c_char,
    ) -> bool;
    fn fmicl_c10d_all_reduce(group: *mut c_void, tensor: *const C_tensor, error: *mut *mut c_char) -> bool;
    fn fmicl_c10d_broadcast(group: *mut c_void, tensor: *const C_tensor, error: *mut *mut c_char) -> bool;
    fn fmicl_c10d_all_gather(
        group: *mut c_void,
        tensor: *const C_tensor,
        all: *const C_tensor,
        error: *mut *mut c_char,
    ) -> bool;
    fn fmicl_c10d_sum(group: *mut c_void, summand: *const C_tensor, error: *mut *mut c_char) -> *mut C_tensor;
    fn fmicl_c10d_set(group: *mut c_void, key: *const c_char, value: *const c_char, error: *mut *mut c_char) -> bool;
    fn fmicl_c10d_get(group: *mut c_void, key: *const c_char, timeout_ms: i64, error: *mut *mut c_char) -> *mut c_char;
    fn fmicl_c10d_set_meeting(group: *mut c_void, meeting: i64);
    fn fmicl_c10d_leave(group: *mut c_void);
    fn fmicl_c10d_drop(group: *mut c_void);
    fn fmicl_c10d_free(text: *mut c_char);
}

/// A store that all processes reach, and after [`Group::meet_gloo`] a process group.
#[derive(Debug)]
pub struct Group {
    // Not sent to other threads: a raw pointer is not.
    group: NonNull<c_void>,
    /// Device that the backend needs its tensors on.
    device: Cell<Device>,
    meeting: Cell<i64>,
}

/// NCCL's backend as a library; empty where it was left out. It refers to libtorch's CUDA half, which is loaded by then.
#[cfg(nccl)]
const NCCL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libfmicl_c10d_nccl.so"));
#[cfg(not(nccl))]
const NCCL: &[u8] = &[];

/// Returns true if this binary has the backend NCCL.
pub fn has_nccl() -> bool {
    !NCCL.is_empty()
}

/// Returns true if this binary has the backend Gloo.
pub fn has_gloo() -> bool {
    // SAFETY: it reads a constant.
    unsafe { fmicl_c10d_has_gloo() }
}

impl Group {
    /// Connects to the store, or opens it.
    pub fn new(host: &str, port: u16, serve: bool, prefix: &str, timeout: Duration) -> Result<Self> {
        let (host, prefix) = (text(host)?, text(prefix)?);
        // SAFETY: both texts outlive the call.
        let group = call(|error| unsafe {
            fmicl_c10d_store(host.as_ptr(), port, serve, prefix.as_ptr(), millis(timeout), error)
        })?;
        let group = NonNull::new(group).ok_or_else(|| Error::Torch("there is no store".into()))?;
        let device = Cell::new(Device::Cpu);
        let meeting = Cell::new(0);
        Ok(Group { group, device, meeting })
    }

    /// Meets the others.
    pub fn meet_gloo(&self, rank: usize, size: usize, interface: &str, address: &str) -> Result<()> {
        let (interface, address) = (text(interface)?, text(address)?);
        // SAFETY: the group lives as long as `self`, both texts outlive the call.
        call(|error| unsafe {
            let (rank, size) = (rank as c_int, size as c_int);
            fmicl_c10d_meet_gloo(
                self.group.as_ptr(),
                rank,
                size,
                interface.as_ptr(),
                address.as_ptr(),
                error,
            )
        })?;
        Ok(())
    }

    /// Meets the others, each on the GPU `gpu` of its own.
    pub fn meet_nccl(&self, rank: usize, size: usize, gpu: usize) -> Result<()> {
        // SAFETY: the group lives as long as `self`, the bytes for ever.
        call(|error| unsafe {
            let (rank, size, gpu) = (rank as c_int, size as c_int, gpu as c_int);
            fmicl_c10d_meet_nccl(self.group.as_ptr(), rank, size, gpu, NCCL.as_ptr(), NCCL.len(), error)
        })?;
        self.device.set(Device::Cuda(gpu));
        Ok(())
    }

    /// Replaces a tensor by the sum.
    pub fn all_reduce(&self, tensor: &mut Tensor) -> Result<()> {
        let _no_grad = fmicl_core::tch::no_grad_guard();
        // SAFETY: the group and the tensor outlive the call, which waits for the work's end.
        call(|error| unsafe { fmicl_c10d_all_reduce(self.group.as_ptr(), tensor.as_ptr(), error) })?;
        Ok(())
    }

    /// Replaces a tensor by that of rank 0.
    pub fn broadcast(&self, tensor: &mut Tensor) -> Result<()> {
        let _no_grad = fmicl_core::tch::no_grad_guard();
        // SAFETY: as above.
        call(|error| unsafe { fmicl_c10d_broadcast(self.group.as_ptr(), tensor.as_ptr(), error) })?;
        Ok(())
    }

    /// Fills `all`, `[size, ...]`.
    pub fn all_gather(&self, tensor: &Tensor, all: &mut Tensor) -> Result<()> {
        let _no_grad = fmicl_core::tch::no_grad_guard();
        // SAFETY: as above.
        call(|error| unsafe { fmicl_c10d_all_gather(self.group.as_ptr(), tensor.as_ptr(), all.as_ptr(), error) })?;
        Ok(())
    }

    /// The sum with gradient. Its graph refers to this group, so a backward pass must not outlive it.
    pub fn sum(&self, summand: &Tensor) -> Result<Tensor> {
        // SAFETY: the group and the tensor outlive the call; the result is a new tensor, which from_ptr takes over.
        let sum = call(|error| unsafe { fmicl_c10d_sum(self.group.as_ptr(), summand.as_ptr(), error) })?;
        // SAFETY: not null, since there was no error.
        Ok(unsafe { Tensor::from_ptr(sum) })
    }

    /// Sets a key of the store.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (text(key)?, text(value)?);
        // SAFETY: the group and both texts outlive the call.
        call(|error| unsafe { fmicl_c10d_set(self.group.as_ptr(), key.as_ptr(), value.as_ptr(), error) })?;
        Ok(())
    }

    /// The value of a key, if it is set within that time.
    pub fn get(&self, key: &str, patience: Duration) -> Result<Option<String>> {
        let key = text(key)?;
        // SAFETY: the group and the text outlive the call.
        let value =
            call(|error| unsafe { fmicl_c10d_get(self.group.as_ptr(), key.as_ptr(), millis(patience), error) })?;
        Ok(take(value))
    }

    /// Sets the number that tells this meeting's keys from those of an earlier one in the same store.
    pub fn set_meeting(&self, meeting: i64) {
        // SAFETY: the group lives as long as `self`.
        unsafe { fmicl_c10d_set_meeting(self.group.as_ptr(), meeting) }
        self.meeting.set(meeting);
    }

    /// The number that all processes of this meeting have alone.
    pub fn meeting(&self) -> i64 {
        self.meeting.get()
    }

    /// Device that the backend needs its tensors on.
    pub fn device(&self) -> Device {
        self.device.get()
    }

    /// For functions of the shim's that are declared elsewhere.
    pub fn as_ptr(&self) -> *mut c_void {
        self.group.as_ptr()
    }

    /// Closes the connections to the others; the store stays.
    pub fn leave(&self) {
        // SAFETY: the group lives as long as `self`.
        unsafe { fmicl_c10d_leave(self.group.as_ptr()) }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: nobody uses the group any more.
        unsafe { fmicl_c10d_drop(self.group.as_ptr()) }
    }
}

fn text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::Torch(format!("{text:?} has a zero in it")))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Calls `function`; if it reports an error, returns the first line of it.
pub fn call<T>(function: impl FnOnce(*mut *mut c_char) -> T) -> Result<T> {
    let mut error = ptr::null_mut();
    let done = function(&mut error);
    match take(error) {
        Some(error) => Err(Error::torch(&error)),
        None => Ok(done),
    }
}

/// Copies and frees a text of the shim; `None` if it is null.
fn take(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the shim gives texts that end in zero and belong to the caller.
    let owned = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    // SAFETY: from the shim, and nobody refers to it any more.
    unsafe { fmicl_c10d_free(text) };
    Some(owned)
}
