//! Signals.

use super::*;

/// Sends a signal, such as TERM.
fn send(child: &std::process::Child, signal: &str) {
    let mut kill = Command::new("kill");
    kill.args([format!("-{signal}"), child.id().to_string()]);
    assert!(kill.status().unwrap().success());
}

#[test]
fn a_signal_stops_a_run_with_a_checkpoint_and_an_exit_code_of_its_own() {
    let bench = Bench::new(|text| text.replace("epochs = 3,", "epochs = 1000, checkpoint_minutes = 0,"));
    let line = bench.path("run").join("metrics.jsonl");
    for (signal, code) in [
        ("TERM", 143),
        ("INT", 130),
        ("USR1", 138),
        ("HUP", 129),
        ("QUIT", 131),
        ("USR2", 140),
        ("ALRM", 142),
        ("XCPU", 152),
    ] {
        let mut child = bench.start("run", 3000);
        let before = fs::metadata(&line).map_or(0, |file| file.len());
        wait_until(&mut child, "an epoch", || {
            fs::metadata(&line).is_ok_and(|file| file.len() > before)
        });
        send(&child, signal);
        let (found, stderr) = ended(&child.wait_with_output().unwrap());
        assert_eq!(found, code, "{stderr}");
        let words = format!("stopped by SIG{signal} after step ");
        assert!(stderr.lines().last().unwrap().starts_with(&words), "{stderr}");
        assert!(
            stderr.trim_end().ends_with("resume with: fmicl train --resume run"),
            "{stderr}"
        );
        assert!(!bench.is_writing("run"));
    }
    let newest = bench.checkpoints("run").pop().unwrap();
    let step = newest.to_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
    bench.finish("whole", step);
    bench.same("whole", "run", step);
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_so() {
    let bench = Bench::new(|text| text.replace("epochs = 3,", "epochs = 100, checkpoint_minutes = 0,"));
    let line = bench.path("run").join("metrics.jsonl");
    let train = bench.train("run", 300);
    let mut nohup = Command::new("nohup");
    nohup.arg(train.get_program()).args(train.get_args());
    nohup.current_dir(bench.folder.path()).env("OMP_NUM_THREADS", "1");
    let streams = nohup.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = streams.spawn().unwrap();
    let written = || fs::metadata(&line).map_or(0, |file| file.len());
    wait_until(&mut child, "an epoch", || written() > 0);
    send(&child, "HUP");
    let before = written();
    wait_until(&mut child, "another epoch", || written() > before);
    send(&child, "TERM");
    let (code, stderr) = ended(&child.wait_with_output().unwrap());
    assert_eq!(code, 143, "{stderr}");
    assert!(stderr.contains("stopped by SIGTERM after step "), "{stderr}");
}

#[test]
fn a_signal_during_the_last_evaluation_ends_a_run_with_a_word() {
    let endless = |text: &str| text.replace("linear.max_iter = 3", "linear = { max_iter = 1000000000, l2 = 0.0 }");
    let bench = Bench::new(endless);
    let log = || fs::read_to_string(bench.path("run/log.txt")).unwrap_or_default();
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let said = log().len();
        let mut child = bench.start("run", 300);
        wait_until(&mut child, "the evaluation", || {
            log()[said..].contains("evaluating the encoder")
        });
        send(&child, signal);
        let (found, stderr) = ended(&child.wait_with_output().unwrap());
        assert_eq!(found, code, "{stderr}");
        let words = format!("stopped by SIG{signal} after step 9; resume with: fmicl train --resume run");
        assert_eq!(stderr.lines().last(), Some(&*words));
        assert!(log().trim_end().ends_with(&words));
    }
}
