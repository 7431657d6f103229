//! The objective `f-micl`:
//! `(1/N) sum_i s(x_i, y_i) - alpha / M sum_negatives f*(s)`, maximised; the loss is its negative. With a shift `v` it is
//! `(1/N) sum_i (s(x_i, y_i) - v) - alpha / M sum_negatives f*(s - v)`.
//!
//! Source: Lu et al., TMLR 2023, arXiv 2402.10150, equation (8) and algorithm 1; the shift is that of its link to InfoNCE.

use super::line::{Line, Scaled};
use super::repulsion::{Repelled, Repulsion};
use crate::estimator::{Critics, Scalar, with_slope};
use crate::{
    Chosen, Divergence, Documented, InBatch, Learned, Loss, Normaliser, Objective, Pairing, Part, Similarity, register,
    require,
};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// f-MICL with any divergence and similarity.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FMicl {
    /// The f-divergence. Required.
    pub divergence: Part<dyn Divergence>,
    /// The similarity. Required.
    pub similarity: Part<dyn Similarity>,
    /// The weight of the negative term, above 0. Absent by default: chosen for the architecture (docs/RECIPE.md, Defaults).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Negative pairs in a batch of two views: `within` (the default), `cross` or `both`. No effect under an architecture that
    /// defines its own negatives (keys, hard negatives, a bank).
    #[serde(default = "within")]
    pub negatives: InBatch,
    /// Constant subtracted from the critic: `none`, or `best`, the one that is best for the batch's negatives at `alpha` 1.
    /// With `best`, repulsion has `alpha` times the weight of attraction. Absent by default: chosen for similarity and
    /// architecture (docs/RECIPE.md, Defaults).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<Shift>,
}

/// Constant subtracted from the critic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shift {
    /// None.
    None,
    /// The minimiser of `E_neg[f*(s - v)] + v`: the implied density ratio has a mean of 1 over the negatives, as far as the
    /// domain of `f*` lets the nearest pair ([`best_shift`](crate::estimator::best_shift)). It is a constant for the gradient.
    Best,
}

fn within() -> InBatch {
    InBatch::Within
}

register!(
    Objective,
    "f-micl",
    FMicl,
    "f-mutual information with any divergence and similarity"
);

impl FMicl {
    fn critics(&self) -> Critics<'_> {
        Critics::new(&*self.divergence, &*self.similarity)
    }

    /// The weight of the negative term; 1 where nothing is known of the architecture.
    fn alpha(&self) -> f64 {
        self.alpha.unwrap_or(1.0)
    }

    fn shift(&self) -> Shift {
        self.shift.unwrap_or(match self.similarity.sets_factor() {
            true => Shift::None,
            false => Shift::Best,
        })
    }
}

/// The default weight of the negative term at the best shift, where features bear repulsion. Source: docs/RESULTS.md.
const ALPHA_WHERE_BORNE: f64 = 5.0;

impl Objective for FMicl {
    fn validate(&self) -> crate::Result<()> {
        let alpha = self.alpha();
        require(alpha > 0.0 && alpha <= 1e6, "alpha", || {
            format!("{alpha} is not above 0 and at most 1e6")
        })?;
        let is_normalised = self.similarity.normaliser() == Normaliser::Batch;
        require(!is_normalised || self.shift() == Shift::None, "shift", || {
            "has no place with a factor `mu` of the batch, which normalises the ratios as well; leave it out, or set it to \"none\""
                .into()
        })?;
        let is_idle = is_normalised && self.divergence.has_exponential_conjugate() && alpha != 1.0;
        require(!is_idle, "alpha", || {
            let divergence = self.divergence.name();
            format!(
                "has no effect: with a factor `mu` of the batch the penalty of `{divergence}` is always 1; leave it out, or set it to 1"
            )
        })?;
        let taken_back = self.shift() == Shift::Best && self.divergence.has_exponential_conjugate();
        let idle = taken_back.then(|| self.learned_offset()).flatten();
        require(idle.is_none(), "similarity", || {
            let (divergence, idle) = (self.divergence.name(), idle.unwrap_or_default());
            format!(
                "`{idle}` is learned without effect: the best shift of `{divergence}` takes it back; learn the others alone"
            )
        })?;
        let initial: Vec<_> = self.similarity.learned().iter().map(|scalar| scalar.initial).collect();
        let beyond = self.critics().beyond_f32().or_else(|| self.beyond_f32_at(&initial));
        require(beyond.is_none(), "similarity", || {
            let (divergence, similarity) = (self.divergence.name(), &self.similarity);
            let flatter = self.divergence.flatter().map(|flatter| format!(", or {flatter},"));
            format!(
                "`{similarity:?}` is too steep for `{divergence}` in f32: {}; {}{} keeps it in range",
                beyond.unwrap_or_default(),
                similarity.flatter(),
                flatter.unwrap_or_default()
            )
        })
    }

    fn chosen(&self, bears_repulsion: bool) -> Vec<Chosen> {
        let mut chosen = Vec::new();
        let mut choose = |option: String, value: toml::Value, why| chosen.push(Chosen { option, value, why });
        // At another alpha the factor of the batch would leave `kl` without an effect of it.
        let is_balanced_by_mu = self.shift.is_none()
            && !bears_repulsion
            && !(self.divergence.has_exponential_conjugate() && self.alpha() != 1.0);
        let mu = self.similarity.normalising().filter(|_| is_balanced_by_mu);
        let shift = match &mu {
            Some(_) => Shift::None,
            None => self.shift(),
        };
        if let Some((option, value)) = mu {
            let why = "repulsion and attraction then balance, without which features collapse or get worse here";
            choose(format!("similarity.{option}"), value.into(), why);
        }
        if self.shift.is_none() {
            let (name, why) = match shift {
                Shift::None => ("none", "`mu` takes its place"),
                Shift::Best if !bears_repulsion && self.alpha() > 1.0 => (
                    "best",
                    "it makes `alpha` the weight of repulsion beside that of attraction; above 1 features may collapse here",
                ),
                Shift::Best => (
                    "best",
                    "it makes `alpha` the weight of repulsion beside that of attraction",
                ),
            };
            choose("shift".into(), name.into(), why);
        }
        if self.alpha.is_none() {
            let (alpha, why) = match (shift, bears_repulsion) {
                (Shift::None, _) => (1.0, "it is the f-mutual information's"),
                (Shift::Best, false) => (1.0, "with more repulsion features may collapse or get worse here"),
                (Shift::Best, true) => (
                    ALPHA_WHERE_BORNE,
                    "more repulsion gives better features here, without a collapse",
                ),
            };
            choose("alpha".into(), alpha.into(), why);
        }
        chosen
    }

    fn doubts(&self, bears_repulsion: bool) -> Vec<String> {
        let is_normalised = self.similarity.normaliser() == Normaliser::Batch || self.shift() == Shift::Best;
        let is_balanced = is_normalised && self.alpha() == 1.0;
        let doubt = (!bears_repulsion && !is_balanced).then(|| {
            "repulsion and attraction do not balance at these values of objective.shift, alpha and mu, so that features may \
             collapse under this architecture; without them in the file they are chosen for it"
                .into()
        });
        doubt.into_iter().collect()
    }

    fn loss(&self, pairing: &Pairing) -> Loss {
        self.loss_of(pairing, None)
    }

    fn learned(&self) -> Vec<Learned> {
        let mut learned = self.similarity.learned();
        Learned::narrow(&mut learned, |values| self.beyond_f32_at(values).is_none());
        learned
    }

    fn loss_at(&self, pairing: &Pairing, learned: &[Tensor]) -> Loss {
        let line = self.similarity.affine_at(learned).map(Line::new);
        self.loss_of(pairing, line.as_ref())
    }
}

impl FMicl {
    /// The metric of a learned scalar that moves all log ratios alike.
    fn learned_offset(&self) -> Option<&'static str> {
        let learned = self.similarity.learned();
        let scale = |moved: Option<usize>| {
            let value = |(index, scalar): (usize, &Learned)| {
                let by = if moved == Some(index) { 0.1 } else { 0.0 };
                Tensor::from(scalar.initial + by)
            };
            let values: Vec<_> = learned.iter().enumerate().map(value).collect();
            self.similarity
                .affine_at(&values)
                .map(|(scale, _)| scale.double_value(&[]))
        };
        let at_first = scale(None)?;
        let index = (0..learned.len()).find(|&index| scale(Some(index)) == Some(at_first))?;
        Some(learned[index].metric)
    }

    /// As [`Critics::beyond_f32`], at values of the learned scalars.
    fn beyond_f32_at(&self, values: &[f64]) -> Option<String> {
        let values: Vec<_> = values.iter().map(|&value| Tensor::from(value)).collect();
        let line = self.similarity.affine_at(&values).map(Line::new)?;
        let offsets = match self.similarity.normaliser() {
            Normaliser::Off => vec![line.offset.shallow_clone()],
            // A factor that normalises the ratios is from e^-scale to 1, but for negatives that are nearly all opposite.
            _ => vec![line.scale.zeros_like(), -&line.scale],
        };
        offsets.iter().find_map(|offset| {
            let offset = Scalar::new(offset);
            let critics = Critics {
                offset: Some(&offset),
                ..Critics::new(&*self.divergence, &line.similarity)
            };
            critics.beyond_f32()
        })
    }

    /// The loss, with the log ratio `line` where factors of it are learned. Where nothing is learned, `mu` is a number and
    /// there is no shift, every `Option` here is `None`: `alpha * mean f*(s(c_ij)) - mean s(c_ii)` is all that is left.
    fn loss_of(&self, pairing: &Pairing, line: Option<&Line>) -> Loss {
        let pairs = pairing.negative_pairs(self.negatives);
        let scaled = line.map(|line| Scaled::new(pairs, &line.scale));
        let repelled = Repelled {
            pairs,
            products: scaled.as_ref().map(Scaled::pairs),
        };
        let offset = repelled.offset(&*self.similarity, line);
        let constant = offset.as_ref().map(Scalar::new);
        let critics = Critics {
            offset: constant.as_ref(),
            similarity: line.map_or(&*self.similarity, |line| &line.similarity),
            ..self.critics()
        };
        let Repulsion { penalty, shift } = repelled.repulsion(critics, self.shift() == Shift::Best);
        let constant_shift = shift.as_ref().map(|(shift, _)| Scalar::new(shift));
        let critics = Critics {
            shift: constant_shift.as_ref(),
            ..critics
        };
        let cosine = pairing.positive_cosines();
        let kind = cosine.kind();
        let reward = match line {
            Some(line) => critics.reward_of(&(&cosine * &line.scale)),
            None => critics.reward(&cosine),
        };
        let reward = reward.mean(kind);
        let (_, slope) = with_slope(&cosine, |cosine| critics.reward(cosine));
        // For `balance`: the penalty's slope is with respect to `scale * c`, the reward's with respect to `c`.
        let scale = line.map_or_else(
            || Factor::Number(self.similarity.affine().map_or(1.0, |(scale, _)| scale)),
            |line| Factor::Learned(line.scale.detach()),
        );
        let mut balance = scale.multiply(self.alpha(), &penalty.slope) - slope.mean(kind);
        let mut value = &penalty.value * self.alpha() - &reward;
        let is_normalised = self.similarity.normaliser() == Normaliser::Batch;
        // For an exponential conjugate the best shift cancels a learned offset.
        let is_idle = line.is_some() && self.shift() == Shift::Best && self.divergence.has_exponential_conjugate();
        if let Some(offset) = offset.filter(|offset| is_normalised || offset.requires_grad()) {
            // d loss / d offset: it moves all log ratios alike, as moving all cosines by 1 / scale does.
            let weight = if is_idle {
                balance.zeros_like()
            } else {
                scale.divide(&balance)
            };
            value += (&offset - offset.detach()) * weight;
        }
        if is_normalised {
            // `mu` of the batch cancels a common move of all cosines.
            balance = balance.zeros_like();
        }
        let critic = critics.critic(&cosine.detach());
        let mut terms = vec![
            ("f_mi", critic.mean(kind) - penalty.value.detach()),
            ("reward", reward.detach()),
            ("penalty", penalty.value.detach()),
            ("balance", balance),
        ];
        if let Some((shift, ratio)) = shift {
            terms.push(("shift", shift.to_kind(kind)));
            terms.push(("mean_ratio", ratio.to_kind(kind)));
        }
        Loss { value, terms }
    }
}

/// Factor of the cosines, without gradient.
enum Factor {
    Number(f64),
    Learned(Tensor),
}

impl Factor {
    /// `number * factor * tensor`.
    fn multiply(&self, number: f64, tensor: &Tensor) -> Tensor {
        match self {
            Factor::Number(factor) => tensor * (number * factor),
            Factor::Learned(factor) => tensor * (factor * number),
        }
    }

    /// `tensor / factor`.
    fn divide(&self, tensor: &Tensor) -> Tensor {
        match self {
            Factor::Number(factor) => tensor / *factor,
            Factor::Learned(factor) => tensor / factor,
        }
    }
}
