//! Many images at once into tensors, in parallel.

use fmicl_core::{Result, Stop};
use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

/// Makes `count` tensors `[N, channels, size, size]` on the threads of the current pool. `render` gets a sample's index and
/// where its floats go, one slice a tensor.
pub(super) fn render_all(
    indices: &[usize],
    count: usize,
    shape: [usize; 3],
    stop: &Stop,
    render: impl Fn(usize, &mut [&mut [f32]]) -> Result<()> + Sync,
) -> Result<Vec<Tensor>> {
    let [channels, height, width] = shape.map(|length| length as i64);
    let all = [indices.len() as i64, channels, height, width];
    let mut tensors: Vec<Tensor> = (0..count)
        // Not zeros: a fill on this thread would start a team of OpenMP's threads, which then spin beside libtorch's own.
        .map(|_| Tensor::empty(all, (Kind::Float, Device::Cpu)))
        .collect();
    let mut slots: Vec<Vec<&mut [f32]>> = indices.iter().map(|_| Vec::with_capacity(count)).collect();
    for tensor in &mut tensors {
        for (slots, slot) in slots
            .iter_mut()
            .zip(floats(tensor).chunks_exact_mut(shape.iter().product()))
        {
            slots.push(slot);
        }
    }
    indices
        .par_iter()
        .zip(&mut slots)
        .try_for_each(|(&index, slots)| match stop.is_set() {
            true => Ok(()),
            false => render(index, slots),
        })?;
    Ok(tensors)
}

/// The elements of a contiguous tensor of floats in main memory.
fn floats(tensor: &mut Tensor) -> &mut [f32] {
    assert!(tensor.is_contiguous() && tensor.kind() == Kind::Float && tensor.device() == Device::Cpu);
    // SAFETY: such a tensor is `numel` floats from `data_ptr` on, and the borrow keeps it alive and unshared. Its memory
    // came from libtorch's allocator, and whatever bytes it holds are floats.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), tensor.numel()) }
}
