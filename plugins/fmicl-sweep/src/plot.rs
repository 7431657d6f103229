//! The plot of a sweep, as SVG.

use super::file::{PlotKind, Reported};
use super::outcome::{Finished, Outcome};
use super::summary::{Group, Summary};
use fmicl_runner::plot::plotters::prelude::*;
use fmicl_runner::plot::{self, Area, Drawn, chart, legend, range};

/// The plot, or nothing where no run has the numbers for it.
pub fn svg(title: &str, reported: &Reported, axes: &[&str], groups: &[Group]) -> Option<String> {
    let height = match reported.plot {
        PlotKind::Points => 90 + 28 * groups.len() as u32,
        _ => 520,
    };
    let first = &*reported.metrics[0];
    let mut has_numbers = false;
    let text = plot::svg((800, height), |area| {
        let drawn = match reported.plot {
            PlotKind::Points => points(area, title, first, groups),
            PlotKind::Lines => lines(area, title, first, reported.x.as_deref(), axes, groups),
            PlotKind::Scatter => scatter(area, title, [first, &*reported.metrics[1]], groups),
        };
        has_numbers = drawn.is_some();
        drawn.unwrap_or(Ok(()))
    });
    text.ok().filter(|_| has_numbers)
}

/// A row for each group: its seeds, their mean, and a bar of one standard deviation to each side.
fn points(area: &Area, title: &str, metric: &str, groups: &[Group]) -> Option<Drawn> {
    let summaries: Vec<(String, Option<Summary>)> = groups
        .iter()
        .map(|group| (group.title(), group.summary(metric)))
        .collect();
    let range = range(summaries.iter().filter_map(|(_, s)| s.as_ref()).flat_map(ends))?;
    let count = summaries.len();
    let draw = || {
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(230)
            // The first group on top.
            .build_cartesian_2d(range, (count as f64 - 0.5)..-0.5)?;
        let name = |at: &f64| match at.fract() == 0.0 {
            true => summaries
                .get(*at as usize)
                .map_or(String::new(), |(name, _)| name.clone()),
            false => String::new(),
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(2 * count + 1)
            .y_label_formatter(&name)
            .x_desc(unit(metric, groups))
            .draw()?;
        for (index, (_, summary)) in summaries.iter().enumerate() {
            let (at, Some(summary)) = (index as f64, summary) else {
                continue;
            };
            if let Some(spread) = summary.spread {
                let ends = [(summary.mean - spread, at), (summary.mean + spread, at)];
                chart.draw_series([PathElement::new(ends, BLUE.stroke_width(2))])?;
            }
            chart.draw_series(
                summary
                    .values
                    .iter()
                    .map(|&value| Circle::new((value, at), 2, BLACK.mix(0.4).filled())),
            )?;
            chart.draw_series([Circle::new((summary.mean, at), 4, BLUE.filled())])?;
        }
        Ok(())
    };
    Some(draw())
}

/// A line for each point of the other axes, along the axis `x`.
fn lines(area: &Area, title: &str, metric: &str, x: Option<&str>, axes: &[&str], groups: &[Group]) -> Option<Drawn> {
    let x = x?;
    let place = axes.iter().position(|axis| *axis == x)?;
    let mut series: Vec<(String, Vec<(f64, Summary)>)> = Vec::new();
    for group in groups {
        let mut labels: Vec<&str> = group.row.iter().copied().chain([group.column]).collect();
        let along = labels.remove(place).parse::<f64>().ok()?;
        labels.retain(|label| !label.is_empty());
        let (name, Some(summary)) = (labels.join(", "), group.summary(metric)) else {
            continue;
        };
        match series.iter_mut().find(|(other, _)| *other == name) {
            Some((_, points)) => points.push((along, summary)),
            None => series.push((name, vec![(along, summary)])),
        }
    }
    for (_, points) in &mut series {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    let all = || series.iter().flat_map(|(_, points)| points);
    let y_range = range(all().flat_map(|(_, summary)| ends(summary)))?;
    let x_range = range(all().map(|(along, _)| *along))?;
    let draw = || {
        let mut chart = chart(area, title, [x.to_string(), unit(metric, groups)], [x_range, y_range])?;
        for (index, (name, points)) in series.iter().enumerate() {
            let colour = Palette99::pick(index).to_rgba();
            let means = points.iter().map(|(along, summary)| (*along, summary.mean));
            chart
                .draw_series(LineSeries::new(means, colour.stroke_width(2)).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
            let bars = points
                .iter()
                .filter_map(|(along, s)| s.spread.map(|spread| (*along, s.mean, spread)));
            chart.draw_series(bars.map(|(along, mean, spread)| {
                ErrorBar::new_vertical(along, mean - spread, mean, mean + spread, colour.filled(), 6)
            }))?;
        }
        legend(&mut chart, SeriesLabelPosition::MiddleRight)
    };
    Some(draw())
}

/// A point for each run, a colour for each group.
fn scatter(area: &Area, title: &str, metrics: [&str; 2], groups: &[Group]) -> Option<Drawn> {
    let of = |group: &Group| -> Vec<(f64, f64)> {
        let finished = group.runs.iter().filter_map(Outcome::finished);
        let point = |run: &Finished| Some((run.trained(metrics[0]).ok()?.value, run.trained(metrics[1]).ok()?.value));
        finished.filter_map(point).collect()
    };
    let all: Vec<(f64, f64)> = groups.iter().flat_map(of).collect();
    let x_range = range(all.iter().map(|point| point.0))?;
    let y_range = range(all.iter().map(|point| point.1))?;
    let draw = || {
        let mut chart = chart(
            area,
            title,
            metrics.map(|metric| unit(metric, groups)),
            [x_range, y_range],
        )?;
        for (index, group) in groups.iter().enumerate() {
            let colour = Palette99::pick(index).to_rgba();
            let circles = of(group)
                .into_iter()
                .map(|point| Circle::new(point, 4, colour.filled()));
            chart
                .draw_series(circles)?
                .label(group.title())
                .legend(move |(x, y)| Circle::new((x + 9, y), 4, colour.filled()));
        }
        legend(&mut chart, SeriesLabelPosition::MiddleRight)
    };
    Some(draw())
}

/// The metric's name and its unit.
fn unit(metric: &str, groups: &[Group]) -> String {
    let like = groups.iter().find_map(|group| Some(group.summary(metric)?.like));
    match like.filter(|like| !like.unit.is_empty()) {
        Some(like) => format!("{metric}, {}", like.unit),
        None => metric.to_string(),
    }
}

/// The mean with its spread, and every value.
fn ends(summary: &Summary) -> impl Iterator<Item = f64> + use<'_> {
    let spread = summary.spread.unwrap_or(0.0);
    summary
        .values
        .iter()
        .copied()
        .chain([summary.mean - spread, summary.mean + spread])
}
