//! What is watched: a run, or the runs of a sweep, and what of it is chosen.

use crate::curves::Curve;
use crate::run::Run;
use fmicl_core::{Error, Result};
use fmicl_runner::run::{Found, Observed, State, Sweep, find};
use fmicl_runner::shown;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Updates between two looks at all runs of a sweep; those that run, and the chosen one, are looked at each time.
const ALL: usize = 10;

/// A run or a sweep on the screen.
#[derive(Debug)]
pub struct Watched {
    /// Its directory, as it was named.
    pub name: String,
    sweep: Option<Sweep>,
    /// The runs of the sweep; of a run none.
    cells: Vec<Observed>,
    /// The cell that is chosen.
    cell: usize,
    /// The run whose curves are shown; of a sweep without runs none.
    run: Option<Run>,
    /// The name of the curve that is chosen; where the run has none of it, its first one is shown.
    curve: String,
    updates: usize,
}

/// What a path is that is neither a run nor a sweep, and what would work.
fn nothing_at(path: &Path) -> Error {
    let wanted = "name a folder that `train` or `sweep` wrote";
    let place = |found: &Found| match found {
        Found::Run(path) => path.display().to_string(),
        Found::Sweep(sweep) => sweep.path.display().to_string(),
    };
    let below = || find(path).map(|(found, _)| found).unwrap_or_default();
    let message = match (path.exists(), path.is_dir()) {
        (false, _) => format!("there is no such folder{}; {wanted}", fmicl_core::beside(path)),
        (_, false) => format!("is a file; {wanted}"),
        _ => match &below()[..] {
            [] => format!("is neither a run nor a sweep; {wanted}"),
            [only] => format!("is neither a run nor a sweep; name the one in it, {}", place(only)),
            [.., last] => format!("is neither a run nor a sweep; name one in it, such as {}", place(last)),
        },
    };
    Error::data(path, message)
}

impl Watched {
    /// The run or the sweep in a directory, with a curve by its name.
    ///
    /// # Errors
    /// A directory with neither.
    pub fn new(path: &Path, curve: Option<&str>) -> Result<Self> {
        let name = shown::name(&path.to_string_lossy());
        let (sweep, run) = match Found::at(path) {
            Some(Found::Run(path)) => (None, Some(Run::new(&path))),
            Some(Found::Sweep(sweep)) => (Some(sweep), None),
            None => {
                return Err(nothing_at(path));
            }
        };
        let mut watched = Watched {
            name,
            sweep,
            cells: Vec::new(),
            cell: 0,
            run,
            curve: curve.unwrap_or_default().into(),
            updates: 0,
        };
        watched.look_at_cells();
        // What goes on is looked at first.
        let running = watched.cells.iter().position(|cell| cell.state == State::Running);
        watched.choose(running.unwrap_or(0));
        watched.require_curve(curve)?;
        Ok(watched)
    }

    fn require_curve(&self, name: Option<&str>) -> Result<()> {
        let known: Vec<String> = self.curves().iter().map(Curve::name).collect();
        match name {
            Some(name) if !known.iter().any(|known| known == name) => {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let hint = fmicl_core::registry::did_you_mean(name, &names);
                let there = if known.is_empty() {
                    "none yet".into()
                } else {
                    known.join(", ")
                };
                Err(Error::config(format!("no curve is named `{name}`{hint}; there are {there}")).at("--curve"))
            }
            _ => Ok(()),
        }
    }

    /// Looks again.
    pub fn update(&mut self) {
        self.updates += 1;
        if self.sweep.is_some() {
            self.look_at_cells();
        }
        if let Some(run) = &mut self.run {
            run.update();
        }
    }

    fn look_at_cells(&mut self) {
        let Some(sweep) = &mut self.sweep else { return };
        if let Some(now) = Sweep::at(&sweep.path) {
            *sweep = now;
        }
        let chosen = self.cells.get(self.cell).map(|cell| cell.path.clone());
        let cells = std::mem::take(&mut self.cells).into_iter();
        let mut before: BTreeMap<PathBuf, Observed> = cells.map(|cell| (cell.path.clone(), cell)).collect();
        for path in &sweep.cells {
            let cell = match before.remove(path) {
                Some(mut cell) => {
                    if self.updates.is_multiple_of(ALL) || cell.state == State::Running {
                        cell.update();
                    }
                    cell
                }
                None => Observed::new(path),
            };
            self.cells.push(cell);
        }
        let place = |chosen: &Path| self.cells.iter().position(|cell| cell.path == *chosen);
        match chosen.as_deref().and_then(place) {
            Some(place) => self.cell = place,
            None => self.choose(0),
        }
    }

    /// Chooses a cell of a sweep.
    fn choose(&mut self, cell: usize) {
        if self.sweep.is_some() {
            self.cell = cell;
            self.run = self.cells.get(cell).map(|cell| Run::new(&cell.path));
        }
    }

    /// The sweep, where it is one.
    pub fn sweep(&self) -> Option<&Sweep> {
        self.sweep.as_ref()
    }

    /// The runs of the sweep, and the place of the chosen one.
    pub fn cells(&self) -> (&[Observed], usize) {
        (&self.cells, self.cell)
    }

    /// The run whose curves are shown.
    pub fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// The curves, in their order.
    pub fn curves(&self) -> Vec<Curve<'_>> {
        self.run.as_ref().map(Run::curves).unwrap_or_default()
    }

    /// The place of the chosen curve among them.
    pub fn chosen(&self, curves: &[Curve]) -> usize {
        curves.iter().position(|curve| curve.name() == self.curve).unwrap_or(0)
    }

    /// Chooses the next curve, or the one before, round and round.
    pub fn turn(&mut self, by: isize) {
        let curves = self.curves();
        if curves.is_empty() {
            return;
        }
        let next = self.chosen(&curves) as isize + by;
        self.curve = curves[next.rem_euclid(curves.len() as isize) as usize].name();
    }

    /// Chooses the next run of a sweep, or the one before; of a run the curve.
    pub fn step(&mut self, by: isize) {
        if self.sweep.is_none() {
            return self.turn(by);
        }
        let next = self.cell.saturating_add_signed(by);
        if next < self.cells.len() && next != self.cell {
            self.choose(next);
        }
    }
}
