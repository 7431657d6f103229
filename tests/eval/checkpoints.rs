//! Which checkpoint is judged.

use super::*;

#[test]
fn the_last_the_best_or_any_other_checkpoint_is_taken() {
    use fmicl_runner::run::RunDir;
    let folder = photos();
    let (_runs, run) = run_on(&folder, "", |_| ());
    let directory = RunDir::open(&run).unwrap();
    let experiment = directory.experiment().unwrap();
    let model = Model::build(&experiment, fmicl_core::tch::Device::Cpu).unwrap();
    // After each step the first running mean is the step.
    for (step, score) in [(3, Some(0.5)), (6, Some(0.9)), (9, Some(0.9)), (12, None)] {
        let mean = model.store.variables()["backbone.bn1.running_mean"].shallow_clone();
        let _ = no_grad(|| mean.shallow_clone().fill_(step as f64));
        let mut snapshot = model.snapshot();
        (snapshot.standing.step, snapshot.standing.score) = (step, score);
        directory.save(snapshot).unwrap();
    }
    let file = folder.path().join("w.safetensors");
    let step = |choice: &[&str]| {
        fmicl(&[&["export", text(&run), "--out", text(&file)], choice].concat());
        tensors(&file)["bn1.running_mean"].double_value(&[0])
    };
    let sixth = run.join("checkpoints/step-0000000006");
    assert_eq!(step(&[]), 12.0);
    assert_eq!(step(&["--checkpoint", "last"]), 12.0);
    // The first of two that are as good.
    assert_eq!(step(&["--checkpoint", "best"]), 6.0);
    assert_eq!(step(&["--checkpoint", "step-3"]), 3.0);
    assert_eq!(step(&["--checkpoint", text(&sixth)]), 6.0);
    assert_eq!(step(&["--checkpoint", text(&sixth.join("model.safetensors"))]), 6.0);
    let weights = |printed: &Value| printed["checkpoint"].as_str().unwrap().to_string();
    assert!(weights(&evaluated(&run, &["--checkpoint", "best"])).ends_with("step-0000000006/model.safetensors"));
    let printed = fmicl(&["features", text(&run), "--checkpoint", "step-9", "--split", "test"]);
    assert!(printed.contains("step-0000000009/model.safetensors"), "{printed}");

    let there = "; the run has last, step-0, step-3, step-6, step-9, step-12";
    let line = refused(&["export", text(&run), "--checkpoint", "step-4"]);
    assert_eq!(line, format!("--checkpoint: there is none of step 4{there}"));
    let line = refused(&["eval", text(&run), "--checkpoint", "bset"]);
    let wanted = "--checkpoint: bset is not the folder of a checkpoint; use last, best, step-N, or a path";
    assert_eq!(line, format!("{wanted}{there}"));
    // One that is asked for by name is not replaced by another.
    fs::write(sixth.join("model.safetensors"), "damaged").unwrap();
    let line = refused(&["export", text(&run), "--checkpoint", "best"]);
    assert!(line.contains("step-0000000006/model.safetensors: is damaged"), "{line}");
    for step in [3, 6, 9] {
        fs::remove_dir_all(run.join(format!("checkpoints/step-{step:010}"))).unwrap();
    }
    let line = refused(&["export", text(&run), "--checkpoint", "best"]);
    assert!(
        line.starts_with("--checkpoint: none of the checkpoints was evaluated"),
        "{line}"
    );
}
