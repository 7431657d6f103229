//! A terminal.

use super::*;

/// What a command prints on a terminal of 60 columns.
#[cfg(target_os = "linux")]
fn on_a_terminal(args: &[&str]) -> String {
    let (mut ours, theirs) = crate::pty::terminal(60);
    let mut command = fmicl(args);
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command.stdout(theirs.try_clone().unwrap()).stderr(theirs);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut shown = Vec::new();
    // A terminal that nobody writes to any more is an error of the read.
    let _ = ours.read_to_end(&mut shown);
    child.wait().unwrap();
    text(&shown).replace("\r\n", "\n")
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_lines_are_broken_between_words_and_in_a_pipe_they_are_whole() {
    let divergense = ["list", "divergense"];
    for args in [&["list"][..], &["--help"], &["train", "--help"], &divergense] {
        let shown = on_a_terminal(args);
        let piped = run(args);
        let piped = text(&piped.stdout) + &text(&piped.stderr);
        let longest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest(&piped) > 60, "{piped}");
        assert!(longest(&shown) <= 60, "{shown}");
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(words(&shown), words(&piped));
    }
    let shown = on_a_terminal(&divergense);
    assert!(
        shown.starts_with("error: no kind of part named `divergense` (did you mean\n  `divergence`?); kinds: "),
        "{shown}"
    );
}
