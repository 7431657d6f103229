//! The engine `c10d`: its options, and the start of the process group.

use crate::group::{Group, has_gloo, has_nccl};
use crate::joined::Joined;
use crate::launched::{Agent, Launched};
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Documented, Engine, Error, Processes, Result, Single, register, require};
use serde::{Deserialize, Serialize};
use std::net::UdpSocket;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Process group of torchrun or Slurm over PyTorch's c10d. A process without a launcher has a world size of 1.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct C10d {
    /// Backend for the tensors: `auto` (NCCL on GPUs, Gloo on CPUs) or `gloo`.
    pub backend: Backend,
    /// Timeout of a collective in seconds, from 1 to 86400. It must be longer than the longest work of one process
    /// while the others wait: the first batch, a checkpoint.
    pub timeout: f64,
    /// Size of the reducer's buckets in MiB, from 0 to 4096; each is summed as soon as the backward pass has completed
    /// it. With 0 all are summed after the backward pass, as always on GPUs with Gloo.
    pub bucket_cap_mb: f64,
}

/// Backend that carries tensors between processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// NCCL for tensors on GPUs, else Gloo.
    Auto,
    /// Gloo, over TCP; tensors on GPUs go through main memory.
    Gloo,
}

impl Default for C10d {
    fn default() -> Self {
        C10d {
            backend: Backend::Auto,
            timeout: 600.0,
            bucket_cap_mb: 8.0,
        }
    }
}

register!(
    Engine,
    "c10d",
    C10d,
    "the processes of torchrun or Slurm, over PyTorch's c10d"
);

impl Engine for C10d {
    fn validate(&self) -> Result<()> {
        require((1.0..=86_400.0).contains(&self.timeout), "timeout", || {
            format!("{} is not from 1 to 86400 seconds", self.timeout)
        })?;
        require((0.0..=4096.0).contains(&self.bucket_cap_mb), "bucket_cap_mb", || {
            format!("{} is not from 0 to 4096 MiB", self.bucket_cap_mb)
        })
    }

    fn is_launched(&self) -> bool {
        !matches!(Launched::by_environment(), Ok(None))
    }

    fn gpu(&self) -> Result<Option<usize>> {
        Ok(Launched::by_environment()?.map(|launched| launched.local_rank))
    }

    fn processes_here(&self) -> Result<usize> {
        Ok(Launched::by_environment()?.map_or(1, |launched| launched.local_size))
    }

    fn join(&self, device: Device) -> Result<Rc<dyn Processes>> {
        let Some(launched) = Launched::by_environment()?.filter(|launched| launched.size > 1) else {
            return Ok(Rc::new(Single {}));
        };
        let gpu = match (device, self.backend) {
            (Device::Cuda(gpu), Backend::Auto) => Some(gpu),
            _ => None,
        };
        if gpu.is_some() && !has_nccl() {
            return Err(Error::config(
                "this binary was built without NCCL, which processes on GPUs need; run scripts/cuda-headers and build \
                 again, or use the backend \"gloo\"",
            ));
        }
        if gpu.is_none() && !has_gloo() {
            return Err(Error::config(
                "this binary was built without gloo, which processes on CPUs need; run scripts/setup or install Debian's \
                 libgloo-dev, and build again",
            ));
        }
        launched.require_host()?;
        let timeout = Duration::from_secs_f64(self.timeout);
        // Some of the time is for finding out who is to blame.
        let patience = (timeout / 4).min(Duration::from_secs(10));
        let bucket = (self.bucket_cap_mb * f64::from(1 << 20)).ceil() as i64;
        let Launched { rank, size, port, .. } = launched;
        let serve = launched.agent == Agent::FirstRank && rank == 0;
        let prefix = format!("fmicl/{}", launched.start);
        let failed = |error: Error| {
            let (host, seconds) = (&launched.host, self.timeout);
            Error::Run(format!(
                "rank {rank} of {size} did not join the others at {host}:{port} within {seconds} seconds: {error}"
            ))
        };
        let group = Group::new(&launched.host, port, serve, &prefix, timeout - patience).map_err(failed)?;
        if let Some(gpu) = gpu {
            group.meet_nccl(rank, size, gpu).map_err(failed)?;
        } else {
            let interface = std::env::var("GLOO_SOCKET_IFNAME").unwrap_or_default();
            let address = address_towards(&launched.host, port);
            group.meet_gloo(rank, size, &interface, &address).map_err(failed)?;
        }
        // NCCL itself meets in its first call; and after it none leaves while another still connects. All have the number of
        // the first process then.
        let own = if rank == 0 { start_of_this_process() } else { 0 };
        let mut number = Tensor::full([1], own, (Kind::Int64, group.device()));
        group.all_reduce(&mut number).map_err(failed)?;
        group.set_meeting(number.int64_value(&[0]));
        Ok(Rc::new(Joined::new(group, rank, size, serve, patience, bucket)))
    }
}

/// Microseconds since 1970, which no two meetings in one store share.
fn start_of_this_process() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(0)
}

/// This machine's address on the way to `host`; the loopback's where the system knows none.
fn address_towards(host: &str, port: u16) -> String {
    // Nothing is sent: a connected socket of this kind only has its route looked up.
    let route = || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect((host, port))?;
        socket.local_addr()
    };
    route().map_or("127.0.0.1".into(), |address| address.ip().to_string())
}
