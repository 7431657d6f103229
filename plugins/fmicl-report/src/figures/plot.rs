//! Size, lines and ranges of the figures.

use fmicl_runner::plot::plotters::prelude::*;
use fmicl_runner::plot::{Chart, Drawn};
pub use fmicl_runner::plot::{chart, legend, svg};
use std::ops::Range;

/// Width and height of a figure of one plot, in pixels.
pub const SIZE: (u32, u32) = (800, 520);

/// Draws a line with an entry in the legend.
pub fn line<'a>(
    chart: &mut Chart<'a, '_>,
    label: &str,
    colour: RGBColor,
    points: impl Iterator<Item = (f64, f64)>,
) -> Drawn {
    chart
        .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
        .label(label)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    Ok(())
}

/// The range of finite values with a margin; 0 to 1 if there is none.
pub fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    fmicl_runner::plot::range(values).unwrap_or(0.0..1.0)
}
