//! `fmicl watch` on a terminal: what keys and signals leave behind.

use super::{make, text};
use crate::bench::Bench;
use crate::pty::terminal;
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A terminal with `fmicl watch` on it.
struct Screen {
    ours: File,
    theirs: File,
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Screen {
    fn new(bench: &Bench) -> Self {
        let (mut from, theirs) = terminal(80);
        let ours = from.try_clone().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        command
            .current_dir(bench.folder.path())
            .args(["watch", "runs/a"])
            .env("TERM", "xterm");
        command
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap());
        let child = command.stderr(theirs.try_clone().unwrap()).spawn().unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let to = shown.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                to.lock().unwrap().extend_from_slice(&bytes[..read]);
            }
        });
        Screen {
            ours,
            theirs,
            child,
            shown,
        }
    }

    fn wait_for(&self, part: &str) {
        let begun = Instant::now();
        while !self.text().contains(part) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{part:?} never came: {:?}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn text(&self) -> String {
        text(&self.shown.lock().unwrap())
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.theirs)
            .unwrap()
            .local_modes
            .contains(LocalModes::ICANON)
    }
}

const ENTERED: &str = "\u{1b}[?1049h";
const LEFT: &str = "\u{1b}[?1049l";
const CURSOR: &str = "\u{1b}[?25h";

#[test]
fn a_key_and_a_signal_leave_the_terminal_as_it_was() {
    let bench = Bench::new(str::to_string);
    make(&bench, "runs/a", 0.1);
    for (by, code) in [("q", 0), ("\u{3}", 0), ("SIGTERM", 143)] {
        let mut screen = Screen::new(&bench);
        screen.wait_for(ENTERED);
        // The loss of the made-up run.
        screen.wait_for("2.5");
        assert!(screen.is_raw());
        match by {
            "SIGTERM" => {
                // SAFETY: the process is a child that has not been waited for.
                unsafe { libc::kill(screen.child.id() as i32, libc::SIGTERM) };
            }
            key => screen.ours.write_all(key.as_bytes()).unwrap(),
        }
        let status = screen.child.wait().unwrap();
        assert_eq!(status.code(), Some(code), "{by:?}");
        screen.wait_for(LEFT);
        screen.wait_for(CURSOR);
        assert!(!screen.is_raw(), "{by:?}");
        let left = screen.text();
        let (_, behind) = left.split_once(LEFT).unwrap();
        assert!(!behind.contains("loss"), "{by:?}: drawn behind the end");
    }
}
