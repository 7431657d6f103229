//! Two coordinates for features: principal components, and t-SNE.
//!
//! Sources: van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 2008; it begins at the principal components, as Kobak and
//! Berens ("The art of using t-SNE for single-cell transcriptomics", Nature Communications 2019) advise, so that nothing is random.

use fmicl_core::normalize;
use fmicl_core::tch::{self, Kind, Tensor};

/// Neighbours that count, as the paper has them.
const PERPLEXITY: f64 = 30.0;
/// Steps in all, and of those at first, which pull more.
const STEPS: i64 = 500;
const EARLY: i64 = 150;
const EXAGGERATION: f64 = 12.0;
/// Components of the features that t-SNE sees.
const COMPONENTS: i64 = 50;
/// Halvings of the range in which the width of a point's neighbourhood is looked for.
const HALVINGS: usize = 40;

/// Coordinates `[N, k]`, f64, of features `[N, d]` along the directions of unit-length features that vary most, at most `count` of
/// them. The sign of a direction is that of its largest part.
pub fn components(features: &Tensor, count: i64) -> Tensor {
    let _no_grad = tch::no_grad_guard();
    let rows = normalize(&features.to_kind(Kind::Double));
    let rows = &rows - rows.mean_dim([0i64].as_slice(), true, Kind::Double);
    let [samples, width] = [rows.size()[0], rows.size()[1]];
    let count = count.min(width).min(samples);
    // The smaller of both squares has the same eigenvalues, but for zeros.
    let directions = match width <= samples {
        true => rows
            .tr()
            .matmul(&rows)
            .linalg_eigh("L")
            .1
            .narrow(1, width - count, count),
        false => {
            let vectors = rows.matmul(&rows.tr()).linalg_eigh("L").1;
            let own = rows.tr().matmul(&vectors.narrow(1, samples - count, count));
            let lengths = own
                .square()
                .sum_dim_intlist([0i64].as_slice(), true, Kind::Double)
                .sqrt();
            own / lengths.clamp_min(1e-12)
        }
    };
    let directions = directions.flip([1]);
    let largest = directions.abs().argmax(0, true);
    let signs = directions.gather(0, &largest, false).sgn();
    rows.matmul(&(directions * signs))
}

/// Coordinates `[N, 2]` by t-SNE, f64, of features `[N, d]`; memory and time grow with the square of N. The same each time.
pub fn tsne(features: &Tensor) -> Tensor {
    let _no_grad = tch::no_grad_guard();
    let components = self::components(features, COMPONENTS);
    let count = components.size()[0];
    let joint = joint(&components.to_kind(Kind::Float));
    let first = components.narrow(1, 0, 2.min(components.size()[1]));
    let first = match first.size()[1] {
        2 => first,
        _ => Tensor::cat(&[&first, &first.zeros_like()], 1),
    };
    let spread = first.narrow(1, 0, 1).std(false).clamp_min(1e-12);
    let mut places = (first / spread * 1e-4).to_kind(Kind::Float);
    let (mut speed, mut gains) = (places.zeros_like(), places.ones_like());
    let rate = (count as f64 / EXAGGERATION / 4.0).max(50.0);
    let pulls = [(&joint * EXAGGERATION, 0.5), (joint, 0.8)];
    for step in 0..STEPS {
        let (joint, momentum) = &pulls[usize::from(step >= EARLY)];
        // Of Student's distribution of one degree of freedom; in place, for the time goes into memory.
        let mut near = squares(&places);
        let _ = near.g_add_scalar_(1.0).reciprocal_().fill_diagonal_(0.0, false);
        let mut weights = &near / -near.sum(Kind::Float);
        let _ = weights.g_add_(joint).g_mul_(&near);
        let sums = weights.sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
        let gradient = (sums * &places - weights.matmul(&places)) * 4.0;
        // Jacobs' gains, as in the authors' program.
        let turns = gradient.sgn().ne_tensor(&speed.sgn());
        gains = (&gains + 0.2).where_self(&turns, &(&gains * 0.8)).clamp_min(0.01);
        speed = speed * *momentum - &gains * gradient * rate;
        places = &places + &speed;
        places = &places - places.mean_dim([0i64].as_slice(), true, Kind::Float);
    }
    places.to_kind(Kind::Double)
}

/// Squared distances `[N, N]` of rows, at least 0.
fn squares(rows: &Tensor) -> Tensor {
    let lengths = rows.square().sum_dim_intlist([1i64].as_slice(), true, None::<Kind>);
    let mut products = rows.matmul(&rows.tr());
    let _ = products.g_mul_scalar_(-2.0).g_add_(&lengths).g_add_(&lengths.tr());
    products.clamp_min_(0.0)
}

/// Symmetric probabilities of pairs `[N, N]`, whose neighbourhoods all have the perplexity.
fn joint(rows: &Tensor) -> Tensor {
    let count = rows.size()[0];
    let mut distances = squares(rows);
    let _ = distances.fill_diagonal_(f64::INFINITY, false);
    // The nearest neighbour's weight is 1: none of the others is too small.
    let distances = &distances - distances.amin([1i64].as_slice(), true);
    let target = PERPLEXITY.min((count - 1) as f64 / 3.0).max(1.0).ln();
    let finite = distances.nan_to_num(0.0, 0.0, 0.0);
    let typical = finite.mean(Kind::Double).double_value(&[]).max(1e-12);
    let mut low = Tensor::full([count, 1], -15.0 - typical.ln(), (Kind::Float, rows.device()));
    let mut high = &low + 30.0;
    for _ in 0..HALVINGS {
        let middle = (&low + &high) / 2.0;
        let (weights, sums) = weights(&distances, &middle);
        let mean = (&weights * &finite).sum_dim_intlist([1i64].as_slice(), true, Kind::Float) / &sums;
        let entropy = sums.log() + middle.exp() * mean;
        let wide = entropy.gt(target);
        low = middle.where_self(&wide, &low);
        high = high.where_self(&wide, &middle);
    }
    let (weights, sums) = weights(&distances, &high);
    let shares = weights / sums;
    ((&shares + shares.tr()) / (2.0 * count as f64)).clamp_min(1e-12)
}

/// Weights of neighbours, by the log of the inverse width of each row, and their sums.
fn weights(distances: &Tensor, log_inverse: &Tensor) -> (Tensor, Tensor) {
    let weights = (distances * log_inverse.exp() * -1.0).exp();
    let sums = weights.sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
    (weights, sums.clamp_min(1e-30))
}

/// Columns of coordinates `[N, 2]` as whole numbers from 0 to 4095.
pub fn whole(places: &Tensor) -> [Vec<u16>; 2] {
    let column = |index| {
        let values = Vec::<f64>::try_from(places.select(1, index).to_kind(Kind::Double)).unwrap_or_default();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let width = (high - low).max(1e-300);
        values
            .iter()
            .map(|value| ((value - low) / width * 4095.0).round() as u16)
            .collect()
    };
    match places.size()[1] {
        0 => [Vec::new(), Vec::new()],
        1 => [column(0), vec![2048; places.size()[0] as usize]],
        _ => [column(0), column(1)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::Rng;

    /// Three clouds around different directions, 40 of each.
    fn clouds(width: usize) -> Tensor {
        let mut rng = Rng::new(&[3]);
        let row = |index: usize, rng: &mut Rng| -> Vec<f32> {
            let value =
                |at: usize, rng: &mut Rng| rng.uniform(-0.2, 0.2) as f32 + if at == index % 3 { 3.0 } else { 0.0 };
            (0..width).map(|at| value(at, rng)).collect()
        };
        let rows: Vec<f32> = (0..120).flat_map(|index| row(index, &mut rng)).collect();
        Tensor::from_slice(&rows).view([120, width as i64])
    }

    /// Share of the points whose nearest point is of the same cloud.
    fn kept(places: &Tensor) -> f64 {
        let mut distances = squares(&places.to_kind(Kind::Float));
        let _ = distances.fill_diagonal_(f64::INFINITY, false);
        let nearest = Vec::<i64>::try_from(distances.argmin(1, false)).unwrap();
        let same = nearest
            .iter()
            .enumerate()
            .filter(|(index, other)| index % 3 == **other as usize % 3);
        same.count() as f64 / 120.0
    }

    #[test]
    fn the_components_are_those_of_the_other_square_and_vary_less_and_less() {
        let wide = components(&clouds(200), 4);
        let variances = Vec::<f64>::try_from(wide.var_dim([0i64].as_slice(), true, false)).unwrap();
        assert!(variances.windows(2).all(|two| two[0] >= two[1]), "{variances:?}");
        // Columns of zeros beside change nothing, but which square is the smaller one.
        let rows = clouds(30);
        let padded = Tensor::cat(&[&rows, &Tensor::zeros([120, 170], (Kind::Float, rows.device()))], 1);
        let off = (components(&rows, 3) - components(&padded, 3))
            .abs()
            .max()
            .double_value(&[]);
        assert!(off < 1e-9, "{off}");
        assert_eq!(kept(&components(&rows, 2)), 1.0);
    }

    #[test]
    fn neighbours_stay_neighbours_and_every_time_the_same() {
        let rows = clouds(30);
        let places = tsne(&rows);
        assert_eq!(places.size(), [120, 2]);
        assert_eq!(kept(&places), 1.0);
        assert_eq!(places, tsne(&rows));
        // Clouds are apart: t-SNE spreads them further than its beginning.
        assert!(places.std(false).double_value(&[]) > 1.0);
    }

    #[test]
    fn few_or_equal_points_have_finite_places() {
        for rows in [
            clouds(30).narrow(0, 0, 2),
            clouds(1).narrow(0, 0, 5),
            Tensor::ones([7, 3], (Kind::Float, tch::Device::Cpu)),
        ] {
            for places in [tsne(&rows), components(&rows, 2)] {
                assert!(places.isfinite().all().int64_value(&[]) == 1, "{places:?}");
                whole(&places);
            }
        }
    }
}
