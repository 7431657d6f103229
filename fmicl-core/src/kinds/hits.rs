//! Hits: the test samples that a metric counts.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tch::{Kind, Tensor};

/// Hits of a metric: for each test sample, in order, whether the metric counts it. In JSON, a string of `0` and `1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits(pub Vec<bool>);

impl Hits {
    /// Of `right`, 0 or 1 of each sample `[N]`.
    pub fn of(right: &Tensor) -> Self {
        let right = right.to_kind(Kind::Uint8).to_device(tch::Device::Cpu).contiguous();
        let mut bytes = vec![0u8; right.numel()];
        right.copy_data(&mut bytes, right.numel());
        Hits(bytes.into_iter().map(|byte| byte != 0).collect())
    }
}

impl Serialize for Hits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|&hit| if hit { '1' } else { '0' }).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Hits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hit = |character| match character {
            '0' => Ok(false),
            '1' => Ok(true),
            other => Err(de::Error::custom(format!(
                "`{other}` among its hits is neither 0 nor 1"
            ))),
        };
        Ok(Hits(text.chars().map(hit).collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_written_a_character_each_and_read_again() {
        let hits = Hits::of(&Tensor::from_slice(&[1i64, 0, 0, 1, 1]));
        let text = serde_json::to_string(&hits).unwrap();
        assert_eq!(text, "\"10011\"");
        assert_eq!(serde_json::from_str::<Hits>(&text).unwrap(), hits);
        let error = serde_json::from_str::<Hits>("\"102\"").unwrap_err().to_string();
        assert!(error.starts_with("`2` among its hits is neither 0 nor 1"), "{error}");
    }
}
