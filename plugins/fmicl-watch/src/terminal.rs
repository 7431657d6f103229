//! The terminal: keys, redraws, and its state when the program ends, however it does.

use crate::draw::draw;
use crate::watched::Watched;
use fmicl_runner::train::Interrupt;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use std::io::stdout;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Between two looks at the files.
const EVERY: Duration = Duration::from_secs(1);

/// Held by who writes to the terminal.
static SCREEN: Mutex<()> = Mutex::new(());

fn screen() -> MutexGuard<'static, ()> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows what is watched until a key ends it.
///
/// # Errors
/// A terminal that cannot be drawn on or read from.
pub fn show(mut watched: Watched) -> anyhow::Result<()> {
    // A signal ends the process behind this, and nothing is drawn any more.
    Interrupt::by_signals().end_at_once(|_| {
        std::mem::forget(screen());
        restore();
    })?;
    // Its hook restores the terminal before a panic is told.
    let mut terminal = ratatui::try_init()?;
    let mut looked = Instant::now();
    let shown = loop {
        {
            let _screen = screen();
            if let Err(error) = terminal.draw(|frame| draw(frame, &watched, SystemTime::now())) {
                break Err(error.into());
            }
        }
        match wait_until(looked + EVERY) {
            Ok(Some(Event::Key(key))) if press(&mut watched, key) => break Ok(()),
            Ok(_) => {}
            Err(error) => break Err(error.into()),
        }
        if looked.elapsed() >= EVERY {
            watched.update();
            looked = Instant::now();
        }
    };
    restore();
    shown
}

/// Makes the terminal what it was.
fn restore() {
    ratatui::restore();
    // Nothing is left to do where that fails.
    let _ = execute!(stdout(), Show);
}

/// The next key or change of size before a time.
fn wait_until(time: Instant) -> std::io::Result<Option<Event>> {
    match event::poll(time.saturating_duration_since(Instant::now()))? {
        true => event::read().map(Some),
        false => Ok(None),
    }
}

/// Does what a key asks; returns true for the end.
pub fn press(watched: &mut Watched, key: KeyEvent) -> bool {
    if key.kind == KeyEventKind::Release {
        return false;
    }
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return true,
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return true,
        KeyCode::Tab | KeyCode::Right => watched.turn(1),
        KeyCode::BackTab | KeyCode::Left => watched.turn(-1),
        KeyCode::Down => watched.step(1),
        KeyCode::Up => watched.step(-1),
        _ => {}
    }
    false
}
