//! Several processes on this machine: the test's binary, started once for each rank with what a launcher gives it.

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

/// The rank of this process, where a test has started it; none in the test itself.
pub fn rank() -> Option<usize> {
    std::env::var("RANK").ok().map(|rank| rank.parse().unwrap())
}

/// Starts the test of that name once more for each of `size` ranks; there [`rank`] is some.
pub fn start(test: &str, size: usize) -> Vec<Child> {
    start_with(test, size, |_, _| ())
}

/// As [`start`], each with what `more` adds to it.
pub fn start_with(test: &str, size: usize, more: impl Fn(usize, &mut Command)) -> Vec<Child> {
    // Free at this moment.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let start = |rank: usize| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", test, "--nocapture"])
            .envs(
                [("RANK", rank), ("LOCAL_RANK", rank), ("WORLD_SIZE", size)]
                    .map(|(key, value)| (key, value.to_string())),
            )
            .env("MASTER_ADDR", "127.0.0.1")
            .env("MASTER_PORT", port.to_string())
            .env("OMP_NUM_THREADS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        more(rank, &mut command);
        command.spawn().unwrap()
    };
    (0..size).map(start).collect()
}

/// As [`start_with`], each to run the command line `fmicl ARGS` by [`fmicl`].
pub fn start_fmicl(test: &str, size: usize, args: &[&str], more: impl Fn(usize, &mut Command)) -> Vec<Child> {
    start_with(test, size, |rank, command| {
        command.env("ARGS", args.join("\n"));
        more(rank, command);
    })
}

/// Runs the command line of this process.
pub fn fmicl() {
    let args = std::env::var("ARGS").unwrap();
    let _ = fmicl_runner::cli_of(std::iter::once("fmicl").chain(args.lines()));
}

/// What the processes have said when all are over, in the order of ranks.
pub fn finish(processes: Vec<Child>) -> Vec<Output> {
    // Read at the same time: one that waits for room in its pipe would hold up the others.
    let threads: Vec<_> = processes
        .into_iter()
        .map(|process| std::thread::spawn(move || process.wait_with_output().unwrap()))
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// What a process has said to stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The same without the log of its run.
pub fn complaints(output: &Output) -> String {
    let said = stderr(output);
    let lines = said.split_inclusive('\n').filter(|line| !line.contains(" INFO "));
    lines.collect()
}

/// Runs the test of that name in `size` processes, which must all pass.
pub fn pass_in(test: &str, size: usize) {
    for (rank, output) in finish(start(test, size)).into_iter().enumerate() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "rank {rank} of {size}:\n{said}");
        // A name that no test has passes, too.
        assert!(said.contains("1 passed"), "rank {rank} of {size}:\n{said}");
    }
}
