//! The picture of a run or a sweep on a terminal.

use crate::curves::Curve;
use crate::plot::{Plot, number};
use crate::run::Run;
use crate::watched::Watched;
use fmicl_runner::run::{Observed, State};
use fmicl_runner::{shown, wrap};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, List, ListItem, ListState, Paragraph, Wrap};
use std::time::SystemTime;

/// The columns from which a list stands beside the plot, and those that it takes.
const WIDE: u16 = 60;
const LIST: u16 = 30;
/// Dots of a plot in a column of letters.
const DOTS: usize = 2;

/// Draws what is watched.
pub fn draw(frame: &mut Frame, watched: &Watched, now: SystemTime) {
    let area = frame.area();
    let is_wide = area.width >= WIDE;
    let of_facts = if is_wide { 1 } else { 2 };
    let of_log = match area.height {
        0..14 => 1,
        14..20 => 2,
        _ => 4,
    };
    let of_sweep = u16::from(watched.sweep().is_some());
    let heights = [of_sweep, 1, 1, of_facts].map(Constraint::Length);
    let rows = heights
        .into_iter()
        .chain([Constraint::Min(3), Constraint::Length(of_log), Constraint::Length(1)]);
    let [sweep, state, progress, facts, body, log, keys] = Layout::vertical(rows).areas(area);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    frame.render_widget(Paragraph::new(of_sweep_as_a_whole(watched)).style(bold), sweep);
    if let Some(run) = watched.run() {
        let name = match watched.sweep() {
            Some(_) => shown::name(&file_name(&run.observed)),
            None => watched.name.clone(),
        };
        // Of a long name the end tells most, and there must be room for the state.
        let name = end(&name, usize::from(area.width / 3));
        let line = Line::from(format!("{name}: {}", run.state(now)));
        frame.render_widget(Paragraph::new(line).style(bold.fg(colour(run.observed.state))), state);
        let share = run.observed.done.share().unwrap_or(0.0).clamp(0.0, 1.0);
        let bar = Gauge::default().ratio(share).label(run.progress(now));
        frame.render_widget(bar.gauge_style(Style::new().fg(Color::Blue).bg(Color::Black)), progress);
        let text = Paragraph::new(run.facts().join("  "));
        frame.render_widget(text.wrap(Wrap { trim: true }), facts);
        draw_log(frame, run, log);
    }
    let plot = match is_wide {
        true => {
            let [list, plot] = Layout::horizontal([Constraint::Length(LIST), Constraint::Min(10)]).areas(body);
            match watched.sweep() {
                Some(_) => draw_cells(frame, watched, list),
                None => draw_names(frame, watched, list),
            }
            plot
        }
        false => body,
    };
    draw_plot(frame, watched, plot);
    let help = match watched.sweep() {
        Some(_) => "q quit  tab next curve  ↑↓ run",
        None => "q quit  tab or ↑↓ next curve",
    };
    frame.render_widget(Paragraph::new(help).style(Style::new().fg(Color::DarkGray)), keys);
}

/// The end of a text, in so many columns.
fn end(text: &str, columns: usize) -> String {
    if wrap::columns(text) <= columns {
        return text.into();
    }
    let mut starts = text.char_indices().skip(1).map(|(at, _)| &text[at..]);
    let fits = |rest: &&str| wrap::columns(rest) < columns;
    format!("…{}", starts.find(fits).unwrap_or_default())
}

/// A sweep in a line.
pub fn of_sweep_as_a_whole(watched: &Watched) -> String {
    let Some(sweep) = watched.sweep() else {
        return String::new();
    };
    let (cells, _) = watched.cells();
    let count = |states: &[State]| cells.iter().filter(|cell| states.contains(&cell.state)).count();
    let all = sweep.planned.unwrap_or(cells.len());
    let mut line = format!(
        "{}: {}/{all} runs finished",
        watched.name,
        count(&[State::Finished, State::Collapsed])
    );
    for state in [State::Running, State::Failed, State::BrokenOff, State::Stopped] {
        match count(&[state]) {
            0 => {}
            own => line += &format!(", {own} {state}"),
        }
    }
    match sweep.is_running() {
        Ok(true) => line,
        Ok(false) => line + "; no process works on it",
        Err(error) => format!("{line}; {error}"),
    }
}

/// The name of a run's directory.
pub fn file_name(run: &Observed) -> String {
    run.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A run of a sweep in a line: how far it is, and its name.
pub fn cell(run: &Observed) -> (String, String) {
    let how = match run.state {
        State::Running | State::Stopped | State::BrokenOff => {
            let share = run
                .done
                .share()
                .map_or("?".into(), |share| format!("{:.0} %", 100.0 * share));
            if run.state == State::Running {
                share
            } else {
                format!("{} {share}", run.state)
            }
        }
        state => state.to_string(),
    };
    (how, shown::name(&file_name(run)))
}

fn colour(state: State) -> Color {
    match state {
        State::Running => Color::Cyan,
        State::Finished => Color::Green,
        State::Failed | State::Collapsed => Color::Red,
        State::Stopped | State::BrokenOff | State::Unknown => Color::Yellow,
    }
}

fn draw_cells(frame: &mut Frame, watched: &Watched, area: Rect) {
    let (cells, chosen) = watched.cells();
    // Within the frame and beside the mark.
    let room = usize::from(area.width.saturating_sub(4));
    let item = |run: &Observed| {
        let (how, name) = cell(run);
        let name = end(&name, room.saturating_sub(how.len() + 1));
        ListItem::new(format!("{how} {name}")).style(Style::new().fg(colour(run.state)))
    };
    draw_list(frame, cells.iter().map(item).collect(), chosen, "runs", area);
}

fn draw_names(frame: &mut Frame, watched: &Watched, area: Rect) {
    let curves = watched.curves();
    // Within the frame and beside the mark.
    let room = usize::from(area.width.saturating_sub(4));
    let item = |curve: &Curve| {
        let value = curve.last().map_or(String::new(), number);
        let name = end(&shown::name(&curve.name()), room.saturating_sub(value.len() + 1));
        let space = room.saturating_sub(wrap::columns(&name) + value.len());
        ListItem::new(format!("{name}{}{value}", " ".repeat(space)))
    };
    let chosen = watched.chosen(&curves);
    draw_list(frame, curves.iter().map(item).collect(), chosen, "curves", area);
}

fn draw_list(frame: &mut Frame, items: Vec<ListItem>, chosen: usize, title: &str, area: Rect) {
    let list = List::new(items).block(Block::bordered().title(title));
    let list = list
        .highlight_symbol("> ")
        .highlight_style(Style::new().add_modifier(Modifier::BOLD));
    frame.render_stateful_widget(list, area, &mut ListState::default().with_selected(Some(chosen)));
}

fn draw_plot(frame: &mut Frame, watched: &Watched, area: Rect) {
    let curves = watched.curves();
    let chosen = watched.chosen(&curves);
    let Some(curve) = curves.get(chosen) else {
        let block = Block::bordered().title("curves");
        let why = match watched.run() {
            Some(_) => "no epoch is over and no step is logged yet",
            None => "no run has begun yet",
        };
        return frame.render_widget(Paragraph::new(why).wrap(Wrap { trim: true }).block(block), area);
    };
    let last = curve.last().map_or(String::new(), number);
    let title = shown::name(&format!("{} {last} ({}/{})", curve.name(), chosen + 1, curves.len()));
    let block = Block::bordered().title(title);
    let Some(plot) = Plot::of(curve.points, usize::from(area.width) * DOTS) else {
        let text = format!("none of its {} numbers is finite", curve.points.len());
        return frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }).block(block), area);
    };
    let datasets = plot.lines.iter().map(|line| {
        let kind = if line.len() > 1 {
            GraphType::Line
        } else {
            GraphType::Scatter
        };
        let style = Style::new().fg(Color::Cyan);
        Dataset::default()
            .marker(Marker::Braille)
            .graph_type(kind)
            .style(style)
            .data(line)
    });
    let [low, high] = plot.y;
    let values = [low, (low + high) / 2.0, high].map(number);
    let steps = match curve.points {
        [only] => [format!("step {}", only.step), String::new()],
        _ => [format!("step {}", number(plot.x[0])), number(plot.x[1])],
    };
    let chart = Chart::new(datasets.collect()).block(block);
    let chart = chart.x_axis(Axis::default().bounds(plot.x).labels(steps));
    let chart = chart.y_axis(Axis::default().bounds(plot.y).labels(values));
    frame.render_widget(chart.legend_position(None), area);
}

fn draw_log(frame: &mut Frame, run: &Run, area: Rect) {
    let first = run.log.len().saturating_sub(area.height.into());
    let lines = run.log[first..].iter().map(|line| Line::from(logged(line)));
    let style = Style::new().fg(Color::Gray);
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).style(style), area);
}

/// A line of the log with the time of day alone, and its level where it is more than information.
pub fn logged(line: &str) -> String {
    let short = || {
        let (time, rest) = line.split_once(' ')?;
        let (_, time) = time.split_once('T')?;
        let rest = rest.trim_start();
        Some(format!(
            "{} {}",
            time.get(..8)?,
            rest.strip_prefix("INFO ").unwrap_or(rest)
        ))
    };
    shown::name(&short().unwrap_or_else(|| line.into()))
}
