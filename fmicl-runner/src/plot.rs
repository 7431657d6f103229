//! SVG plots with linear axes. The backend needs no font: the program that shows the file has one.

pub use plotters;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::ops::Range;

/// Result of drawing.
pub type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<std::io::Error>>;
/// Part of a picture.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A plot with linear axes.
pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Returns the SVG that `draw` draws on white; `size` is width and height in pixels.
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

/// Draws axes with their names and ranges, x first.
///
/// # Errors
/// Those of the backend.
pub fn chart<'a, 'b>(
    area: &'a Area<'b>,
    title: &str,
    [x_name, y_name]: [impl Into<String>; 2],
    [x_range, y_range]: [Range<f64>; 2],
) -> Drawn<Chart<'a, 'b>> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(x_range, y_range)?;
    let mut mesh = chart.configure_mesh();
    mesh.max_light_lines(1).x_desc(x_name).y_desc(y_name).draw()?;
    Ok(chart)
}

/// Draws the legend.
///
/// # Errors
/// Those of the backend.
pub fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>, position: SeriesLabelPosition) -> Drawn {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
}

/// Returns the range of finite values with a margin of 5 % on each side; `None` if there are none.
pub fn range(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let finite: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let low = finite.iter().copied().reduce(f64::min)?;
    let high = finite.iter().copied().reduce(f64::max)?;
    let margin = ((high - low) * 0.05).max(1e-3 * high.abs().max(1e-6));
    Some(low - margin..high + margin)
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn a_range_is_of_finite_values_and_is_never_empty() {
        assert_eq!(range([0.0, f64::NAN, 10.0].into_iter()), Some(-0.5..10.5));
        assert_eq!(range([2.0].into_iter()), Some(1.998..2.002));
        assert_eq!(range([f64::INFINITY].into_iter()), None);
    }
}
