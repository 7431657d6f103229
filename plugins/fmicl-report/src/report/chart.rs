//! A chart as SVG, in the colours of the page, and its numbers for the script that shows them.

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

/// Ends of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// The axis of finite values, from 0 to 1 without any; of one value alone, around it.
    fn of(values: impl Iterator<Item = f64>, margin: f64) -> Self {
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

    fn share(self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(-1.0, 2.0)
    }

    /// About five round numbers.
    fn ticks(self) -> Vec<f64> {
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
mod tests {
    use super::*;

    fn chart(points: &[[f64; 2]]) -> Chart {
        Chart {
            title: "<loss>".into(),
            note: String::new(),
            x: "epoch".into(),
            y: String::new(),
            lines: vec![Line {
                name: "a\"b".into(),
                colour: 9,
                points: points.to_vec(),
                form: Form::Line,
            }],
            legend: true,
        }
    }

    #[test]
    fn a_line_ends_where_a_value_is_missing_and_a_point_alone_is_a_dot() {
        let nan = f64::NAN;
        let html = chart(&[[1.0, 2.0], [2.0, 3.0], [3.0, nan], [4.0, 5.0]]).html(7);
        assert_eq!(
            (html.matches("<path d=\"M").count(), html.matches("<circle").count()),
            (2, 1),
            "{html}"
        );
        assert!(html.contains("&lt;loss&gt;") && !html.contains("<loss>") && html.contains("a&quot;b"));
        assert!(html.contains("class=\"series c1 d1\" data-series=\"9\"") && html.contains("data-chart=\"7\""));
    }

    #[test]
    fn whatever_the_values_no_coordinate_is_other_than_a_number() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        for points in [
            &[][..],
            &[[1.0, nan]],
            &[[1.0, inf], [2.0, -inf]],
            &[[1.0, 0.0]],
            &[[3.0, 7.0], [3.0, 7.0]],
            &[[1.0, f64::MAX], [2.0, f64::MIN]],
            &[[1.0, 1e-320], [2.0, 2e-320]],
            &[[1e15, 1e300], [2e15, -1e-300]],
        ] {
            let chart = chart(points);
            let html = chart.html(0);
            assert!(!html.contains("NaN") && !html.contains("inf"), "{points:?}: {html}");
            assert!(
                chart.data()["axes"].as_array().unwrap().iter().all(Value::is_number),
                "{points:?}"
            );
        }
    }

    #[test]
    fn ticks_are_round_and_within_the_axis() {
        let ticks = |low, high| Axis { low, high }.ticks();
        assert_eq!(ticks(0.0, 10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(-1.3, 0.2), [-1.0, -0.5, 0.0]);
        assert_eq!(Axis::of([5.0].into_iter(), 0.05), Axis { low: 4.5, high: 5.5 });
        assert_eq!(Axis::of([].into_iter(), 0.05), Axis { low: 0.0, high: 1.0 });
    }

    #[test]
    fn the_script_gets_the_numbers_as_they_are() {
        let data = chart(&[[1.0, 0.1], [2.0, f64::NAN], [3.0, 1e-7]]).data();
        assert_eq!(data["lines"][0]["x"].to_string(), "[1,3]");
        assert_eq!(data["lines"][0]["y"].to_string(), "[0.1,1e-7]");
    }
}
