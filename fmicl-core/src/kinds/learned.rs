//! Scalars that an objective learns beside the network, as CLIP learns its temperature.

/// A scalar that an objective learns: a variable of its own, which has no weight decay.
#[derive(Debug, Clone)]
pub struct Learned {
    /// Name of the variable; in a checkpoint it is below `objective.`.
    pub name: &'static str,
    /// Its value before training.
    pub initial: f64,
    /// Least and largest value; a step that leads beyond ends there.
    pub range: (f64, f64),
    /// Its learning rate, as a multiple of `train.lr`.
    pub rate: f64,
    /// Name of the metric that shows it.
    pub metric: &'static str,
    /// The metric at a value of the variable.
    pub shown: fn(f64) -> f64,
}

impl Learned {
    /// Narrows the ranges to a box around the initial values in which `fits` holds at every corner: all sides are moved
    /// out by the same share of their range, as far as it fits, then each alone.
    pub fn narrow(all: &mut [Learned], fits: impl Fn(&[f64]) -> bool) {
        let count = all.len();
        let at = |learned: &Learned, [low, high]: [f64; 2]| {
            let Learned { initial, range, .. } = learned;
            [
                initial + low * (range.0 - initial),
                initial + high * (range.1 - initial),
            ]
        };
        let holds = |shares: &[[f64; 2]]| {
            let sides: Vec<_> = all
                .iter()
                .zip(shares)
                .map(|(learned, shares)| at(learned, *shares))
                .collect();
            (0..1_usize << count).all(|corner| {
                let values: Vec<_> = sides
                    .iter()
                    .enumerate()
                    .map(|(index, side)| side[corner >> index & 1])
                    .collect();
                fits(&values)
            })
        };
        let share = largest(0.0, |share| holds(&vec![[share; 2]; count]));
        let mut shares = vec![[share; 2]; count];
        for (index, side) in (0..count).flat_map(|index| [(index, 0), (index, 1)]) {
            shares[index][side] = largest(share, |share| {
                let mut tried = shares.clone();
                tried[index][side] = share;
                holds(&tried)
            });
        }
        for (learned, shares) in all.iter_mut().zip(shares) {
            let [low, high] = at(learned, shares);
            learned.range = (low, high);
        }
    }
}

/// The largest share up to 1 that fits, from one that does, by halving.
fn largest(mut share: f64, fits: impl Fn(f64) -> bool) -> f64 {
    const HALVINGS: usize = 16;
    if fits(1.0) {
        return 1.0;
    }
    let mut beyond = 1.0;
    for _ in 0..HALVINGS {
        let middle = (share + beyond) / 2.0;
        match fits(middle) {
            true => share = middle,
            false => beyond = middle,
        }
    }
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(initial: f64, range: (f64, f64)) -> Learned {
        Learned {
            name: "x",
            initial,
            range,
            rate: 1.0,
            metric: "x",
            shown: |x| x,
        }
    }

    #[test]
    fn ranges_are_narrowed_to_a_box_that_fits_at_every_corner() {
        let mut alone = [learned(1.0, (-10.0, 10.0))];
        Learned::narrow(&mut alone, |x| x[0] <= 4.0);
        let (low, high) = alone[0].range;
        assert!(low == -10.0 && (3.999..=4.0).contains(&high), "{low} to {high}");

        let mut both = [learned(0.0, (-10.0, 10.0)), learned(0.0, (-10.0, 10.0))];
        Learned::narrow(&mut both, |x| x[0] + x[1] <= 6.0);
        let [a, b] = both.map(|learned| learned.range);
        assert!(a.0 == -10.0 && b.0 == -10.0 && a.1 + b.1 <= 6.0, "{a:?}, {b:?}");
        assert!(a.1 > 2.9 && b.1 > 2.9, "{a:?}, {b:?}");
    }
}
