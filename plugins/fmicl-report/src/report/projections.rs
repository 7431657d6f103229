//! The paper's figures of pairs of projections, drawn from the tables that `fmicl figures` writes.

use super::chart::{Chart, Form, Line};
use crate::figures::pairs::Pairs;
use crate::figures::{Figure, assumption_2, distances};
use fmicl_core::Result;
use fmicl_runner::run::Restored;

/// The chart of distances.
///
/// # Errors
/// Those of [`distances::figure`].
pub fn distances(pairs: &Pairs) -> Result<Chart> {
    let figure = distances::figure(pairs)?;
    let mut lines: Vec<Line> = Vec::new();
    for row in &figure.table.rows {
        let [encoder, kind, rank, of, distance] = &row[..] else {
            continue;
        };
        let name = format!("{kind} pairs, {encoder}");
        let point = [number(rank) / number(of), number(distance)];
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line {
                colour: [0, 1, 8, 9].get(lines.len()).copied().unwrap_or(2),
                name,
                points: vec![point],
                form: Form::Line,
            }),
        }
    }
    Ok(Chart {
        title: "Distances of pairs".into(),
        note: figure.shows,
        x: "share of the pairs, the nearest first".into(),
        y: "squared distance".into(),
        lines,
        legend: true,
    })
}

/// The chart of the ratio of densities, and its line.
///
/// # Errors
/// Too few distances that both kinds of pairs have.
pub fn assumption_2(pairs: &Pairs, it: &Restored) -> Result<Chart> {
    let (figure, summary) = assumption_2::figure(pairs, &it.experiment, &it.model.learned)?;
    let Figure { table, shows, .. } = figure;
    let column = |name: &str| table.head.iter().position(|head| head == name).unwrap_or(0);
    let at = |row: &[String], name: &str| row.get(column(name)).map_or(f64::NAN, |field| number(field));
    let middle = |row: &[String]| (at(row, "from") + at(row, "to")) / 2.0;
    let rows = || table.rows.iter().map(Vec::as_slice);
    let dots = |fitted: &'static str, name: &str, colour| {
        let own = rows().filter(move |row| row.get(column("fitted")).is_some_and(|field| field == fitted));
        let own: Vec<_> = own.filter(|row| at(row, "log_ratio").is_finite()).collect();
        Line {
            name: name.into(),
            colour,
            points: own.iter().map(|row| [middle(row), at(row, "log_ratio")]).collect(),
            form: Form::Bars(own.iter().map(|row| at(row, "standard_error")).collect()),
        }
    };
    let line = Line {
        name: "fitted line".into(),
        colour: 1,
        points: rows().map(|row| [middle(row), at(row, "line")]).collect(),
        form: Form::Line,
    };
    let lines = [
        dots("true", "fitted bins", 0),
        dots("false", "bins of too few pairs", 7),
        line,
    ];
    Ok(Chart {
        title: "Assumption 2".into(),
        note: format!("{shows}: {summary}"),
        x: "squared distance".into(),
        y: "log density ratio, positive to negative pairs".into(),
        lines: lines.into_iter().filter(|line| !line.points.is_empty()).collect(),
        legend: true,
    })
}

fn number(field: &str) -> f64 {
    field.parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use crate::figures::made;

    #[test]
    fn the_chart_has_the_numbers_of_the_table() {
        let chart = super::distances(&made::pairs()).unwrap();
        let names: Vec<_> = chart.lines.iter().map(|line| &*line.name).collect();
        assert_eq!(names[0], "positive pairs, trained encoder");
        assert_eq!(
            (names.len(), &chart.lines[0].points[..]),
            (4, &[[0.5, 0.1], [1.0, 0.3]][..])
        );
    }
}
