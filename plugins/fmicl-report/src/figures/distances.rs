//! Figure `distances`: the sorted squared distances of the pairs of a batch.
//!
//! Source: Lu et al., TMLR 2023, arXiv 2402.10150, the figure on Uniformity: negative pairs are nearly equally far apart.

use super::figure::{Figure, Table, field};
use super::pairs::{Distances, Pairs};
use super::plot;
use fmicl_core::Result;
use fmicl_runner::plot::plotters::prelude::*;

/// Stem of the figure's files.
pub const NAME: &str = "distances";

/// Points of a curve, at most: a batch of 512 has 130,816 negative pairs.
const POINTS: usize = 501;

/// Distances of one encoder and one kind of pair, in ascending order.
struct Curve<'a> {
    encoder: &'a str,
    pairs: &'static str,
    sorted: Vec<f64>,
    colour: RGBColor,
}

impl Curve<'_> {
    /// Ranks, counted from 1 and evenly spread from the first to the last, and the distances there.
    fn points(&self) -> impl Iterator<Item = (usize, f64)> {
        let last = self.sorted.len() - 1;
        let steps = last.min(POINTS - 1);
        let ranks = (0..=steps).map(move |step| (step * last + steps / 2).checked_div(steps).unwrap_or(0));
        ranks.map(|rank| (rank + 1, self.sorted[rank]))
    }

    /// Share of the pairs that are no further apart than the one of a rank.
    fn share(&self, rank: usize) -> f64 {
        rank as f64 / self.sorted.len() as f64
    }
}

/// The figure, of the first of the batches.
///
/// # Errors
/// A plot that cannot be drawn.
pub fn figure(pairs: &Pairs) -> Result<Figure> {
    let curves = curves(pairs);
    let rows = curves.iter().flat_map(|curve| {
        let row = |(rank, distance): (usize, f64)| {
            let [encoder, pairs] = [curve.encoder, curve.pairs].map(String::from);
            let (rank, of) = (rank.to_string(), curve.sorted.len().to_string());
            vec![encoder, pairs, rank, of, field(distance)]
        };
        curve.points().map(row)
    });
    let shows = format!(
        "sorted squared distances of {} positive and {} negative pairs of a batch{}",
        pairs.trained.positives.len(),
        pairs.trained.negatives.len(),
        pairs.how
    );
    Ok(Figure {
        name: NAME,
        svg: svg(&curves)?,
        table: Table {
            head: ["encoder", "pairs", "rank", "of", "squared_distance"]
                .map(String::from)
                .to_vec(),
            rows: rows.collect(),
        },
        shows,
    })
}

fn curves(pairs: &Pairs) -> Vec<Curve<'_>> {
    let of = |encoder, Distances { positives, negatives }: &Distances, colours: [RGBColor; 2]| {
        let [near, far] = colours;
        [("positive", positives, near), ("negative", negatives, far)].map(|(pairs, distances, colour)| {
            let mut sorted = distances.clone();
            sorted.sort_by(f64::total_cmp);
            Curve {
                encoder,
                pairs,
                sorted,
                colour,
            }
        })
    };
    let trained = of(fmicl_runner::eval::TRAINED, &pairs.trained, [BLUE, RED]);
    let before = of(
        pairs.before,
        &pairs.untrained,
        [RGBColor(150, 180, 255), RGBColor(255, 170, 150)],
    );
    let curves = trained.into_iter().chain(before);
    // A batch has at least two samples, of which some may not be read.
    curves.filter(|curve| !curve.sorted.is_empty()).collect()
}

fn svg(curves: &[Curve]) -> Result<String> {
    let largest = curves.iter().filter_map(|curve| curve.sorted.last().copied());
    let range = plot::range(largest.chain([0.0]));
    plot::svg(plot::SIZE, |area| {
        let names = ["share of the pairs, the nearest first", "squared distance"];
        let mut chart = plot::chart(area, "Distances of the pairs of a batch", names, [0.0..1.0, range])?;
        for curve in curves {
            let label = format!("{} pairs, {}", curve.pairs, curve.encoder);
            let points = curve.points().map(|(rank, distance)| (curve.share(rank), distance));
            plot::line(&mut chart, &label, curve.colour, points)?;
        }
        plot::legend(&mut chart, SeriesLabelPosition::UpperLeft)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::made;

    fn curve(count: usize) -> Curve<'static> {
        Curve {
            encoder: "trained encoder",
            pairs: "negative",
            sorted: (0..count).map(|rank| rank as f64 / 10.0).collect(),
            colour: RED,
        }
    }

    #[test]
    fn a_curve_goes_from_the_nearest_pair_to_the_farthest_in_few_points() {
        for count in [1, 2, 3, 500, 501, 502, 130_816] {
            let curve = curve(count);
            let points: Vec<_> = curve.points().collect();
            assert_eq!(points.len(), count.min(POINTS));
            assert_eq!(points[0], (1, 0.0));
            assert_eq!(*points.last().unwrap(), (count, (count - 1) as f64 / 10.0));
            assert!(
                points.windows(2).all(|two| two[0].0 < two[1].0),
                "{count}: a rank twice"
            );
            assert!(
                points
                    .iter()
                    .all(|(rank, distance)| *distance == (rank - 1) as f64 / 10.0)
            );
        }
    }

    #[test]
    fn the_table_has_every_encoder_and_kind_of_pair_in_ascending_order() {
        let figure = figure(&made::pairs()).unwrap();
        let rows: Vec<_> = figure.table.rows.iter().map(|row| row.join(",")).collect();
        let expected = [
            "trained encoder,positive,1,2,0.1",
            "trained encoder,positive,2,2,0.3",
            "trained encoder,negative,1,1,2",
            "untrained encoder,positive,1,2,0.05",
            "untrained encoder,positive,2,2,0.15",
            "untrained encoder,negative,1,1,1",
        ];
        assert_eq!(rows, expected);
        assert!(figure.svg.contains("negative pairs, untrained encoder"));
    }
}
