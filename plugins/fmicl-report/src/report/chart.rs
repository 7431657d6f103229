//! A chart as SVG, in the colours of the page, and its numbers for the script that shows them.

use super::axis::Axis;
use super::html;
use serde_json::{Value, json};
use std::fmt::Write;

/// Width, height and margins (left, right, top, bottom) in units of the picture.
const SIZE: [f64; 2] = [440.0, 250.0];
const MARGINS: [f64; 4] = [56.0, 14.0, 12.0, 38.0];

/// A series of a chart.
#[derive(Debug, Clone)]
pub struct Line {
    /// Name, for the legend.
    pub name: String,
    /// Number of its colour, and of the entry of the legend that hides it.
    pub colour: usize,
    /// Points in ascending order; a line ends where one is not finite.
    pub points: Vec<[f64; 2]>,
    /// Form.
    pub form: Form,
}

/// Form of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// A line through its points.
    Line,
    /// Dots alone.
    Dots,
    /// Dots, each with a bar of this half length.
    Bars(Vec<f64>),
}

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Heading.
    pub title: String,
    /// A line below it.
    pub note: String,
    /// Name of the abscissa.
    pub x: String,
    /// Name of the ordinate; empty where the heading says it.
    pub y: String,
    /// The series.
    pub lines: Vec<Line>,
    /// Whether names of series stand below the chart, rather than in a legend for all charts.
    pub legend: bool,
}

impl Chart {
    fn axes(&self) -> [Axis; 2] {
        let points = || self.lines.iter().flat_map(|line| line.points.iter());
        let ends = self.lines.iter().flat_map(|line| match &line.form {
            Form::Bars(errors) => {
                let bars = line.points.iter().zip(errors);
                bars.flat_map(|([_, y], error)| [y - error, y + error])
                    .collect::<Vec<_>>()
            }
            _ => line.points.iter().map(|[_, y]| *y).collect(),
        });
        let shown = points().filter(|[_, y]| y.is_finite());
        [Axis::of(shown.map(|[x, _]| *x), 0.0), Axis::of(ends, 0.06)]
    }

    /// The figure as HTML; `number` is its place in the script's data.
    pub fn html(&self, number: usize) -> String {
        let [title, note] = [&self.title, &self.note].map(|text| html::escape(text));
        let svg = self.svg(number);
        let legend = match self.legend {
            false => String::new(),
            true => legend(self.lines.iter().map(|line| (&*line.name, line.colour))),
        };
        let note = match note.is_empty() {
            true => note,
            false => format!("<p class=\"note\">{note}</p>"),
        };
        format!(
            "<figure class=\"chart\" data-chart=\"{number}\" tabindex=\"0\" aria-label=\"{title}; left and right keys show \
             values\"><figcaption><h3>{title}</h3>{note}</figcaption>{svg}{legend}</figure>\n"
        )
    }

    fn svg(&self, number: usize) -> String {
        let [x_axis, y_axis] = self.axes();
        let [width, height] = SIZE;
        let [left, right, top, bottom] = MARGINS;
        let x_of = |x: f64| left + x_axis.share(x) * (width - left - right);
        let y_of = |y: f64| height - bottom - y_axis.share(y) * (height - top - bottom);
        let title = html::escape(&self.title);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"t{number} d{number}\"><title \
             id=\"t{number}\">{title}</title><desc id=\"d{number}\">{}</desc>",
            html::escape(&self.described())
        );
        for tick in y_axis.ticks() {
            let (y, text) = (y_of(tick), html::number(tick));
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{text}</text>",
                width - right,
                left - 8.0,
                y + 4.0
            );
        }
        let base = height - bottom;
        let mut ticks = x_axis.ticks();
        // Epochs and steps are whole.
        if self.x == "epoch" || self.x == "step" {
            ticks.retain(|tick| tick.fract() == 0.0);
        }
        for tick in ticks {
            let (x, text) = (x_of(tick), html::number(tick));
            let _ = write!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                base + 17.0
            );
        }
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{left}\" x2=\"{}\" y1=\"{base}\" y2=\"{base}\"/><text class=\"name\" x=\"{}\" y=\"{}\" \
             text-anchor=\"end\">{}</text>",
            width - right,
            width - right,
            height - 5.0,
            html::escape(&self.x)
        );
        if !self.y.is_empty() {
            let _ = write!(
                svg,
                "<text class=\"name\" x=\"{left}\" y=\"{}\">{}</text>",
                height - 5.0,
                html::escape(&self.y)
            );
        }
        for line in &self.lines {
            let place = |[x, y]: [f64; 2]| [x_of(x), y_of(y)];
            let _ = write!(
                svg,
                "<g class=\"series c{} d{}\" data-series=\"{}\">",
                line.colour % 8,
                line.colour / 8 % 4,
                line.colour
            );
            draw(&mut svg, line, place, y_of);
            svg.push_str("</g>");
        }
        svg.push_str("<line class=\"cursor\" hidden=\"\"/></svg>");
        svg
    }

    /// The chart in words.
    fn described(&self) -> String {
        let finite = |line: &Line| {
            line.points
                .iter()
                .copied()
                .filter(|[_, y]| y.is_finite())
                .collect::<Vec<_>>()
        };
        let of_line = |line: &Line| match &finite(line)[..] {
            [] => format!("{}: no finite value", line.name),
            [[x, y]] => format!("{}: {} at {}", line.name, html::number(*y), html::number(*x)),
            [[a, b], .., [c, d]] => {
                let [a, b, c, d] = [*a, *b, *c, *d].map(html::number);
                format!("{}: {b} at {a}, {d} at {c}", line.name)
            }
        };
        let lines: Vec<_> = self.lines.iter().take(12).map(of_line).collect();
        format!("Over {}: {}.", self.x, lines.join("; "))
    }

    /// The chart's numbers, and where its axes are, for the script.
    pub fn data(&self) -> Value {
        let [x, y] = self.axes();
        let [width, height] = SIZE;
        let [left, right, top, bottom] = MARGINS;
        let line = |line: &Line| {
            // JSON has no form for what is not finite, and nulls are no values.
            let finite: Vec<_> = line.points.iter().filter(|[_, y]| y.is_finite()).collect();
            json!({
                "name": line.name,
                "colour": line.colour,
                "x": finite.iter().map(|[x, _]| short(*x)).collect::<Vec<_>>(),
                "y": finite.iter().map(|[_, y]| short(*y)).collect::<Vec<_>>(),
            })
        };
        json!({
            "x": self.x,
            "axes": [x.low, x.high, y.low, y.high],
            "box": [left, width - right, top, height - bottom],
            "lines": self.lines.iter().map(line).collect::<Vec<_>>(),
        })
    }
}

/// A whole number without its point.
fn short(value: f64) -> Value {
    match value.fract() == 0.0 && value.abs() < 9e15 {
        true => json!(value as i64),
        false => json!(value),
    }
}

fn draw(svg: &mut String, line: &Line, place: impl Fn([f64; 2]) -> [f64; 2], y_of: impl Fn(f64) -> f64) {
    if let Form::Bars(errors) = &line.form {
        for (&[x, y], error) in line.points.iter().zip(errors) {
            let [x, _] = place([x, y]);
            let _ = write!(
                svg,
                "<path d=\"M{x:.1} {:.1}V{:.1}\"/>",
                y_of(y - error),
                y_of(y + error)
            );
        }
    }
    let runs = line.points.split(|[_, y]| !y.is_finite()).filter(|run| !run.is_empty());
    for run in runs {
        match (&line.form, run) {
            (Form::Line, [_, _, ..]) => {
                let points = run.iter().map(|point| place(*point));
                let steps = points.enumerate().map(|(index, [x, y])| {
                    let letter = if index == 0 { 'M' } else { 'L' };
                    format!("{letter}{x:.1} {y:.1}")
                });
                let _ = write!(svg, "<path d=\"{}\"/>", steps.collect::<String>());
            }
            _ => run.iter().for_each(|point| {
                let [x, y] = place(*point);
                let radius = if line.form == Form::Line { 3.5 } else { 2.5 };
                let _ = write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>");
            }),
        }
    }
}

/// Buttons that hide and show series, by their names and colours.
pub fn legend<'a>(entries: impl Iterator<Item = (&'a str, usize)>) -> String {
    let entry = |(name, colour): (&str, usize)| {
        format!(
            "<button type=\"button\" aria-pressed=\"true\" data-toggle=\"{colour}\"><svg class=\"key\" viewBox=\"0 0 22 8\" \
             aria-hidden=\"true\"><g class=\"series c{} d{}\"><path d=\"M1 4H21\"/></g></svg>{}</button>",
            colour % 8,
            colour / 8 % 4,
            html::name(name)
        )
    };
    format!("<div class=\"legend\">{}</div>", entries.map(entry).collect::<String>())
}

#[cfg(test)]
#[path = "chart/tests.rs"]
mod tests;
