//! The option `learn`: which parameters of a similarity are learned.

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Parameters that are learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Learn {
    /// The width of the kernel.
    pub sigma: bool,
    /// The ratio at distance 0.
    pub mu: bool,
}

impl Serialize for Learn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names = serializer.serialize_seq(None)?;
        for (is_learned, name) in [(self.sigma, "sigma"), (self.mu, "mu")] {
            if is_learned {
                names.serialize_element(name)?;
            }
        }
        names.end()
    }
}

impl<'de> Deserialize<'de> for Learn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AllOrNames;
        impl<'de> Visitor<'de> for AllOrNames {
            type Value = Learn;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("true, false, or a list of \"sigma\" and \"mu\"")
            }

            fn visit_bool<E: Error>(self, all: bool) -> Result<Learn, E> {
                Ok(Learn { sigma: all, mu: all })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Learn, A::Error> {
                let mut learn = Learn::default();
                while let Some(name) = names.next_element::<String>()? {
                    match name.as_str() {
                        "sigma" => learn.sigma = true,
                        "mu" => learn.mu = true,
                        other => {
                            return Err(A::Error::custom(format_args!(
                                "`{other}` is neither \"sigma\" nor \"mu\""
                            )));
                        }
                    }
                }
                Ok(learn)
            }
        }
        deserializer.deserialize_any(AllOrNames)
    }
}

#[cfg(test)]
mod tests {
    use crate::similarities::Gaussian;

    fn read(options: &str) -> Result<Gaussian, String> {
        let part: Gaussian = toml::from_str(options).map_err(|error| error.message().to_string())?;
        fmicl_core::Similarity::validate(&part).map_err(|error| error.to_string())?;
        Ok(part)
    }

    #[test]
    fn true_is_both_and_names_are_those_and_both_come_back() {
        for (option, expected) in [
            ("true", vec!["sigma", "mu"]),
            ("false", vec![]),
            ("['mu']", vec!["mu"]),
            ("['mu', 'sigma']", vec!["sigma", "mu"]),
        ] {
            let part = read(&format!("learn = {option}")).unwrap();
            let again = read(&toml::to_string(&part).unwrap()).unwrap();
            for part in [part, again] {
                let learned = fmicl_core::Similarity::learned(&part);
                assert_eq!(learned.iter().map(|scalar| scalar.metric).collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn what_cannot_be_learned_is_a_line() {
        let fails = |options: &str| read(options).err().unwrap();
        assert_eq!(fails("learn = ['tau']"), "`tau` is neither \"sigma\" nor \"mu\"");
        let cosine = toml::from_str::<crate::similarities::Cosine>("learn = true")
            .err()
            .unwrap();
        assert_eq!(cosine.message(), "unknown field `learn`, expected `tau`");
        let tied = "learn: mu is computed from sigma here, so only sigma can be learned: write [\"sigma\"], or give a number \
                    as mu";
        for mu in ["batch", "uniform"] {
            assert_eq!(fails(&format!("learn = true\nmu = '{mu}'")), tied);
            read(&format!("learn = ['sigma']\nmu = '{mu}'")).unwrap();
        }
        assert_eq!(
            fails("learn = true\nsigma = 0.1"),
            "learn: mu would begin at e^100, and is learned from e^-69 to e^69: give a mu in between"
        );
        assert_eq!(
            fails("learn_lr = 0.1"),
            "learn_lr: has no effect, since nothing is learned; add learn = true"
        );
        assert_eq!(
            fails("learn = true\nlearn_lr = 0"),
            "learn_lr: 0 is not above 0 and at most 1000"
        );
    }
}
