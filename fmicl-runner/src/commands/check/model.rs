//! The model of an experiment, tried on two samples.

use crate::config::Experiment;
use crate::run::{LearnedScalars, build_learner, read_init};
use crate::train::{open_loader, prepare};
use fmicl_core::panics::quietly;
use fmicl_core::tch::{Device, nn::VarStore, no_grad};
use fmicl_core::{Error, Learner, Result, Samples, Single, View};
use fmicl_data::{Chosen, Loader, OnError};
use std::sync::Arc;

/// An experiment's model on the CPU.
pub struct Model {
    /// The learner, whose encoder is kept.
    pub learner: Box<dyn Learner>,
    learned: LearnedScalars,
    /// The number of parameters.
    pub parameters: usize,
    /// The file of weights that it starts with, in words.
    pub init: Option<String>,
}

impl Model {
    /// The model of an experiment.
    ///
    /// # Errors
    /// Parts that do not fit, or no room for them.
    pub fn build(experiment: &Experiment) -> Result<Self> {
        let store = VarStore::new(Device::Cpu);
        let init = read_init(experiment)?;
        let learner = build_learner(experiment, &store.root(), init.as_ref())?;
        let learned = LearnedScalars::new(&*experiment.objective, &store.root());
        let (parameters, _) = prepare(experiment, &store, &learned)?;
        Ok(Model {
            learner,
            learned,
            parameters: parameters.groups.iter().map(|group| group.values.numel()).sum(),
            init: init.map(|init| init.summary(&store)),
        })
    }

    /// Takes two images through all of it; counts the steps of an epoch, and names the objective's metrics: the terms of the
    /// loss and what is learned.
    ///
    /// # Errors
    /// A config error at the part that refuses.
    pub fn dry_run(
        &mut self,
        experiment: &Experiment,
        samples: &Arc<dyn Samples>,
    ) -> Result<(usize, Vec<&'static str>)> {
        let learner = &mut self.learner;
        let (_, steps) = open_loader(experiment, samples.clone(), learner.views())?;
        let loader = Loader::new(
            some(experiment, samples),
            experiment.views.share(),
            learner.views(),
            2,
            experiment.seed,
            1,
        )?
        .by_weight()?;
        let two = loader.epoch(0, 0)?.next().transpose()?;
        let views: Vec<View> = two.map(|batch| batch.views).into_iter().flatten().collect();

        let input = experiment.views.input().map_err(|error| error.at("views"))?;
        let refused = |part: &'static str| move |why| Error::config(format!("{input}: {why}")).at(part);
        let learned = self.learned.values(&Single {});
        no_grad(|| {
            let _ = quietly(|| learner.encoder().forward(&views[0], true)).map_err(refused("backbone"))?;
            let pairings = quietly(|| learner.pairings(&views)).map_err(refused("architecture"))?;
            let mut terms = Vec::new();
            for pairing in &pairings {
                let loss = quietly(|| experiment.objective.loss_at(pairing, &learned)).map_err(refused("objective"))?;
                terms.extend(loss.terms.into_iter().map(|(name, _)| name));
            }
            terms.extend(self.learned.names());
            Ok((steps, terms))
        })
    }
}

/// The samples; or two that can be read, where others may be left out.
fn some(experiment: &Experiment, samples: &Arc<dyn Samples>) -> Arc<dyn Samples> {
    let can_be_read = |index: &usize| experiment.views.read(&**samples, *index).is_ok();
    let two: Vec<_> = match experiment.train.on_error {
        OnError::Fail => vec![],
        OnError::Skip => (0..samples.len()).filter(can_be_read).take(2).collect(),
    };
    match two.len() {
        2 => Arc::new(Chosen::these(two, samples.clone())),
        _ => samples.clone(),
    }
}
