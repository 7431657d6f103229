//! Axes, legends and ranges of the figures. The backend for SVG needs no font: the reader's program has one.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::ops::Range;

/// Width and height of a figure of one plot, in pixels.
pub const SIZE: (u32, u32) = (800, 520);

/// Result of drawing.
pub type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<std::io::Error>>;
/// Part of a picture.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A plot with linear axes.
pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The SVG that `draw` draws on white.
///
/// # Errors
/// [`fmicl_core::Error::Run`] if the plot cannot be drawn.
pub fn svg(size: (u32, u32), draw: impl FnOnce(&Area) -> Drawn) -> fmicl_core::Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let drawn = area
            .fill(&WHITE)
            .and_then(|()| draw(&area))
            .and_then(|()| area.present());
        drawn.map_err(|error| fmicl_core::Error::Run(format!("the plot cannot be drawn: {error}")))?;
    }
    Ok(text)
}

/// Axes with their names and ranges, x first.
pub fn chart<'a, 'b>(
    area: &'a Area<'b>,
    title: &str,
    names: [&str; 2],
    [x_range, y_range]: [Range<f64>; 2],
) -> Drawn<Chart<'a, 'b>> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(x_range, y_range)?;
    let mut mesh = chart.configure_mesh();
    mesh.max_light_lines(1).x_desc(names[0]).y_desc(names[1]).draw()?;
    Ok(chart)
}

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

/// Draws the legend.
pub fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>, position: SeriesLabelPosition) -> Drawn {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
}

/// The range of finite values with a margin; 0 to 1 if there is none.
pub fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let finite: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let low = finite.iter().copied().reduce(f64::min).unwrap_or(0.0);
    let high = finite.iter().copied().reduce(f64::max).unwrap_or(1.0);
    let margin = ((high - low) * 0.05).max(1e-3 * high.abs().max(1e-6));
    low - margin..high + margin
}
