//! An axis of a chart: its ends and its ticks.

/// Ends of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// The least value.
    pub low: f64,
    /// The largest one.
    pub high: f64,
}

impl Axis {
    /// The axis of finite values, from 0 to 1 without any; of one value alone, around it.
    pub fn of(values: impl Iterator<Item = f64>, margin: f64) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            return Axis { low: 0.0, high: 1.0 };
        }
        let width = high - low;
        let least = 1e-9 * low.abs().max(high.abs());
        let margin = match width > least {
            true => width * margin,
            false => (low.abs() * 0.1).max(1e-12),
        };
        // Numbers near the largest float have no margin.
        match (low - margin).is_finite() && (high + margin).is_finite() && width.is_finite() {
            true => Axis {
                low: low - margin,
                high: high + margin,
            },
            false => Axis {
                low: f64::MIN / 4.0,
                high: f64::MAX / 4.0,
            },
        }
    }

    /// The place of a value, from 0 to 1, and a little beyond the ends.
    pub fn share(self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(-1.0, 2.0)
    }

    /// About five round numbers.
    pub fn ticks(self) -> Vec<f64> {
        let raw = (self.high - self.low) / 5.0;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .find(|step| step * power >= raw * 0.999);
        let step = step.unwrap_or(10.0) * power;
        if !(step.is_finite() && step > 0.0) {
            return vec![self.low, self.high];
        }
        let first = (self.low / step).ceil() as i64;
        let ticks = (first..first.saturating_add(12)).map(|tick| tick as f64 * step);
        ticks
            .take_while(|tick| *tick <= self.high * (1.0 + 1e-12) + 1e-300)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_axis() {
        let ticks = |low, high| Axis { low, high }.ticks();
        assert_eq!(ticks(0.0, 10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(-1.3, 0.2), [-1.0, -0.5, 0.0]);
        assert_eq!(Axis::of([5.0].into_iter(), 0.05), Axis { low: 4.5, high: 5.5 });
        assert_eq!(Axis::of([].into_iter(), 0.05), Axis { low: 0.0, high: 1.0 });
    }
}
