//! Reducer: sums of gradients that overlap with the backward pass, as in PyTorch's DistributedDataParallel.
//!
//! Gradients are in flat buffers; a bucket is a part of one, of whole variables. Backward passes compute the last
//! variables' gradients first, so buckets are filled from the end.

use crate::group::call;
use crate::joined::Joined;
use fmicl_core::tch::Tensor;
use fmicl_core::{Error, Overlap, Parameters, Result};
use std::ffi::{c_char, c_void};
use std::ptr::NonNull;
use std::rc::Rc;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn fmicl_c10d_sums(
        group: *mut c_void,
        buckets: *const *const C_tensor,
        bucket_count: usize,
        variables: *const *const C_tensor,
        bucket_of: *const usize,
        variable_count: usize,
        error: *mut *mut c_char,
    ) -> *mut c_void;
    fn fmicl_c10d_sums_begin(sums: *mut c_void);
    fn fmicl_c10d_sums_finish(sums: *mut c_void, error: *mut *mut c_char) -> usize;
    fn fmicl_c10d_sums_drop(sums: *mut c_void);
}

/// Bucket: gradients summed in one call, and their variables.
struct Bucket<'a> {
    gradients: Tensor,
    variables: &'a [Tensor],
}

/// Splits into buckets of at most `cap` bytes, or of one larger variable.
fn buckets(parameters: &Parameters, cap: i64) -> Vec<Bucket<'_>> {
    let mut buckets = Vec::new();
    for group in &parameters.groups {
        let size = group.grads.kind().elt_size_in_bytes() as i64;
        let mut last = group.slices.len();
        while last > 0 {
            let end = group.slices[last - 1].offset + group.slices[last - 1].len;
            let fits = |slice: &&fmicl_core::Slice| (end - slice.offset) * size <= cap;
            let count = group.slices[..last].iter().rev().take_while(fits).count().max(1);
            let first = last - count;
            let offset = group.slices[first].offset;
            buckets.push(Bucket {
                gradients: group.grads.narrow(0, offset, end - offset),
                variables: &group.variables[first..last],
            });
            last = first;
        }
    }
    buckets
}

/// Reducer of some parameters' gradients.
#[derive(Debug)]
pub struct Sums {
    sums: NonNull<c_void>,
    joined: Rc<Joined>,
}

impl Sums {
    /// Registers hooks on the parameters; a bucket has at most `cap` bytes.
    pub fn new(joined: Rc<Joined>, parameters: &Parameters, cap: i64) -> Result<Self> {
        let buckets = buckets(parameters, cap);
        let gradients: Vec<_> = buckets.iter().map(|bucket| bucket.gradients.as_ptr()).collect();
        let numbered = buckets.iter().enumerate();
        let numbered = numbered.flat_map(|(number, bucket)| bucket.variables.iter().map(move |var| (var, number)));
        let (variables, numbers): (Vec<_>, Vec<_>) =
            numbered.map(|(variable, number)| (variable.as_ptr(), number)).unzip();
        // SAFETY: the lists have as many elements as is said, and they and their tensors outlive the call, which keeps
        // references of its own to the tensors.
        let sums = call(|error| unsafe {
            fmicl_c10d_sums(
                joined.group().as_ptr(),
                gradients.as_ptr(),
                gradients.len(),
                variables.as_ptr(),
                numbers.as_ptr(),
                variables.len(),
                error,
            )
        })?;
        let sums = NonNull::new(sums).ok_or_else(|| Error::Torch("there are no sums".into()))?;
        Ok(Sums { sums, joined })
    }
}

impl Sums {
    /// Like [`Overlap::finish`]; returns the number of sums that began in the backward pass.
    fn wait(&self) -> Result<usize> {
        self.joined
            // SAFETY: the sums live as long as `self`.
            .call(|_| call(|error| unsafe { fmicl_c10d_sums_finish(self.sums.as_ptr(), error) }))
    }
}

impl Overlap for Sums {
    fn begin(&self) {
        // SAFETY: the sums live as long as `self`.
        unsafe { fmicl_c10d_sums_begin(self.sums.as_ptr()) }
    }

    fn finish(&self) -> Result<()> {
        self.wait().map(drop)
    }
}

impl Drop for Sums {
    fn drop(&mut self) {
        // SAFETY: nobody uses the sums any more; what watches the variables has a reference of its own.
        unsafe { fmicl_c10d_sums_drop(self.sums.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Group;
    use fmicl_core::tch::{Device, Kind, nn};
    use std::net::TcpListener;
    use std::time::Duration;

    #[test]
    fn buckets_are_all_gradients_the_last_ones_first() {
        let store = nn::VarStore::new(Device::Cpu);
        for name in ["a", "b", "c"] {
            let _ = nn::linear(store.root() / name, 8, 4, Default::default());
        }
        let _ = nn::linear(store.root() / "d", 8, 40, Default::default());
        let parameters = Parameters::new(&store);
        // A weight of a, b or c has 128 bytes, that of d 1280; a bias 16 or 160.
        let sizes = |cap| -> Vec<_> {
            let buckets = buckets(&parameters, cap);
            buckets
                .iter()
                .map(|bucket| (bucket.gradients.numel() * 4, bucket.variables.len()))
                .collect()
        };
        assert_eq!(sizes(256), [(1280, 1), (256, 2), (128, 1), (208, 4)]);
        assert_eq!(
            sizes(1),
            [
                (1280, 1),
                (128, 1),
                (128, 1),
                (128, 1),
                (160, 1),
                (16, 1),
                (16, 1),
                (16, 1)
            ]
        );
        assert_eq!(sizes(1 << 20), [(1664, 4), (208, 4)]);
        let _ = buckets(&parameters, 256)[2].gradients.shallow_clone().fill_(1.0);
        let first = &parameters.groups[0];
        assert_eq!(first.slices[0].name, "a.weight");
        assert_eq!(first.variables[0].grad().min().double_value(&[]), 1.0);
        assert_eq!(first.variables[1].grad().max().double_value(&[]), 0.0);
    }

    #[test]
    #[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
    fn sums_begin_in_the_backward_pass_in_the_order_in_which_their_gradients_are_made() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let second = Duration::from_secs(1);
        let group = Group::new("127.0.0.1", free.port(), true, "test", 10 * second).unwrap();
        group.meet_gloo(0, 1, "", "127.0.0.1").unwrap();
        let joined = Rc::new(Joined::new(group, 0, 1, true, second, 1));
        let store = nn::VarStore::new(Device::Cpu);
        let [first, second, _unused] =
            ["a", "b", "z"].map(|name| nn::linear(store.root() / name, 4, 4, Default::default()));
        let mut parameters = Parameters::new(&store);
        let sums = Sums::new(joined, &parameters, 1).unwrap();
        let mut step = || {
            parameters.zero_grad();
            sums.begin();
            let x = Tensor::ones([2, 4], (Kind::Float, Device::Cpu));
            x.apply(&first).apply(&second).sum(Kind::Float).backward();
            (sums.wait().unwrap(), first.ws.grad().copy())
        };
        // Six buckets. At first the unused weight's is waited for; once it is known that nobody makes it, it comes last.
        let (early, gradient) = step();
        assert_eq!(early, 0);
        assert_eq!(step(), (4, gradient));
    }
}
