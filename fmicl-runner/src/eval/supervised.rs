//! The labelled samples and the encoder, as evaluations see them that train with labels.

use super::encode::{Encode, Reader};
use crate::data::{Opened, Splits};
use crate::left_out::{Pass, with_a_way_out};
use crate::run::Model;
use fmicl_core::panics::refused;
use fmicl_core::tch::nn::VarStore;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{
    Backbone, Batches, Error, Input, LabelledBatch, LabelledSamples, Processes, Result, Samples, Shuffled, Split,
    Supervised, Trainable, View,
};
use fmicl_data::{Chosen, Loader, Unreadable};
use std::collections::HashMap;
use std::sync::Arc;

/// Makes a copy of an encoder.
pub type CopyEncoder<'a> = dyn Fn() -> Result<Trainable> + 'a;

/// The labelled samples that `reader` reads, and an encoder.
pub(super) struct Training<'a> {
    pub reader: &'a Reader,
    pub encode: &'a Encode<'a>,
    /// Nothing for raw samples.
    pub copy: Option<&'a CopyEncoder<'a>>,
    pub data: &'a Splits,
    pub samples: LabelledSamples,
}

impl Training<'_> {
    /// A batch as evaluations see it; its `indices` are among `chosen`, those of a split.
    fn labelled(&self, samples: &dyn Samples, chosen: &[usize], rows: &[usize], view: &View) -> LabelledBatch {
        let labels: Vec<_> = rows.iter().map(|&row| samples.label(row) as i64).collect();
        LabelledBatch {
            indices: rows.iter().map(|&row| chosen[row]).collect(),
            view: view.to_device(self.reader.device),
            labels: Tensor::from_slice(&labels).to_device(self.reader.device),
        }
    }

    fn leave_out(&self, split: &str, chosen: &[usize], unreadable: Vec<Unreadable>) {
        let unreadable = unreadable.into_iter().map(|unreadable| Unreadable {
            sample: chosen[unreadable.sample],
            ..unreadable
        });
        let unreadable: Vec<_> = unreadable.collect();
        self.data.left_out.add(Pass::Evaluation, split, &unreadable);
    }
}

impl Supervised for Training<'_> {
    fn samples(&self) -> &LabelledSamples {
        &self.samples
    }

    fn shuffled(&self, which: &Shuffled) -> Result<Batches<'_>> {
        let (chosen, count) = (which.indices.clone(), which.indices.len());
        if count < 2 {
            return Err(Error::config(format!(
                "training with labels takes at least 2 labelled samples, and there are {count}"
            )));
        }
        let views = self.reader.views.cropped_and_flipped(&which.augmentation)?;
        let samples: Arc<dyn Samples> = Arc::new(Chosen::these(chosen.clone(), self.samples.train.clone()));
        let batch_size = which.batch_size.min(count);
        let loader = Loader::new(samples.clone(), views, 1, batch_size, which.seed, EVERY_CORE)?;
        let loader = loader.on_error(self.reader.on_error);
        let per_epoch = loader.batches();
        let items = loader.epochs(0..which.epochs as u64, per_epoch, 0)?.map(move |batch| {
            let batch = batch.map_err(with_a_way_out)?;
            self.leave_out("train", &chosen, batch.unreadable);
            Ok(self.labelled(&*samples, &chosen, &batch.indices, &batch.views[0]))
        });
        Ok(Batches {
            per_epoch,
            batch_size,
            items: Box::new(items),
        })
    }

    fn in_order(&self, split: Split, indices: Vec<usize>) -> Result<Batches<'_>> {
        let (name, whole) = match split {
            Split::Test => ("test", &self.samples.test),
            Split::Train | Split::Pretrain => ("train", &self.samples.train),
        };
        let Reader {
            views,
            batch_size,
            on_error,
            ..
        } = self.reader;
        let samples: Arc<dyn Samples> = Arc::new(Chosen::these(indices.clone(), whole.clone()));
        let per_epoch = indices.len().div_ceil(*batch_size);
        let batches = fmicl_data::evaluation_batches(samples.clone(), views.clone(), *batch_size, *on_error, (0, 1))?;
        let items = batches.filter_map(move |batch| {
            let batch = match batch.map_err(with_a_way_out) {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            };
            self.leave_out(name, &indices, batch.unreadable);
            let view = batch.view?;
            Some(Ok(self.labelled(&*samples, &indices, &batch.indices, &view)))
        });
        Ok(Batches {
            per_epoch,
            batch_size: *batch_size,
            items: Box::new(items),
        })
    }

    fn features(&self, view: &View) -> Tensor {
        tch::no_grad(|| (self.encode)(view).to_kind(Kind::Float))
    }

    fn trainable(&self) -> Result<Trainable> {
        let nothing = || Err(Error::Run("raw samples have no weights to train".into()));
        self.copy.map_or_else(nothing, |copy| copy())
    }
}

/// Threads of the loader: one a core, as for the batches of other evaluations.
const EVERY_CORE: usize = 0;

/// A copy of a run's encoder, for views of this shape.
///
/// # Errors
/// Those of [`Backbone::build_for`].
pub(super) fn copy_of(model: &Model, backbone: &dyn Backbone, input: Input) -> Result<Trainable> {
    let weights = model.backbone().into_iter().collect();
    copy(backbone, input, (&weights, &model.about), model.store.device())
}

/// A backbone with copies of `weights`, which have its names.
///
/// # Errors
/// Those of [`Backbone::build_for`].
pub(super) fn copy(
    backbone: &dyn Backbone,
    input: Input,
    (weights, about): (&HashMap<String, Tensor>, &str),
    device: Device,
) -> Result<Trainable> {
    let store = VarStore::new(device);
    let encoder = refused("cannot be built", || backbone.build_for(&store.root(), input));
    let encoder = encoder.map_err(|error| error.at("backbone"))?;
    for (name, mut var) in store.variables() {
        let Some(own) = weights.get(&name) else {
            let message =
                format!("the backbone has no `{name}` the second time that it is built, and cannot be copied");
            return Err(Error::Run(message));
        };
        tch::no_grad(|| var.copy_(own));
        // Pre-training may freeze some, such as a ViT's patch projection; with labels the whole network is trained.
        let is_statistic = name.ends_with("running_mean") || name.ends_with("running_var");
        let _ = var.set_requires_grad(var.is_floating_point() && !is_statistic);
    }
    Ok(Trainable {
        store,
        encoder,
        about: about.to_string(),
    })
}

/// Checks that evaluations that train are alone, before a training of days.
///
/// # Errors
/// A config error at the evaluation, if there are several processes.
pub(crate) fn require_alone(data: &Splits, processes: &dyn Processes) -> Result<()> {
    require_alone_of(data.by_labels().map(|(opened, _)| opened), processes)
}

/// The same for some evaluations.
///
/// # Errors
/// As there.
pub(super) fn require_alone_of<'a>(tasks: impl Iterator<Item = &'a Opened>, processes: &dyn Processes) -> Result<()> {
    match tasks.into_iter().find(|opened| opened.evaluation.trains()) {
        Some(opened) if processes.are_many() => {
            let name = &opened.name;
            Err(Error::config(format!(
                "it trains in one process, and here are {}; leave it out (`{name} = false`), and run `fmicl eval RUN --on {name}` \
                 in one process after training",
                processes.size()
            ))
            .at(&format!("evaluations.{name}")))
        }
        _ => Ok(()),
    }
}
