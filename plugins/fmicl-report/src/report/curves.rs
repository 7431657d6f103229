//! The curves of training, those of several runs on common axes.

use super::chart::{Chart, Form, Line};
use super::html;
use super::run::RunFiles;
use fmicl_runner::run::{History, Point};

/// Points of all curves together, and the fewest and most of one: what keeps the page small.
const POINTS: usize = 70_000;
const OF_A_LINE: [usize; 2] = [24, 600];

/// Headings of the numbers that every run has, in the order of the page.
const TITLES: [(&str, &str, &str); 16] = [
    ("loss", "Loss", "mean of each epoch"),
    (
        "f_mi",
        "f-mutual information",
        "the objective's estimate, in nats at alpha = 1",
    ),
    (
        "balance",
        "Balance",
        "pull on all cosines together: 0 where attraction and repulsion cancel",
    ),
    (
        "projections/alignment",
        "Alignment",
        "mean squared distance of positive pairs",
    ),
    (
        "projections/uniformity",
        "Uniformity",
        "log mean exp(−2 d²) over pairs; less is more uniform",
    ),
    (
        "projections/effective_rank",
        "Effective rank",
        "of the last batch's projections",
    ),
    (
        "projections/mean_cosine",
        "Mean cosine",
        "of the projections of different samples",
    ),
    (
        "projections/dimensions",
        "Dimensions",
        "the most that the effective rank can be",
    ),
    (
        "grad_norm",
        "Gradient norm",
        "of each epoch's last step, before clipping",
    ),
    ("lr", "Learning rate", "at each epoch's last step"),
    ("images_per_second", "Samples per second", "training samples, not views"),
    ("waiting", "Waiting for data", "share of the time"),
    ("communicating", "Communicating", "share of the time"),
    ("skipped_steps", "Skipped steps", "not finite, so far"),
    ("skipped_samples", "Skipped samples", "that could not be read"),
    ("sigma", "Learned sigma", ""),
];
/// Those of steps.
const OF_STEPS: [(&str, &str, &str); 3] = [
    ("loss", "Loss of single steps", ""),
    ("grad_norm", "Gradient norm of single steps", "before clipping"),
    ("lr", "Learning rate of single steps", ""),
];

/// A run's curves: its colour, and what it is called in the legend.
pub struct Curves<'a> {
    /// The run.
    pub run: &'a RunFiles,
    /// Number of its colour.
    pub colour: usize,
}

/// The charts of runs, and what needs none.
#[derive(Debug, Default)]
pub struct Charts {
    /// The charts, first those over epochs.
    pub charts: Vec<Chart>,
    /// Names of the numbers that never change, with their values.
    pub constant: Vec<String>,
}

/// The file of a run's curves, and the place of a point on the abscissa.
type Of = (fn(&RunFiles) -> &History, fn(&Point) -> u64);

/// The charts of runs.
pub fn charts(runs: &[Curves]) -> Charts {
    let mut all = Charts::default();
    let of_epochs: Of = (|run| &run.epochs, |point| point.epoch);
    let of_steps: Of = (|run| &run.steps, |point| point.step);
    for (x, titles, (of, at)) in [("epoch", &TITLES[..], of_epochs), ("step", &OF_STEPS[..], of_steps)] {
        let mut names: Vec<&str> = runs.iter().flat_map(|it| of(it.run).names()).collect();
        names.sort();
        names.dedup();
        names.sort_by_key(|name| rank(name, titles));
        for name in names {
            let known = titles.iter().find(|(known, ..)| *known == name);
            let line = |it: &Curves| {
                let points = of(it.run).curve(name).iter();
                let points: Vec<_> = points.map(|point| [at(point) as f64, point.value]).collect();
                (!points.is_empty()).then(|| Line {
                    name: it.run.name.clone(),
                    colour: it.colour,
                    points,
                    form: Form::Line,
                })
            };
            let lines: Vec<Line> = runs.iter().filter_map(line).collect();
            if let Some(value) = constant(&lines) {
                let by_step = if x == "step" { " by step" } else { "" };
                all.constant.push(format!("{name}{by_step} {}", html::number(value)));
            } else if lines.iter().any(|line| line.points.iter().any(|[_, y]| y.is_finite())) {
                all.charts.push(Chart {
                    title: known.map_or_else(|| titled(name), |(_, title, _)| title.to_string()),
                    note: known.map_or(String::new(), |(.., note)| note.to_string()),
                    x: x.into(),
                    y: String::new(),
                    lines,
                    legend: false,
                });
            }
        }
    }
    let lines = all.charts.iter().map(|chart| chart.lines.len()).sum::<usize>().max(1);
    let most = (POINTS / lines).clamp(OF_A_LINE[0], OF_A_LINE[1]);
    for line in all.charts.iter_mut().flat_map(|chart| &mut chart.lines) {
        line.points = thinned(&line.points, most);
    }
    all.charts.iter_mut().for_each(add_last_value);
    all
}

/// The one value of every line, at two places or more; nothing where there are others, or one that is not finite.
fn constant(lines: &[Line]) -> Option<f64> {
    let values = || lines.iter().flat_map(|line| line.points.iter().map(|[_, y]| *y));
    let first = values().next().filter(|first| first.is_finite())?;
    let is_seen_twice = lines.iter().any(|line| line.points.len() > 1);
    (is_seen_twice && values().all(|value| value == first)).then_some(first)
}

/// Notes the last value, where there is one line alone.
fn add_last_value(chart: &mut Chart) {
    if let [line] = &chart.lines[..] {
        let last = line.points.iter().rev().find(|[_, y]| y.is_finite());
        let value = last.map_or(String::new(), |[_, y]| format!("last value {}", html::number(*y)));
        let parts = [std::mem::take(&mut chart.note), value];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        chart.note = parts.collect::<Vec<_>>().join(" · ");
    }
}

/// The place of a chart: the known ones, then scores of online evaluations, which come after the objective's own.
fn rank(name: &str, titles: &[(&str, &str, &str)]) -> usize {
    let known = titles.iter().position(|(known, ..)| *known == name);
    match known {
        // Behind the effective rank, and before what is of the machine.
        Some(place) if place <= 5 => place,
        Some(place) => place + 2,
        None if name.starts_with("evaluations/") => 6,
        None => 7,
    }
}

/// `evaluations/knn/accuracy` as `knn accuracy, in training`.
fn titled(name: &str) -> String {
    match name.strip_prefix("evaluations/") {
        Some(name) => format!("{}, in training", name.replace('/', " ")),
        None => name.replace(['_', '/'], " "),
    }
}

/// At most about so many of the points: the lowest and the highest of each of equal parts, and both ends, as they are.
fn thinned(points: &[[f64; 2]], most: usize) -> Vec<[f64; 2]> {
    if points.len() <= most {
        return points.to_vec();
    }
    let parts = (most / 2).max(1);
    let mut kept = vec![0];
    for part in 0..parts {
        let range = part * points.len() / parts..(part + 1) * points.len() / parts;
        let y = |index: &usize| points[*index][1];
        let finite = || range.clone().filter(|index| y(index).is_finite());
        let low = finite().min_by(|a, b| y(a).total_cmp(&y(b)));
        let high = finite().max_by(|a, b| y(a).total_cmp(&y(b)));
        // Without a number the line has a gap.
        let gap = range.clone().find(|index| !y(index).is_finite());
        kept.extend([low, high, gap].into_iter().flatten());
    }
    kept.push(points.len() - 1);
    kept.sort();
    kept.dedup();
    kept.into_iter().map(|index| points[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_keep_every_peak_as_it_is() {
        let points: Vec<_> = (0..50_000).map(|x| [f64::from(x), f64::from(x).sin()]).collect();
        let mut peaked = points.clone();
        (peaked[31_234][1], peaked[40_000][1]) = (7.0, -7.0);
        let thin = thinned(&peaked, 600);
        assert!(thin.len() <= 602 && thin.contains(&[31_234.0, 7.0]) && thin.contains(&[40_000.0, -7.0]));
        assert_eq!((thin[0], *thin.last().unwrap()), (peaked[0], peaked[49_999]));
        assert!(thin.windows(2).all(|two| two[0][0] < two[1][0]));
        assert_eq!(thinned(&points[..600], 600), points[..600]);
    }

    #[test]
    fn a_line_is_constant_where_it_has_one_finite_value_at_several_places() {
        let lines = |all: &[&[f64]]| -> Vec<Line> {
            let points = |values: &&[f64]| values.iter().zip(1..).map(|(&y, x)| [f64::from(x), y]).collect();
            let line = |values| Line {
                name: "x".into(),
                colour: 0,
                points: points(values),
                form: Form::Line,
            };
            all.iter().map(line).collect()
        };
        assert_eq!(constant(&lines(&[&[0.1, 0.1], &[0.1]])), Some(0.1));
        for varied in [
            &[&[0.1, 0.2][..]][..],
            &[&[0.1, 0.1], &[0.2, 0.2]],
            &[&[0.1, f64::NAN]],
            &[&[0.1]],
            &[],
        ] {
            assert_eq!(constant(&lines(varied)), None, "{varied:?}");
        }
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let points: Vec<_> = (0..1000)
            .map(|x| [f64::from(x), if x < 500 { 1.0 } else { f64::NAN }])
            .collect();
        let thin = thinned(&points, 100);
        assert!(thin.iter().any(|[_, y]| y.is_nan()) && thin.iter().any(|[_, y]| *y == 1.0));
    }
}
