use super::*;
use crate::run::provenance::Computing;
use serde_json::json;

/// A run of 4 epochs in a folder, with the lines of its log and its epochs.
fn run(log: &str, epochs: &[Value]) -> tempfile::TempDir {
    let run = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(run.path().join(name), text).unwrap();
    write(CONFIG, "seed = 0\n[train]\nepochs = 4\n");
    write("log.txt", log);
    write(
        METRICS,
        &epochs.iter().map(|epoch| format!("{epoch}\n")).collect::<String>(),
    );
    run
}

fn segment(run: &Path, changes: Value) {
    let own = Segment::begin(&Computing {
        step: 0,
        device: "Cpu",
        threads: 1,
        processes: 1,
        train: None,
        steps: Some(12),
    });
    let mut own = json!(own);
    let of = |value: &Value| value.as_object().unwrap().clone();
    own.as_object_mut().unwrap().extend(of(&changes));
    fs::write(run.join("provenance.json"), json!([own]).to_string()).unwrap();
}

fn epoch(number: u64, rank: f64) -> Value {
    let projections = json!({ "effective_rank": rank, "mean_cosine": 0.1, "dimensions": 16 });
    json!({ "epoch": number, "step": 3 * number, "loss": 1.5, "projections": projections })
}

const ENDED: &str = "2026-01-01T00:01:00Z";

fn state(run: &Path) -> (State, Option<String>) {
    let observed = Observed::new(run);
    (observed.state, observed.why)
}

#[test]
fn a_run_is_running_while_its_lock_is_held_and_no_longer() {
    let run = run("", &[epoch(1, 9.0)]);
    segment(run.path(), json!({ "start": "2026-01-01T00:00:00Z" }));
    let held = disk::lock(&run.path().join(LOCK)).unwrap();
    let mut observed = Observed::new(run.path());
    assert_eq!(observed.state, State::Running);
    assert_eq!(
        observed.done,
        Done {
            epochs: 1,
            of_epochs: Some(4),
            steps: 3,
            of_steps: Some(12)
        }
    );
    assert!(observed.left(SystemTime::now()).is_some());
    drop(held);
    observed.update();
    assert_eq!((observed.state, observed.why.as_deref()), (State::BrokenOff, None));
    assert_eq!(observed.left(SystemTime::now()), None);
    segment(run.path(), json!({ "host": "another" }));
    assert_eq!(state(run.path()), (State::BrokenOff, Some("it ran on another".into())));
}

#[test]
fn how_a_run_ended_is_what_its_record_and_its_log_say() {
    let run = run("t  INFO started\n", &[epoch(1, 9.0)]);
    let says = |line: &str| fs::write(run.path().join("log.txt"), format!("t  INFO started\n{line}")).unwrap();
    segment(run.path(), json!({ "start": "2026-01-01T00:00:00Z", "end": ENDED }));
    assert_eq!(state(run.path()), (State::Stopped, Some("stopped after step 3".into())));
    assert_eq!(Observed::new(run.path()).seconds, 60.0);
    says("t ERROR stopped by SIGTERM after step 5; resume with: x\n");
    assert_eq!(
        state(run.path()),
        (State::Stopped, Some("stopped by SIGTERM after step 5".into()))
    );
    says("t ERROR x.png: is damaged\n");
    assert_eq!(state(run.path()), (State::Failed, Some("x.png: is damaged".into())));
    fs::write(run.path().join(METRICS), format!("{}\n", epoch(1, 1.01))).unwrap();
    assert_eq!(state(run.path()).0, State::Collapsed);
    let result = |epochs: u64| {
        fs::write(
            run.path().join(RESULT),
            json!({ "epochs": epochs, "seconds": 7.5 }).to_string(),
        )
        .unwrap()
    };
    // Of the epochs that it had before it went on.
    result(2);
    let why = state(run.path()).1.unwrap();
    assert!(
        why.starts_with("the projections have an effective rank of 1.01 ") && why.ends_with("; x.png: is damaged"),
        "{why}"
    );
    result(4);
    let observed = Observed::new(run.path());
    assert_eq!((observed.state, observed.seconds), (State::Collapsed, 7.5));
    assert!(
        observed
            .why
            .unwrap()
            .starts_with("the projections have an effective rank of 1.01")
    );
    fs::write(run.path().join(METRICS), format!("{}\n", epoch(4, 9.0))).unwrap();
    assert_eq!(state(run.path()), (State::Finished, None));
    fs::write(run.path().join(FAILED), "no memory\n").unwrap();
    assert_eq!(state(run.path()), (State::Failed, Some("no memory".into())));
}

#[test]
fn what_is_damaged_is_said_and_hides_nothing_else() {
    let run = run("", &[epoch(1, 9.0)]);
    fs::write(run.path().join("provenance.json"), "[{").unwrap();
    let observed = Observed::new(run.path());
    assert_eq!((observed.state, observed.done.epochs), (State::BrokenOff, 1));
    assert!(
        observed.problems[0].contains("provenance.json: is damaged"),
        "{:?}",
        observed.problems
    );
    fs::write(run.path().join(CONFIG), "[train").unwrap();
    let (state, why) = state(run.path());
    assert_eq!(state, State::Unknown);
    assert!(why.unwrap().contains("config.toml: is not a run's"));
    // A folder of which a sweep kept why nothing came of it.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FAILED), "no such file\n").unwrap();
    assert_eq!(Observed::new(folder.path()).state, State::Failed);
}

#[test]
fn files_of_any_size_and_numbers_are_looked_at() {
    let run = run("", &[epoch(1, 9.0)]);
    let config = format!("[train]\nepochs = {}", i64::MAX);
    fs::write(run.path().join(CONFIG), config).unwrap();
    assert_eq!(
        Observed::new(run.path()).done.of_steps,
        None,
        "3 steps in each of them are too many"
    );
    let large = |name: &str| {
        let file = fs::File::create(run.path().join(name)).unwrap();
        file.set_len(1 << 40).unwrap();
    };
    large(RESULT);
    let observed = Observed::new(run.path());
    let said = |text: &str| text.contains(" bytes, and at most ") && text.lines().count() == 1;
    assert!(
        said(&observed.problems[0]) && observed.result.is_none(),
        "{:?}",
        observed.problems
    );
    large(FAILED);
    let (state, why) = state(run.path());
    assert!(state == State::Failed && said(&why.clone().unwrap()), "{why:?}");
}

#[test]
fn the_steps_that_are_planned_are_known_before_the_first_epoch_is_over() {
    let run = run("", &[]);
    segment(run.path(), json!({ "steps": 40 }));
    fs::write(
        run.path().join(STEPS),
        "{\"epoch\":1,\"step\":10,\"loss\":1}\n{\"epoch\":1,\"st",
    )
    .unwrap();
    let done = Observed::new(run.path()).done;
    assert_eq!((done.steps, done.of_steps, done.epochs), (10, Some(40), 0));
    assert_eq!(done.share(), Some(0.25));
}
