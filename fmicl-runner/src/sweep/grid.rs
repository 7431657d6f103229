//! From a sweep file to the runs of its grid.

use super::cell::Cell;
use super::file::{Point, SweepFile};
use crate::config;
use fmicl_core::Error;
use std::path::Path;

/// Every run, in the order of the axes, with its seeds together.
///
/// # Errors
/// Everything that is wrong with any run's config, each problem once.
pub fn cells(
    file: &SweepFile,
    scale: Option<&str>,
    more: &[String],
    out: &Path,
) -> Result<Vec<Cell>, Vec<anyhow::Error>> {
    let one = |error: Error| vec![anyhow::Error::from(error)];
    let chosen = file.scale(scale).map_err(one)?;
    let seeds = chosen.seeds.as_ref().unwrap_or(&file.seeds);
    let mut grid: Vec<Vec<Point>> = vec![vec![]];
    for axis in &file.axis {
        let points = axis.points(scale).map_err(one)?;
        grid = grid
            .into_iter()
            .flat_map(|cell| {
                points
                    .iter()
                    .map(move |point| [&cell[..], std::slice::from_ref(point)].concat())
            })
            .collect();
    }

    let mut cells = Vec::new();
    let mut problems: Vec<String> = Vec::new();
    let mut errors = Vec::new();
    for points in &grid {
        let on_axes = points.iter().flat_map(|point| &point.sets);
        let sets: Vec<&String> = file.set.iter().chain(&chosen.set).chain(on_axes).chain(more).collect();
        for &seed in seeds {
            let sets: Vec<String> = sets
                .iter()
                .map(|set| set.to_string())
                .chain([format!("seed={seed}")])
                .collect();
            match config::load_all(&file.experiment, &sets) {
                Ok(experiment) => {
                    let labels = points.iter().map(|point| point.label.clone()).collect();
                    cells.push(Cell::new(labels, seed, &file.experiment, sets, &experiment, out).map_err(one)?);
                }
                // What is wrong with one value is wrong with every run that has it.
                Err(found) => {
                    for error in found {
                        if !problems.contains(&error.to_string()) {
                            problems.push(error.to_string());
                            errors.push(error.into());
                        }
                    }
                }
            }
        }
    }
    if errors.is_empty() { Ok(cells) } else { Err(errors) }
}
