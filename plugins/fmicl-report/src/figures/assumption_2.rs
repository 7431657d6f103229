//! Figure `assumption-2`: whether the density ratio of pairs is a Gaussian of their distance.
//!
//! Assumption 2 says that the joint density of the features of a positive pair is `mu exp(-|x - y|^2 / (2 sigma^2))` times
//! the product of the marginals. Then the log of the ratio of the densities of positive and of negative pairs falls linearly
//! in the squared distance, with slope `-1 / (2 sigma^2)`.
//!
//! Source: Lu et al., TMLR 2023, arXiv 2402.10150, assumption 2 and its figure, where a RealNVP estimates the density; here
//! the densities are histograms.

use super::figure::{Figure, Table, field};
use super::fit::{Line, Point, with_error};
use super::histograms::{Bin, histograms};
use super::pairs::{Distances, Pairs};
use super::plot;
use fmicl_core::{Error, Part, Result, Similarity};
use fmicl_runner::config::Experiment;
use fmicl_runner::plot::plotters::prelude::*;
use fmicl_runner::run::LearnedScalars;

/// Stem of the figure's files.
pub const NAME: &str = "assumption-2";

/// Columns of the table; those from `slope` on are the fit's, the same in each row.
const HEAD: [&str; 14] = [
    "from",
    "to",
    "positive_pairs",
    "negative_pairs",
    "log_ratio",
    "standard_error",
    "fitted",
    "line",
    "slope",
    "slope_error",
    "sigma",
    "sigma_error",
    "r_squared",
    "objective_sigma",
];

/// Histograms and the line through the log of their ratio.
#[derive(Debug)]
struct Ratio {
    bins: Vec<Bin>,
    line: Line,
}

impl Ratio {
    /// # Errors
    /// Too few distances that both kinds of pairs have.
    fn of(distances: &Distances) -> Result<Self> {
        let Distances { positives, negatives } = distances;
        if positives.iter().all(|&distance| distance == 0.0) {
            return Err(Error::Run(
                "every positive pair has distance 0: the two views of a sample give the same projection".into(),
            ));
        }
        let bins = histograms(positives, negatives);
        let fitted: Vec<Point> = bins
            .iter()
            .filter(|bin| bin.is_fitted())
            .filter_map(|bin| bin.log_ratio)
            .collect();
        let line = Line::fit(&fitted).ok_or_else(|| {
            Error::Run(format!(
                "{} positive and {} negative pairs have too few distances in common to fit a line: {} of {} bins have 5 of \
                 each, and 3 are needed; take more with --samples, or another checkpoint",
                positives.len(),
                negatives.len(),
                fitted.len(),
                bins.len()
            ))
        })?;
        Ok(Ratio { bins, line })
    }

    fn fitted(&self) -> usize {
        self.bins.iter().filter(|bin| bin.is_fitted()).count()
    }

    /// The fit, with the digits that it is known to.
    fn summary(&self, used: Option<f64>) -> String {
        let Line {
            slope,
            slope_error,
            r_squared,
            ..
        } = self.line;
        let sigma = match self.line.sigma() {
            Some((sigma, error)) => format!("sigma {}", with_error(sigma, error)),
            None => "no sigma, since the line does not fall".into(),
        };
        let used = used.map_or(String::new(), |used| format!(", the objective's {used}"));
        format!(
            "{sigma}{used}; slope {}, R^2 {r_squared:.3} over {} bins",
            with_error(slope, slope_error),
            self.fitted()
        )
    }

    fn table(&self, used: Option<f64>) -> Table {
        let (sigma, error) = self.line.sigma().unwrap_or((f64::NAN, f64::NAN));
        let line = &self.line;
        let fit = [
            line.slope,
            line.slope_error,
            sigma,
            error,
            line.r_squared,
            used.unwrap_or(f64::NAN),
        ];
        let row = |bin: &Bin| -> Vec<String> {
            let of = |value: fn(&Point) -> f64| {
                bin.log_ratio
                    .as_ref()
                    .map_or(String::new(), |point| field(value(point)))
            };
            let own = [
                field(bin.range.start),
                field(bin.range.end),
                bin.positives.to_string(),
                bin.negatives.to_string(),
                of(|point| point.y),
                of(|point| point.error),
                bin.is_fitted().to_string(),
                field(line.at(bin.middle())),
            ];
            own.into_iter().chain(fit.map(field)).collect()
        };
        Table {
            head: HEAD.map(String::from).to_vec(),
            rows: self.bins.iter().map(row).collect(),
        }
    }

    fn svg(&self, title: &str) -> Result<String> {
        let points = || self.bins.iter().filter_map(|bin| Some((bin, bin.log_ratio?)));
        let ends = points().flat_map(|(_, point)| [point.y - point.error, point.y + point.error]);
        let y_range = plot::range(ends);
        let x_range = plot::range(self.bins.iter().flat_map(|bin| [bin.range.start, bin.range.end]));
        plot::svg(plot::SIZE, |area| {
            let names = ["squared distance", "log density ratio, positive to negative pairs"];
            let mut chart = plot::chart(area, title, names, [x_range.clone(), y_range])?;
            for (bin, Point { x, y, error }) in points() {
                let colour = if bin.is_fitted() {
                    BLUE.to_rgba()
                } else {
                    BLACK.mix(0.35)
                };
                let bar = [(x, y - error), (x, y + error)];
                chart.draw_series([PathElement::new(bar, colour.stroke_width(1))])?;
                chart.draw_series([Circle::new((x, y), 3, colour.filled())])?;
            }
            let ends = [x_range.start, x_range.end].map(|x| (x, self.line.at(x)));
            chart.draw_series(LineSeries::new(ends, RED.stroke_width(2)))?;
            Ok(())
        })
    }
}

/// The figure, and the fit in one line.
///
/// # Errors
/// Too few distances that both kinds of pairs have.
pub fn figure(pairs: &Pairs, experiment: &Experiment, learned: &LearnedScalars) -> Result<(Figure, String)> {
    let ratio = Ratio::of(&pairs.all)?;
    let used = sigma_of(experiment, learned)?;
    let summary = ratio.summary(used);
    let Distances { positives, negatives } = &pairs.all;
    let shows = format!(
        "log density ratio of {} positive and {} negative pairs{}",
        positives.len(),
        negatives.len(),
        pairs.how
    );
    let figure = Figure {
        name: NAME,
        svg: ratio.svg(&summary)?,
        table: ratio.table(used),
        shows,
    };
    Ok((figure, summary))
}

/// The sigma of the objective's similarity, where that is `gaussian`, as it is or as it was learned.
fn sigma_of(experiment: &Experiment, learned: &LearnedScalars) -> Result<Option<f64>> {
    if let Some((_, sigma)) = learned.metrics().into_iter().find(|(name, _)| *name == "sigma") {
        return Ok(Some(sigma));
    }
    let table = experiment.to_table()?;
    let Some(similarity) = table.get("objective").and_then(|objective| objective.get("similarity")) else {
        return Ok(None);
    };
    let similarity = Part::<dyn Similarity>::from_value(similarity.clone())?;
    // log u = c / sigma^2 + const.
    let scale = similarity.affine().filter(|_| similarity.name() == "gaussian");
    Ok(scale.map(|(scale, _)| scale.sqrt().recip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::Rng;

    /// Negative pairs of any squared distance up to 4, and positive ones with a density of `exp(-d / (2 sigma^2))` times theirs.
    fn made(sigma: f64, count: usize) -> Distances {
        let mut rng = Rng::new(&[7]);
        let rate = 0.5 / sigma.powi(2);
        let inverse = |u: f64| -(1.0 - u * (1.0 - (-4.0 * rate).exp())).ln() / rate;
        Distances {
            positives: (0..count).map(|_| inverse(rng.uniform(0.0, 1.0))).collect(),
            negatives: (0..10 * count).map(|_| rng.uniform(0.0, 4.0)).collect(),
        }
    }

    #[test]
    fn the_sigma_of_made_pairs_is_found_within_its_error() {
        for sigma in [0.5, 0.7, 1.5] {
            let ratio = Ratio::of(&made(sigma, 20_000)).unwrap();
            let (found, error) = ratio.line.sigma().unwrap();
            assert!((found - sigma).abs() < 3.0 * error, "{found} +- {error} for {sigma}");
            assert!(error < 0.02 * sigma, "{error} for {sigma}");
            assert!(ratio.line.r_squared > 0.95, "{:?}", ratio.line);
        }
    }

    #[test]
    fn more_pairs_are_more_precise() {
        let error = |count| Ratio::of(&made(0.7, count)).unwrap().line.sigma().unwrap().1;
        let (few, many) = (error(400), error(40_000));
        assert!(few > 5.0 * many, "{few} and {many}");
    }

    #[test]
    fn the_summary_and_the_table_have_the_same_fit() {
        let ratio = Ratio::of(&made(0.7, 5_000)).unwrap();
        let summary = ratio.summary(Some(0.5));
        assert!(
            summary.starts_with("sigma 0.699") && summary.contains(" +- 0.00"),
            "{summary}"
        );
        assert!(summary.contains(", the objective's 0.5; slope -1.0"), "{summary}");
        let table = ratio.table(None);
        assert_eq!(table.rows.len(), ratio.bins.len());
        let column = |name: &str| table.head.iter().position(|head| head == name).unwrap();
        for row in &table.rows {
            assert_eq!(row.len(), table.head.len());
            assert_eq!(row[column("sigma")], ratio.line.sigma().unwrap().0.to_string());
            assert_eq!(row[column("objective_sigma")], "");
        }
    }

    #[test]
    fn pairs_that_no_line_can_be_fitted_to_are_one_clear_line() {
        let refused = |positives: &[f64], negatives: &[f64]| {
            let (positives, negatives) = (positives.to_vec(), negatives.to_vec());
            Ratio::of(&Distances { positives, negatives }).unwrap_err().to_string()
        };
        let same = refused(&[0.0; 8], &[1.0; 8]);
        assert!(same.starts_with("every positive pair has distance 0"), "{same}");
        let apart = refused(&[0.1, 0.2], &[1.0, 2.0]);
        assert!(
            apart.starts_with(
                "2 positive and 2 negative pairs have too few distances in common to fit a line: 0 of 0 bins"
            ),
            "{apart}"
        );
    }
}
