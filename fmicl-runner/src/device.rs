//! Choice of a run's device.

use fmicl_core::tch::{self, Device};
use fmicl_core::{Error, Result, allow_tf32};
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// The device that a user asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// The first GPU, or else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU, counted from 0.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let index = text.strip_prefix("cuda:").and_then(|index| index.parse().ok());
        match (text, index) {
            ("auto", _) => Ok(DeviceChoice::Auto),
            ("cpu", _) => Ok(DeviceChoice::Cpu),
            (_, Some(index)) => Ok(DeviceChoice::Cuda(index)),
            _ => Err(format!("`{text}` is not `auto`, `cpu` or `cuda:N` with N from 0")),
        }
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            DeviceChoice::Auto => write!(f, "auto"),
            DeviceChoice::Cpu => write!(f, "cpu"),
            DeviceChoice::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl DeviceChoice {
    /// The device of a process that is given the GPU of that number, where there are any.
    ///
    /// # Errors
    /// As [`resolve`](DeviceChoice::resolve).
    pub fn resolve_for(self, gpu: Option<usize>) -> Result<Device> {
        match (self, gpu) {
            (DeviceChoice::Auto, Some(index)) if gpus() > 0 => DeviceChoice::Cuda(index).resolve(),
            _ => self.resolve(),
        }
    }

    /// The device.
    ///
    /// # Errors
    /// [`Error::Config`] at `device` where the machine does not have it, saying what it has.
    pub fn resolve(self) -> Result<Device> {
        // A number is what it says, unless an experiment asks for less.
        allow_tf32(false);
        match self {
            DeviceChoice::Cpu => Ok(Device::Cpu),
            DeviceChoice::Auto => Ok(if gpus() > 0 { Device::Cuda(0) } else { Device::Cpu }),
            DeviceChoice::Cuda(index) if index < gpus() => Ok(Device::Cuda(index)),
            DeviceChoice::Cuda(index) => {
                Err(Error::config(format!("no GPU {index}: {}", what_is_there())).at("device"))
            }
        }
    }
}

fn what_is_there() -> String {
    match (gpus(), cuda()) {
        (0, Cuda::NoDriver) => "this machine has no NVIDIA driver; use \"cpu\" or \"auto\"".to_string(),
        (0, Cuda::NotInLibtorch) => "this libtorch is built for the CPU alone; use \"cpu\" or \"auto\"".to_string(),
        (0, Cuda::Loaded) => "libtorch finds none on this machine; use \"cpu\" or \"auto\"".to_string(),
        (1, _) => "this machine has one; use \"cuda:0\"".to_string(),
        (count, _) => format!("this machine has {count}, cuda:0 to cuda:{}", count - 1),
    }
}

/// The number of GPUs that libtorch can use.
fn gpus() -> usize {
    match cuda() {
        Cuda::Loaded => usize::try_from(tch::Cuda::device_count()).unwrap_or(0),
        Cuda::NoDriver | Cuda::NotInLibtorch => 0,
    }
}

/// libtorch's CUDA half.
#[derive(Clone, Copy)]
enum Cuda {
    Loaded,
    NoDriver,
    NotInLibtorch,
}

/// Loads libtorch's CUDA half, which the linker drops since nothing refers to it; so one binary serves machines with
/// and without a GPU. It must happen before libtorch is first asked about CUDA.
fn cuda() -> Cuda {
    static LOADED: OnceLock<Cuda> = OnceLock::new();
    // Over a gigabyte, so the driver is asked for first.
    *LOADED.get_or_init(|| {
        if !load("libcuda.so.1") {
            Cuda::NoDriver
        } else if load("libtorch_cuda.so") {
            Cuda::Loaded
        } else {
            Cuda::NotInLibtorch
        }
    })
}

/// Returns true if a shared library is loaded now; it stays so.
fn load(name: &str) -> bool {
    // SAFETY: the initialisers of these libraries only register themselves, and they are never unloaded.
    let library = unsafe { Library::open(Some(name), RTLD_NOW | RTLD_GLOBAL) };
    library.map(std::mem::forget).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_reads_back_as_it_is_written() {
        for text in ["auto", "cpu", "cuda:0", "cuda:11"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        for text in ["", "gpu", "cuda", "cuda:", "cuda:-1", "CPU"] {
            assert!(text.parse::<DeviceChoice>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_gpu_that_is_not_there_is_an_error_that_says_what_is() {
        let error = DeviceChoice::Cuda(99).resolve().unwrap_err().to_string();
        assert!(error.starts_with("device: no GPU 99: "), "{error}");
    }
}
