//! Features of samples.

use crate::config::Experiment;
use crate::left_out::with_a_way_out;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Error, Processes, Result, Samples, View, Views};
use fmicl_data::{OnError, Unreadable};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

/// Checks that features are numbers; those of a run that diverged are not.
pub fn require_finite(features: &Tensor) -> Result<()> {
    // Numbers that are not finite come through to one of both; a mask would take memory.
    let ends = [features.min(), features.max()];
    if ends.iter().all(|end| end.double_value(&[]).is_finite()) {
        return Ok(());
    }
    Err(Error::Run(
        "the encoder's features are not finite: training diverged; try a lower train.lr".into(),
    ))
}

/// From a view in evaluation form to features `[N, d]`.
pub type Encode<'a> = dyn Fn(&View) -> Tensor + 'a;

/// Reader of samples for evaluation: without augmentation, `batch_size` at a time. Several processes share the batches, and
/// each gets the features of all.
pub struct Reader {
    /// Conversion of samples to the encoder's input.
    pub views: Arc<dyn Views>,
    /// Samples at a time.
    pub batch_size: usize,
    /// Device of the computation.
    pub device: Device,
    /// Handling of labelled samples that cannot be read.
    pub on_error: OnError,
    /// Holds the features of labelled samples as f16.
    pub half: bool,
    /// Process group of the evaluation.
    pub processes: Rc<dyn Processes>,
}

impl Reader {
    /// Returns the reader with the experiment's views, `eval.batch_size` and `train.on_error`.
    pub fn of(experiment: &Experiment, device: Device, processes: &Rc<dyn Processes>) -> Self {
        Reader {
            views: experiment.views.share(),
            batch_size: experiment.eval.batch_size,
            device,
            on_error: experiment.train.on_error,
            half: experiment.eval.half,
            processes: processes.clone(),
        }
    }

    /// The features of every sample in order, `[N, d]`, f32, without gradient.
    pub fn encode(&self, samples: &Arc<dyn Samples>, encode: &Encode) -> Result<Tensor> {
        Ok(self.encode_those(samples, encode, OnError::Fail)?.values)
    }

    /// The features of the samples that can be read, f32, and which those are.
    pub fn encode_those(&self, samples: &Arc<dyn Samples>, encode: &Encode, on_error: OnError) -> Result<Encoded> {
        self.encode_as(samples, encode, (on_error, Kind::Float))
    }

    /// The features of labelled samples that can be read, and which those are: in half the memory, where it is asked for.
    pub fn encode_labelled(&self, samples: &Arc<dyn Samples>, encode: &Encode) -> Result<Encoded> {
        let kind = if self.half { Kind::Half } else { Kind::Float };
        self.encode_as(samples, encode, (self.on_error, kind))
    }

    fn encode_as(
        &self,
        samples: &Arc<dyn Samples>,
        encode: &Encode,
        (on_error, kind): (OnError, Kind),
    ) -> Result<Encoded> {
        let _no_grad = tch::no_grad_guard();
        let mut rows = Rows::new(samples.len(), (kind, self.device));
        let (mut own, mut unreadable) = (VecDeque::new(), Vec::new());
        let share = (self.processes.rank(), self.processes.size());
        let (all, views) = (samples.clone(), self.views.clone());
        let batches = fmicl_data::evaluation_batches(all, views, self.batch_size, on_error, share)?;
        for batch in batches {
            let batch = batch.map_err(with_a_way_out)?;
            unreadable.extend(batch.unreadable);
            let Some(view) = batch.view else { continue };
            let values = encode(&view.to_device(self.device)).to_kind(kind);
            match self.processes.are_many() {
                true => own.push_back((values, batch.indices)),
                false => rows.put(&values, &batch.indices),
            }
        }
        if self.processes.are_many() {
            self.gather(own, &mut rows)?;
        }
        let error = unreadable.first().map_or("", |first| &first.error);
        let (values, indices) = rows.whole();
        let Some(values) = values else {
            let count = samples.len();
            return Err(Error::Run(format!("none of the {count} samples can be read; {error}")));
        };
        require_finite(&values).map_err(|error| match kind {
            Kind::Half => Error::Run(format!(
                "{error}; or, as f16, they are beyond 65504: leave out eval.half"
            )),
            _ => error,
        })?;
        Ok(Encoded {
            values,
            indices,
            unreadable,
        })
    }

    /// Puts the batches of all processes among the rows of each, one of every process at a time: no process has memory for
    /// more than all rows and its own.
    fn gather(&self, mut own: VecDeque<(Tensor, Vec<usize>)>, rows: &mut Rows) -> Result<()> {
        let all = rows.there.len() as i64;
        let width = own.front().map_or(0, |(values, _)| values.size()[1]);
        let most = own.iter().map(|(_, indices)| indices.len()).max().unwrap_or(0);
        let mine = [own.len() as i64, most as i64, width, all, -all];
        let [batches, most, width, all, fewest] = self.processes.largest(mine)?;
        if all != -fewest {
            return Err(Error::Run(format!(
                "one process has {all} samples to evaluate and another {}: give all the same data",
                -fewest
            )));
        }
        for _ in 0..batches {
            let (values, indices) = own.pop_front().unzip();
            let padded = Tensor::zeros([most, width], rows.options);
            if let Some(values) = values {
                padded.narrow(0, 0, values.size()[0]).copy_(&values);
            }
            let mut indices: Vec<_> = indices.into_iter().flatten().map(|index| index as i64).collect();
            indices.resize(most as usize, -1);
            let values = self.processes.all_gather(&padded)?.flatten(0, 1);
            let indices = self.processes.all_gather(&Tensor::from_slice(&indices))?.flatten(0, 1);
            let there = indices.ge(0).nonzero().flatten(0, 1);
            let indices = Vec::<i64>::try_from(indices.index_select(0, &there))?;
            let indices: Vec<_> = indices.into_iter().map(|index| index as usize).collect();
            rows.put(&values.index_select(0, &there.to_device(self.device)), &indices);
        }
        Ok(())
    }
}

/// Features of the samples of a split that could be read.
#[derive(Debug)]
pub struct Encoded {
    /// `[N, d]`.
    pub values: Tensor,
    /// Index of each row's sample, in order.
    pub indices: Vec<usize>,
    /// The others, of those that fell to this process.
    pub unreadable: Vec<Unreadable>,
}

impl Encoded {
    /// The samples that are not there, whatever process could not read them, of `count`.
    pub fn missing(&self, count: usize) -> Vec<usize> {
        let mut there = vec![false; count];
        self.indices.iter().for_each(|&index| there[index] = true);
        (0..count).filter(|&index| !there[index]).collect()
    }

    /// `[N]`, i64.
    pub fn labels(&self, samples: &dyn Samples) -> Tensor {
        let labels = self.indices.iter().map(|&index| samples.label(index) as i64);
        Tensor::from_slice(&labels.collect::<Vec<_>>())
    }
}

/// Rows that come in any order, each copied to its place: there is one copy of them.
struct Rows {
    /// `[N, d]`, made with the first of them.
    values: Option<Tensor>,
    there: Vec<bool>,
    options: (Kind, Device),
}

impl Rows {
    fn new(count: usize, options: (Kind, Device)) -> Self {
        Rows {
            values: None,
            there: vec![false; count],
            options,
        }
    }

    fn put(&mut self, rows: &Tensor, indices: &[usize]) {
        let size = [self.there.len() as i64, rows.size()[1]];
        let made = || Tensor::empty(size, self.options);
        let values = self.values.get_or_insert_with(made);
        indices.iter().for_each(|&index| self.there[index] = true);
        let places: Vec<_> = indices.iter().map(|&index| index as i64).collect();
        let places = Tensor::from_slice(&places).to_device(self.options.1);
        let _ = values.index_copy_(0, &places, rows);
    }

    /// Those that came, closed up, and which they are; no values where none came.
    fn whole(self) -> (Option<Tensor>, Vec<usize>) {
        let came = self.there.iter().enumerate().filter(|(_, there)| **there);
        let indices: Vec<usize> = came.map(|(index, _)| index).collect();
        let Some(values) = self.values.filter(|_| !indices.is_empty()) else {
            return (None, indices);
        };
        if indices.len() == self.there.len() {
            return (Some(values), indices);
        }
        // Upwards, in the same memory: no row is written before it was read.
        for (tile, chunk) in indices.chunks(CLOSED_UP).enumerate() {
            let from: Vec<_> = chunk.iter().map(|&index| index as i64).collect();
            let rows = values.index_select(0, &Tensor::from_slice(&from).to_device(self.options.1));
            values
                .narrow(0, (tile * CLOSED_UP) as i64, chunk.len() as i64)
                .copy_(&rows);
        }
        (Some(values.narrow(0, 0, indices.len() as i64)), indices)
    }
}

/// Rows that are moved at a time.
const CLOSED_UP: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_any_order_and_those_that_do_not_come_are_closed_up() {
        let all = Tensor::arange(3 * 2600, (Kind::Float, Device::Cpu)).view([2600, 3]);
        let mut rows = Rows::new(2600, (Kind::Float, Device::Cpu));
        // Every seventh does not come; what comes last comes first.
        let came: Vec<usize> = (0..2600).filter(|index| index % 7 != 3).collect();
        for batch in came.rchunks(100) {
            let indices: Vec<_> = batch.iter().map(|&index| index as i64).collect();
            rows.put(&all.index_select(0, &Tensor::from_slice(&indices)), batch);
        }
        let (values, indices) = rows.whole();
        assert_eq!(indices, came);
        let expected: Vec<_> = came.iter().map(|&index| index as i64).collect();
        assert_eq!(values.unwrap(), all.index_select(0, &Tensor::from_slice(&expected)));
        assert!(Rows::new(4, (Kind::Float, Device::Cpu)).whole().0.is_none());
    }
}
