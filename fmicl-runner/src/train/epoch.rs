//! One epoch: views, pairings, loss, gradients, step.

use super::chance::chance;
use super::{Model, Progress};
use crate::config::Experiment;
use crate::data::Splits;
use crate::eval::{FiguresByName, Online};
use crate::panics;
use anyhow::bail;
use fmicl_core::tch::{self, Device, Kind, Tensor, nn::VarStore};
use fmicl_core::{Loss, Pairing, Parameters, Result, Samples, Stepper, View, geometry};
use fmicl_data::{Batch, Loader, Prefetch};
use fmicl_models::schedule::Schedule;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Everything that training changes or reads.
pub struct Trainer<'a> {
    experiment: &'a Experiment,
    /// The model in training.
    pub model: &'a mut Model,
    device: Device,
    loader: Loader,
    /// Those of the epochs to come, once training has begun.
    batches: Option<Prefetch<Batch>>,
    parameters: Parameters,
    optimizer: Box<dyn Stepper>,
    schedule: Schedule,
    /// Steps taken since the start of the run.
    step: u64,
}

/// One line of `metrics.jsonl`.
#[derive(Debug, Serialize)]
pub struct Metrics {
    /// Counted from 1.
    pub epoch: usize,
    /// Steps since the start of the run.
    pub step: u64,
    /// The learning rate of the epoch's last step.
    pub lr: f64,
    /// The epoch's mean loss.
    pub loss: f64,
    /// The epoch's means of the objective's terms; `f_mi` is the estimate of the mutual information.
    #[serde(flatten)]
    pub terms: BTreeMap<&'static str, f64>,
    /// How the projections lie on the sphere.
    pub projections: Projections,
    /// The norm of the last step's gradients, before clipping.
    pub grad_norm: f64,
    /// Training images (not views) a second.
    pub images_per_second: f64,
    /// The share of the time in which the step waited for data, 0 to 1.
    pub waiting: f64,
    /// What the encoder is worth at this moment, where the online evaluation was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<Online>,
    /// The figures of the experiment's evaluations, where they were due.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub evaluations: FiguresByName,
}

/// How projections lie on the sphere.
#[derive(Debug, Serialize)]
pub struct Projections {
    /// Which projections.
    pub of: &'static str,
    /// See [`geometry::alignment`].
    pub alignment: f64,
    /// See [`geometry::uniformity`].
    pub uniformity: f64,
    /// See [`geometry::effective_rank`].
    pub effective_rank: f64,
}

impl<'a> Trainer<'a> {
    /// A trainer at step 0.
    ///
    /// # Errors
    /// A dataset, batch size and accumulation that do not make one step.
    pub fn new(experiment: &'a Experiment, data: &Splits, model: &'a mut Model, device: Device) -> Result<Self> {
        let train = &experiment.train;
        let (loader, steps) = open_loader(experiment, data.pretrain.clone(), model.learner.views())
            .map_err(|error| experiment.locate(error))?;
        let steps = |epochs: usize| (epochs * steps) as u64;
        let schedule = Schedule {
            base_lr: train.lr,
            warmup_steps: steps(train.warmup_epochs),
            total_steps: steps(train.epochs),
            final_lr: train.final_lr,
        };
        let (parameters, optimizer) = prepare(experiment, &model.store).map_err(|error| experiment.locate(error))?;
        Ok(Trainer {
            experiment,
            model,
            device,
            loader,
            batches: None,
            parameters,
            optimizer,
            schedule,
            step: 0,
        })
    }

    /// Steps of the whole run.
    pub fn total_steps(&self) -> u64 {
        self.schedule.total_steps
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.total_steps() / self.experiment.train.epochs as u64
    }

    /// Trains for one epoch, counted from 1.
    ///
    /// # Errors
    /// An image that cannot be read, or a loss that is not finite.
    pub fn epoch(&mut self, epoch: usize, progress: &Progress) -> anyhow::Result<Metrics> {
        let train = &self.experiment.train;
        let mut meter = Meter::new(self.device);
        let used = self.steps_per_epoch() as usize * train.accumulate;
        // The loader runs on through the epochs; taken out of `self`, which the steps change.
        let mut batches = match self.batches.take() {
            Some(batches) => batches,
            None => self.loader.epochs(epoch as u64 - 1..train.epochs as u64, used)?,
        };
        let mut last = None;
        for _ in 0..used {
            let Some(batch) = meter.wait_for(|| batches.next()) else {
                break;
            };
            let views: Vec<View> = batch?
                .views
                .into_iter()
                .map(|view| view.to_device(self.device))
                .collect();
            let pairings = self.model.learner.pairings(&views);
            if self.step == 0 && meter.batches == 0 {
                let level = chance(&*self.experiment.objective, &pairings[0]);
                // It drew from libtorch's one generator; what follows must depend on the run's seed.
                tch::manual_seed(self.experiment.seed as i64);
                progress.note(&format!(
                    "chance level of the loss (independent random features): {level:.4}"
                ));
            }
            let loss = mean_loss(self.experiment, &pairings);
            (&loss.value / train.accumulate as f64).backward();
            meter.add(&loss, train.batch_size);

            if meter.batches.is_multiple_of(train.accumulate) {
                last = Some((pairings, self.step()));
                progress.step();
                if self.step.is_multiple_of(train.log_every as u64) {
                    let mean = self.require_finite(&meter, epoch)?;
                    progress.show(epoch, mean, meter.images_per_second(), meter.waiting());
                }
            }
        }
        self.batches = Some(batches);
        self.require_finite(&meter, epoch)?;
        let Some((pairings, grad_norm)) = last else {
            bail!("epoch {epoch} had no step")
        };
        Ok(self.metrics(epoch, &meter, &pairings[0], &grad_norm))
    }

    /// The optimizer's step; the norm of the gradients before clipping.
    fn step(&mut self) -> Tensor {
        for group in &mut self.parameters.groups {
            self.experiment.engine.all_reduce_mean(&mut group.grads);
        }
        let norm = match self.experiment.train.clip_grad_norm {
            Some(max_norm) => self.parameters.clip_grad_norm(max_norm),
            None => self.parameters.grad_norm(),
        };
        self.optimizer.step(&mut self.parameters, self.schedule.lr(self.step));
        self.parameters.zero_grad();
        self.step += 1;
        let progress = self.step as f64 / self.total_steps() as f64;
        self.model.learner.after_step(&self.parameters, progress);
        norm
    }

    fn require_finite(&self, meter: &Meter, epoch: usize) -> anyhow::Result<f64> {
        let mean = meter.mean_loss();
        if mean.is_finite() {
            return Ok(mean);
        }
        bail!(
            "the loss is {mean} by step {} (epoch {epoch}); try a lower train.lr or a train.clip_grad_norm; the objective is {:?}",
            self.step,
            self.experiment.objective
        )
    }

    fn metrics(&self, epoch: usize, meter: &Meter, pairing: &Pairing, grad_norm: &Tensor) -> Metrics {
        let _no_grad = tch::no_grad_guard();
        let (x, y) = (&pairing.anchors, &pairing.positives);
        let value = |tensor: Tensor| tensor.double_value(&[]);
        Metrics {
            epoch,
            step: self.step,
            lr: self.schedule.lr(self.step - 1),
            loss: meter.mean_loss(),
            terms: meter.mean_terms(),
            projections: Projections {
                of: "the epoch's last batch, in training mode",
                alignment: value(geometry::alignment(x, y)),
                uniformity: value(geometry::uniformity(x)),
                effective_rank: value(geometry::effective_rank(x)),
            },
            grad_norm: grad_norm.double_value(&[]),
            images_per_second: meter.images_per_second(),
            waiting: meter.waiting(),
            online: None,
            evaluations: BTreeMap::new(),
        }
    }
}

/// The parameters in flat buffers, and the optimizer with its own.
///
/// # Errors
/// A config error at `backbone` where there is not the memory.
pub fn prepare(experiment: &Experiment, store: &VarStore) -> Result<(Parameters, Box<dyn Stepper>)> {
    let prepared = panics::refused("cannot be trained", || {
        let parameters = Parameters::new(store);
        let optimizer = experiment.optimizer.build(&parameters);
        Ok((parameters, optimizer))
    });
    prepared.map_err(|error| error.at("backbone"))
}

/// The loader of an experiment's training batches, and the number of optimizer steps that they make in an epoch.
///
/// # Errors
/// A dataset, batch size and accumulation that do not make one step.
pub fn open_loader(experiment: &Experiment, samples: Arc<dyn Samples>, views: usize) -> Result<(Loader, usize)> {
    let train = &experiment.train;
    let loader = Loader::new(
        samples,
        experiment.views.share(),
        views,
        train.batch_size,
        experiment.seed,
        train.data_threads(),
    )
    .map_err(|error| error.at("train"))?;
    let steps = loader.batches() / train.accumulate;
    fmicl_core::require(steps >= 1, "train.accumulate", || {
        format!(
            "a step takes {} batches, and an epoch has only {}",
            train.accumulate,
            loader.batches()
        )
    })?;
    Ok((loader, steps))
}

/// The mean over the pairings of a step.
fn mean_loss(experiment: &Experiment, pairings: &[Pairing]) -> Loss {
    let mut losses = pairings.iter().map(|pairing| experiment.objective.loss(pairing));
    let count = pairings.len() as f64;
    let Some(mut mean) = losses.next() else {
        unreachable!("an architecture gives at least one pairing")
    };
    for loss in losses {
        mean.value += loss.value;
        for (sum, term) in mean.terms.iter_mut().zip(loss.terms) {
            sum.1 = &sum.1 + term.1;
        }
    }
    let terms = mean.terms.into_iter().map(|(name, sum)| (name, sum / count)).collect();
    Loss {
        value: mean.value / count,
        terms,
    }
}

/// Sums over an epoch; what is on the device stays there until it is asked for.
struct Meter {
    loss: Tensor,
    terms: BTreeMap<&'static str, Tensor>,
    batches: usize,
    images: usize,
    started: Instant,
    waited: Duration,
}

impl Meter {
    fn new(device: Device) -> Self {
        let loss = Tensor::zeros([], (Kind::Double, device));
        let (started, waited) = (Instant::now(), Duration::ZERO);
        Meter {
            loss,
            terms: BTreeMap::new(),
            batches: 0,
            images: 0,
            started,
            waited,
        }
    }

    fn wait_for<T>(&mut self, data: impl FnOnce() -> T) -> T {
        let asked = Instant::now();
        let data = data();
        self.waited += asked.elapsed();
        data
    }

    fn add(&mut self, loss: &Loss, images: usize) {
        let _ = self.loss.g_add_(&loss.value.detach());
        for (name, term) in &loss.terms {
            let sum = self.terms.entry(name).or_insert_with(|| self.loss.zeros_like());
            let _ = sum.g_add_(term);
        }
        self.batches += 1;
        self.images += images;
    }

    fn mean_loss(&self) -> f64 {
        self.loss.double_value(&[]) / self.batches as f64
    }

    fn mean_terms(&self) -> BTreeMap<&'static str, f64> {
        self.terms
            .iter()
            .map(|(name, sum)| (*name, sum.double_value(&[]) / self.batches as f64))
            .collect()
    }

    fn images_per_second(&self) -> f64 {
        self.images as f64 / self.started.elapsed().as_secs_f64()
    }

    fn waiting(&self) -> f64 {
        self.waited.as_secs_f64() / self.started.elapsed().as_secs_f64()
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "epoch {:>4}  loss {:.4}", self.epoch, self.loss)?;
        if let Some(f_mi) = self.terms.get("f_mi") {
            write!(f, "  f-MI {f_mi:.3}")?;
        }
        write!(
            f,
            "  alignment {:.3}  uniformity {:.3}  rank {:.1}  lr {:.2e}  {:.0} images/s",
            self.projections.alignment,
            self.projections.uniformity,
            self.projections.effective_rank,
            self.lr,
            self.images_per_second,
        )?;
        if let Some(Online { accuracy, .. }) = &self.online {
            write!(
                f,
                "  test kNN {:.1}%  linear {:.1}%",
                100.0 * accuracy.knn,
                100.0 * accuracy.linear
            )?;
        }
        for (evaluation, figures) in &self.evaluations {
            write!(f, "  {evaluation}:")?;
            for (name, value) in figures {
                write!(f, " {name} {value:.3}")?;
            }
        }
        Ok(())
    }
}
