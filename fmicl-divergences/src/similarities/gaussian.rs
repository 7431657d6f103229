//! The paper's f-Gaussian similarity: `u = mu exp(-|x - y|^2 / (2 sigma^2))`, so that
//! `log u = log mu + (c - 1) / sigma^2`.
//!
//! Source: Lu et al., section 4 and assumption 2; `sigma^2` is what others call the temperature.

use super::learn::Learn;
use fmicl_core::{Critic, Documented, Learned, Normaliser, Similarity, register, require};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use tch::Tensor;

/// The f-Gaussian similarity, a log density ratio.
#[derive(Debug, Default, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gaussian {
    /// Width of the kernel, from 0.001 to 1000. Not together with `temperature`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    /// `sigma^2`, from 1e-6 to 1e6, instead of `sigma`; 0.5 by default, as in the paper's experiments on images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The ratio of a pair at distance 0: a number above 0 and at most `1e16 e^(1 / sigma^2)` (the paper's experiments have 1), `uniform` (independent uniform
    /// features have a mean ratio of 1, the constant of the paper's assumption 2) or `batch` (each batch's negatives have
    /// a mean ratio of 1). Absent by default: `f-micl` may choose `batch` (docs/RECIPE.md, Defaults); otherwise it is
    /// `e^(1 / sigma^2)`, so that the log ratio is `c / sigma^2` and orthogonal features have ratio 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mu: Option<Mu>,
    /// Parameters that are learned with the network, as CLIP's temperature: `["sigma"]`, `["mu"]`, or `true` for both; none by
    /// default. They begin at the values above, are learned as `log sigma^2` and `log mu` without weight decay, and stay where
    /// the objective is finite in f32. `uniform` and `batch` follow sigma and cannot be learned. An absent `mu` starts at
    /// `e^(1 / sigma^2)` and is then independent of sigma. With `kl` and `shift = "best"` `mu` has no effect and cannot be
    /// learned. On a GPU each step waits for the device if sigma is learned and `mu` is `uniform`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learn: Option<Learn>,
    /// Learning rate of what is learned, as a multiple of `train.lr`, so that warm-up and schedule hold for it too; above 0 and
    /// at most 1000, 0.1 by default. With `adamw` 1 is CLIP's choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learn_lr: Option<f64>,
}

/// The default of `sigma^2`.
const TEMPERATURE: f64 = 0.5;

/// Bounds of `log sigma^2` and, learned, of `log mu`: a factor of f32 that has room to both sides.
const LOG_TEMPERATURE: (f64, f64) = (-13.815510557964274, 13.815510557964274);
const LOG_MU: (f64, f64) = (-69.0, 69.0);

/// The ratio of a pair at distance 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mu {
    /// A number above 0.
    Number(f64),
    /// Independent uniform features have a mean ratio of 1.
    Uniform,
    /// The negatives of each batch have a mean ratio of 1.
    Batch,
}

impl Serialize for Mu {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Mu::Number(mu) => serializer.serialize_f64(*mu),
            Mu::Uniform => serializer.serialize_str("uniform"),
            Mu::Batch => serializer.serialize_str("batch"),
        }
    }
}

impl<'de> Deserialize<'de> for Mu {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrName;
        impl Visitor<'_> for NumberOrName {
            type Value = Mu;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number above 0, \"uniform\" or \"batch\"")
            }

            fn visit_f64<E: Error>(self, mu: f64) -> Result<Mu, E> {
                Ok(Mu::Number(mu))
            }

            fn visit_i64<E: Error>(self, mu: i64) -> Result<Mu, E> {
                Ok(Mu::Number(mu as f64))
            }

            fn visit_u64<E: Error>(self, mu: u64) -> Result<Mu, E> {
                Ok(Mu::Number(mu as f64))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Mu, E> {
                match name {
                    "uniform" => Ok(Mu::Uniform),
                    "batch" => Ok(Mu::Batch),
                    other => Err(E::custom(format_args!(
                        "`{other}` is neither a number above 0 nor \"uniform\" nor \"batch\""
                    ))),
                }
            }
        }
        deserializer.deserialize_any(NumberOrName)
    }
}

register!(
    Similarity,
    "gaussian",
    Gaussian,
    "the paper's f-Gaussian: log ratio log mu + (c - 1) / sigma^2"
);

/// The largest ratio of orthogonal features: the square of a gradient in proportion to it, summed over a million pairs, is
/// still an f32, as the norm of the gradients takes it.
const MOST_ORTHOGONAL: f64 = 1e16;

impl Similarity for Gaussian {
    fn validate(&self) -> fmicl_core::Result<()> {
        require(
            self.sigma.is_none() || self.temperature.is_none(),
            "temperature",
            || "is sigma^2, and sigma is given as well; leave one of them out".into(),
        )?;
        // Beyond these the log ratio overflows f32, or is the same for every pair.
        let sigma = self.sigma.unwrap_or(1.0);
        require((1e-3..=1e3).contains(&sigma), "sigma", || {
            format!("{sigma} is not from 0.001 to 1000")
        })?;
        let temperature = self.temperature.unwrap_or(1.0);
        require((1e-6..=1e6).contains(&temperature), "temperature", || {
            format!("{temperature} is not from 1e-6 to 1e6")
        })?;
        if let Some(Mu::Number(mu)) = self.mu {
            let most = MOST_ORTHOGONAL * self.temperature().recip().exp();
            require(mu > 0.0 && mu.is_finite(), "mu", || format!("{mu} is not above 0"))?;
            require(mu <= most, "mu", || {
                format!(
                    "{mu:?} is above {most:.1e}, where orthogonal features have a ratio of {MOST_ORTHOGONAL:e}: gradients \
                     overflow f32 or vanish there; take a smaller mu"
                )
            })?;
        }
        self.check_learned()
    }

    fn critic(&self) -> Critic {
        Critic::Ratio
    }

    fn value(&self, cosine: &Tensor) -> Tensor {
        let (scale, offset) = self.line();
        cosine * scale + offset
    }

    fn learned(&self) -> Vec<Learned> {
        let Learn { sigma, mu } = self.learn.unwrap_or_default();
        let rate = self.learn_lr.unwrap_or(0.1);
        let log_temperature = Learned {
            name: "log_temperature",
            initial: self.temperature().ln(),
            range: LOG_TEMPERATURE,
            rate,
            metric: "sigma",
            shown: |log_temperature| (log_temperature / 2.0).exp(),
        };
        let log_mu = Learned {
            name: "log_mu",
            initial: self.log_mu(),
            range: LOG_MU,
            rate,
            metric: "mu",
            shown: f64::exp,
        };
        let all = [(sigma, log_temperature), (mu, log_mu)].into_iter();
        all.filter_map(|(is_learned, scalar)| is_learned.then_some(scalar))
            .collect()
    }

    fn affine_at(&self, learned: &[Tensor]) -> Option<(Tensor, Tensor)> {
        let mut values = learned.iter();
        let Learn { sigma, mu } = self.learn?;
        let constant = |value: f64| Some(learned.first()?.detach().full_like(value));
        let scale = match sigma {
            true => values.next()?.neg().exp(),
            false => constant(self.temperature().recip())?,
        };
        let offset = match (mu, self.mu) {
            (true, _) => values.next()? - &scale,
            (false, Some(Mu::Number(mu))) => -&scale + mu.ln(),
            (false, _) => constant(0.0)?,
        };
        Some((scale, offset))
    }

    fn normaliser(&self) -> Normaliser {
        match self.mu {
            None | Some(Mu::Number(_)) => Normaliser::Off,
            Some(Mu::Uniform) => Normaliser::Uniform,
            Some(Mu::Batch) => Normaliser::Batch,
        }
    }

    fn sets_factor(&self) -> bool {
        self.mu.is_some() || self.learn.is_some_and(|learn| learn.mu)
    }

    fn normalising(&self) -> Option<(&'static str, &'static str)> {
        (!self.sets_factor()).then_some(("mu", "batch"))
    }

    fn flatter(&self) -> &'static str {
        match (self.mu, self.temperature) {
            (Some(Mu::Number(_)), Some(_)) => "a larger temperature, or a mu nearer to 1",
            (Some(Mu::Number(_)), None) => "a larger sigma, or a mu nearer to 1",
            (_, Some(_)) => "a larger temperature",
            (_, None) => "a larger sigma",
        }
    }

    fn affine(&self) -> Option<(f64, f64)> {
        Some(self.line())
    }
}

impl Gaussian {
    /// `sigma^2`.
    pub fn temperature(&self) -> f64 {
        let of_sigma = || self.sigma.map(|sigma| sigma.powi(2));
        self.temperature.or_else(of_sigma).unwrap_or(TEMPERATURE)
    }

    /// `log mu` of a `mu` that is a number or the default.
    fn log_mu(&self) -> f64 {
        match self.mu {
            Some(Mu::Number(mu)) => mu.ln(),
            _ => self.temperature().recip(),
        }
    }

    fn check_learned(&self) -> fmicl_core::Result<()> {
        let Learn { sigma, mu } = self.learn.unwrap_or_default();
        let is_tied = matches!(self.mu, Some(Mu::Uniform | Mu::Batch));
        require(!mu || !is_tied, "learn", || {
            "mu is computed from sigma here, so only sigma can be learned: write [\"sigma\"], or give a number as mu"
                .into()
        })?;
        let log_mu = self.log_mu();
        require(!mu || (LOG_MU.0..=LOG_MU.1).contains(&log_mu), "learn", || {
            format!("mu would begin at e^{log_mu:.0}, and is learned from e^-69 to e^69: give a mu in between")
        })?;
        let Some(rate) = self.learn_lr else { return Ok(()) };
        require(sigma || mu, "learn_lr", || {
            "has no effect, since nothing is learned; add learn = true".into()
        })?;
        require(rate > 0.0 && rate <= 1e3, "learn_lr", || {
            format!("{rate} is not above 0 and at most 1000")
        })
    }

    /// `1 / sigma^2`, and `log mu - 1 / sigma^2` where `mu` is a number.
    fn line(&self) -> (f64, f64) {
        let scale = self.temperature().recip();
        match self.mu {
            Some(Mu::Number(mu)) => (scale, mu.ln() - scale),
            _ => (scale, 0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obeys_the_similarity_laws() {
        for mu in [None, Some(Mu::Number(3.0)), Some(Mu::Uniform), Some(Mu::Batch)] {
            fmicl_core::testing::check_similarity(&Gaussian {
                mu,
                ..Gaussian::default()
            });
        }
    }

    #[test]
    fn mu_is_the_ratio_at_distance_0_and_by_default_orthogonal_features_have_ratio_1() {
        let log_u = |mu, cosine: f64| {
            let part = Gaussian {
                mu,
                ..Gaussian::default()
            };
            part.value(&Tensor::from(cosine)).double_value(&[])
        };
        assert!((log_u(Some(Mu::Number(3.0)), 1.0) - 3f64.ln()).abs() < 1e-12);
        assert!(log_u(None, 0.0).abs() < 1e-12);
        assert!((log_u(None, 1.0) - log_u(Some(Mu::Number(2f64.exp())), 1.0)).abs() < 1e-12);
    }

    #[test]
    fn the_temperature_is_the_square_of_sigma_and_only_one_of_them_is_given() {
        let [by_sigma, by_temperature] = ["sigma = 0.3", "temperature = 0.09"].map(toml::from_str::<Gaussian>);
        let scales = [by_sigma, by_temperature].map(|part| part.ok().and_then(|part| part.affine()).map(|line| line.0));
        let [a, b] = scales.map(|scale| scale.unwrap_or_default());
        assert!((a - b).abs() < 1e-9 && a > 11.0, "{a} and {b}");
        let both = Gaussian {
            sigma: Some(0.3),
            temperature: Some(0.09),
            ..Gaussian::default()
        };
        assert!(both.validate().is_err());
    }
}
