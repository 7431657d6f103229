//! The kind of part `architecture`: how views become pairings (SimCLR, MoCo, ...).

use crate::{Encoder, Pairing, Parameters, Result, View};
use tch::{Tensor, nn};

/// Builds one more copy of the experiment's backbone under a path (a momentum encoder needs its own).
pub type BuildBackbone<'a> = dyn Fn(&nn::Path) -> Result<Box<dyn Encoder>> + 'a;

/// Options that build a [`Learner`].
pub trait Architecture: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Whether features get better where repulsion outweighs attraction, and do not collapse. It is so where a batch norm comes last
    /// before anchors and positives are scaled to unit length: it takes away the direction that they have in common. An
    /// architecture says it if it was measured; false by default, which is safe.
    fn bears_repulsion(&self) -> bool {
        false
    }

    /// Creates the parameters under `root`: the backbone that is kept under `backbone`, heads under `projector` and
    /// `predictor`. Buffers that a learner keeps between steps also belong there, so that checkpoints contain them.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if the options contradict each other.
    fn build(&self, root: &nn::Path, backbone: &BuildBackbone) -> Result<Box<dyn Learner>>;
}

crate::kind!(Architecture, "architecture");

/// An architecture with its parameters, in training.
pub trait Learner: std::fmt::Debug {
    /// Number of views per sample that [`pairings`](Learner::pairings) takes.
    fn views(&self) -> usize {
        2
    }

    /// Returns the pairings of one batch, in training mode. All views have the same samples in the same order. A step
    /// may take several batches (gradient accumulation), so state that a batch changes must take effect in
    /// [`after_step`](Learner::after_step) only.
    fn pairings(&mut self, views: &[View]) -> Vec<Pairing>;

    /// The backbone that is kept and evaluated.
    fn encoder(&self) -> &dyn Encoder;

    /// Unit-length projections `[N, d]` in evaluation mode, for alignment and uniformity.
    fn project(&self, view: &View) -> Tensor;

    /// Called after the optimizer's step, to update what is not trained by gradients ([`crate::Momentum`], a
    /// queue). `parameters` are the learner's, as the step left them; `progress` runs from 0 to 1 over training.
    ///
    /// # Errors
    /// [`crate::Error::Run`] if a part that the update asks, such as a schedule, breaks its promise.
    fn after_step(&mut self, _parameters: &Parameters, _progress: f64) -> Result<()> {
        Ok(())
    }

    /// Discards the state that the batches of a step have left. Called instead of [`after_step`](Learner::after_step)
    /// if the step is skipped because it was not finite.
    fn discard(&mut self) {}
}
