//! A curve as lines of a plot: as many points as there is room for, broken where a number is not finite.

use fmicl_runner::run::Point;

/// Numbers beyond this are drawn as if they were not finite: their range has no width.
const LARGEST: f64 = 1e300;

/// What is drawn of a curve.
#[derive(Debug, Default, PartialEq)]
pub struct Plot {
    /// Points (step, value) that are joined, a list for each unbroken stretch.
    pub lines: Vec<Vec<(f64, f64)>>,
    /// First and last step of the axis.
    pub x: [f64; 2],
    /// Lowest and highest value of the axis.
    pub y: [f64; 2],
}

impl Plot {
    /// Of a curve on so many columns of dots: of the points of a column the first, the lowest, the highest and the last are
    /// drawn. Nothing where no number is finite.
    pub fn of(points: &[Point], columns: usize) -> Option<Self> {
        let is_drawn = |point: &&Point| point.value.abs() < LARGEST;
        let drawn = || points.iter().filter(is_drawn);
        let range = |numbers: &mut dyn Iterator<Item = f64>| {
            numbers.fold(None, |range: Option<[f64; 2]>, number| {
                let [low, high] = range.unwrap_or([number; 2]);
                Some([low.min(number), high.max(number)])
            })
        };
        let y = range(&mut drawn().map(|point| point.value))?;
        let x = range(&mut drawn().map(|point| point.step as f64))?;
        let column = |point: &Point| {
            let share = (point.step as f64 - x[0]) / (x[1] - x[0]).max(1.0);
            (share * columns.max(1) as f64) as usize
        };
        let mut lines = Vec::new();
        for stretch in points
            .split(|point| !is_drawn(&point))
            .filter(|stretch| !stretch.is_empty())
        {
            let columns = stretch.chunk_by(|one, other| column(one) == column(other));
            lines.push(columns.flat_map(few).collect());
        }
        Some(Plot {
            lines,
            x: widened(x, 0.0),
            y: widened(y, 0.05),
        })
    }
}

/// The points of a column that are drawn, in their order.
fn few(column: &[Point]) -> Vec<(f64, f64)> {
    let by_value = |one: &usize, other: &usize| column[*one].value.total_cmp(&column[*other].value);
    let all = || 0..column.len();
    let ends = [0, column.len() - 1].into_iter();
    let mut chosen: Vec<usize> = ends
        .chain(all().min_by(by_value))
        .chain(all().max_by(by_value))
        .collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
        .into_iter()
        .map(|index| (column[index].step as f64, column[index].value))
        .collect()
}

/// A range with a share of its width on each side; one without width gets some.
fn widened([low, high]: [f64; 2], share: f64) -> [f64; 2] {
    if high > low {
        let more = (high - low) * share;
        return [low - more, high + more];
    }
    let more = (low.abs() * 0.05).max(0.5);
    [low - more, high + more]
}

/// A number in a few letters.
pub fn number(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => "not finite".into(),
        0.0 => "0".into(),
        0.001..1e5 => {
            let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{value:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
                false => text,
            }
        }
        _ => format!("{value:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
        let point = |(step, value)| Point {
            epoch: 1,
            step: step as u64,
            value,
        };
        values.into_iter().enumerate().map(point).collect()
    }

    #[test]
    fn a_line_is_broken_where_a_number_is_not_finite() {
        let plot = Plot::of(&curve([f64::NAN, 1.0, 3.0, f64::NAN, f64::INFINITY, 2.0, 1e308]), 80).unwrap();
        assert_eq!(plot.lines, [vec![(1.0, 1.0), (2.0, 3.0)], vec![(5.0, 2.0)]]);
        assert_eq!((plot.x, plot.y), ([1.0, 5.0], [0.9, 3.1]));
    }

    #[test]
    fn one_point_has_a_range_and_none_has_no_plot() {
        let plot = Plot::of(&curve([2.0]), 80).unwrap();
        assert_eq!((plot.lines.len(), plot.x, plot.y), (1, [-0.5, 0.5], [1.5, 2.5]));
        assert_eq!(Plot::of(&[], 80), None);
        assert_eq!(Plot::of(&curve([f64::NAN; 3]), 80), None);
    }

    #[test]
    fn of_many_points_the_extremes_are_drawn() {
        let mut values: Vec<f64> = (0..50_000).map(|step| f64::from(step).sin()).collect();
        values[31_234] = 9.0;
        values[7] = -9.0;
        let plot = Plot::of(&curve(values), 100).unwrap();
        assert!(plot.lines[0].len() <= 4 * 101, "{}", plot.lines[0].len());
        assert!(plot.lines[0].contains(&(31_234.0, 9.0)) && plot.lines[0].contains(&(7.0, -9.0)));
        assert!(plot.lines[0].is_sorted_by(|one, other| one.0 < other.0));
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 1234.56, -23.87494, 0.0015137, 1.5e-7, 99.0, f64::NAN].map(number);
        assert_eq!(
            shown,
            ["0", "1235", "-23.87", "0.001514", "1.50e-7", "99", "not finite"]
        );
    }
}
