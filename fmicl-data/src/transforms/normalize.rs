//! To floats, torchvision's `ToTensor` and `Normalize`.

use fmicl_core::{Result, require};
use serde::{Deserialize, Serialize, Serializer};
use tch::{Device, Kind, Tensor};

/// `(value / 255 - mean) / std` a channel: torchvision's `Normalize(mean, std)` after `ToTensor()`. The defaults are
/// CIFAR-10's; of other channels than 3, 0.5 and 0.5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Normalize {
    /// The mean of red, green and blue, or of each other channel, for values from 0 to 1.
    #[serde(serialize_with = "shortest")]
    pub mean: Vec<f32>,
    /// Their standard deviation, above 0.
    #[serde(serialize_with = "shortest")]
    pub std: Vec<f32>,
}

/// The shortest decimals that are read as the same f32; as f64 they would be written with all the digits of the conversion.
fn shortest<S: Serializer>(values: &[f32], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let shortest = |&value: &f32| value.to_string().parse().unwrap_or(f64::from(value));
    serializer.collect_seq(values.iter().map(shortest))
}

impl Default for Normalize {
    fn default() -> Self {
        Normalize {
            mean: vec![0.4914, 0.4822, 0.4465],
            std: vec![0.2470, 0.2435, 0.2616],
        }
    }
}

impl Normalize {
    /// The default for views of so many channels.
    pub fn of(channels: usize) -> Self {
        match channels {
            3 => Normalize::default(),
            _ => Normalize {
                mean: vec![0.5; channels],
                std: vec![0.5; channels],
            },
        }
    }

    /// The values from 0 to 255 that are normalised to `[N, channels, H, W]`, u8, on the CPU.
    pub fn undone(&self, normalized: &Tensor) -> Tensor {
        let of_channels = |values: &[f32]| Tensor::from_slice(values).view([1, -1, 1, 1]);
        let input = normalized.to_device(Device::Cpu).to_kind(Kind::Float);
        let values = (input * of_channels(&self.std) + of_channels(&self.mean)) * 255.0;
        values.round().clamp(0.0, 255.0).to_kind(Kind::Uint8)
    }

    /// Checks the ranges, and that there is a number for each of so many channels.
    ///
    /// # Errors
    /// [`fmicl_core::Error::Config`] at `mean` or `std`.
    pub fn validate(&self, channels: usize) -> Result<()> {
        for (key, values) in [("mean", &self.mean), ("std", &self.std)] {
            require(values.len() == channels, key, || {
                format!(
                    "{values:?} has {} values, and the views {channels} channel(s): one for each",
                    values.len()
                )
            })?;
        }
        require(self.mean.iter().all(|mean| mean.is_finite()), "mean", || {
            format!("{:?} is not finite", self.mean)
        })?;
        require(self.std.iter().all(|&std| std > 0.0 && std.is_finite()), "std", || {
            format!("{:?} is not above 0", self.std)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::Planes;

    #[test]
    fn it_is_written_with_the_digits_that_its_f32_needs() {
        let normalize = Normalize {
            mean: vec![0.286, 0.1, 1.0 / 3.0],
            ..Normalize::default()
        };
        let written = fmicl_core::toml::Table::try_from(&normalize).unwrap();
        assert_eq!(written["mean"].to_string(), "[0.286, 0.1, 0.33333334]");
        let read: Normalize = written.try_into().unwrap();
        assert_eq!(read, normalize);
    }

    #[test]
    fn equals_torchvision_to_the_bit() {
        let mut ramp = Planes::new(256, 1);
        let [red, green, blue] = ramp.split_mut();
        for value in 0..=255 {
            (
                red[usize::from(value)],
                green[255 - usize::from(value)],
                blue[usize::from(value)],
            ) = (value, value, value);
        }
        let mut found = vec![0.0; 768];
        Normalize::default().apply(&ramp, &mut found);
        let expected = include_bytes!("../../golden/normalized.f32");
        let input = Tensor::from_slice(&found).view([1, 3, 1, 256]);
        let undone = Vec::<u8>::try_from(Normalize::default().undone(&input).flatten(0, -1)).unwrap();
        assert_eq!(undone, ramp.data, "what is normalised comes back");
        let found: Vec<u8> = found.into_iter().flat_map(f32::to_le_bytes).collect();
        assert!(found == expected);
    }

    #[test]
    fn ranges_are_checked() {
        assert!(Normalize::default().validate(3).is_ok());
        let error = Normalize {
            std: vec![1.0, 0.0, 1.0],
            ..Normalize::default()
        }
        .validate(3)
        .unwrap_err();
        assert_eq!(error.to_string(), "std: [1.0, 0.0, 1.0] is not above 0");
        let error = Normalize::default().validate(1).unwrap_err().to_string();
        assert_eq!(
            error,
            "mean: [0.4914, 0.4822, 0.4465] has 3 values, and the views 1 channel(s): one for each"
        );
    }
}
