use super::*;
use std::fs;

fn experiment(text: &str) -> Experiment {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    fs::write(&file, text).unwrap();
    config::load(&file, &[]).unwrap()
}

fn create(out: &Path, checkpoint_bytes: u64) -> Result<RunDir> {
    let experiment = experiment(
        r#"
        dataset = "digits"
        backbone = "resnet"
        architecture = "simclr"
        objective = "infonce"
        optimizer = "sgd"
        train = { epochs = 1, batch_size = 8, lr = 0.1 }
        "#,
    );
    RunDir::create(out.to_path_buf(), &experiment, checkpoint_bytes, None)
}

#[test]
fn a_run_directory_holds_the_complete_config() {
    let folder = tempfile::tempdir().unwrap();
    let run = create(&folder.path().join("run"), 100).unwrap();
    let config = fs::read_to_string(run.config_path()).unwrap();
    assert!(
        config.contains("temperature = 0.5") && config.contains("momentum = 0.9"),
        "{config}"
    );
    assert!(config::load(&run.config_path(), &[]).is_ok());
}

#[test]
fn a_directory_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    let message = create(folder.path(), 100).unwrap_err().to_string();
    assert!(
        message.ends_with("is not empty; name a new directory with --out"),
        "{message}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_of_somebody_else_is_not_taken_for_a_run_s() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("files/mine.txt");
    fs::create_dir(folder.path().join("files")).unwrap();
    fs::write(&theirs, "mine").unwrap();
    let message = create(folder.path(), 100).unwrap_err().to_string();
    assert!(message.contains("is not empty"), "{message}");
    assert!(theirs.exists());
}

#[test]
fn the_files_that_a_run_keeps_need_room_too() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = folder.path().join("tokenizer.json");
    // As large as what is free, and takes none of it.
    let sparse = File::create(&tokenizer).unwrap();
    sparse.set_len(disk::free_space(folder.path()).unwrap()).unwrap();
    let experiment = experiment(&format!(
        r#"
        dataset = {{ name = "sentences", path = "x.txt" }}
        backbone = "bert"
        views = {{ name = "text", tokenizer = {tokenizer:?} }}
        architecture = "simclr"
        objective = "infonce"
        optimizer = "sgd"
        train = {{ epochs = 1, batch_size = 8, lr = 0.1 }}
        "#
    ));
    let run = folder.path().join("run");
    let message = RunDir::create(run.clone(), &experiment, 100, None)
        .unwrap_err()
        .to_string();
    assert!(message.contains("MiB free and this run needs"), "{message}");
    assert!(!run.exists());
}

#[test]
fn a_disk_without_room_is_found_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let message = create(&folder.path().join("run"), u64::MAX / 2)
        .unwrap_err()
        .to_string();
    assert!(message.contains("MiB free and this run needs"), "{message}");
    assert!(
        !folder.path().join("run").exists(),
        "the same command can be tried again"
    );
}

#[test]
fn what_a_killed_process_left_before_it_had_a_config_is_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    fs::create_dir_all(out.join(CHECKPOINTS)).unwrap();
    fs::write(out.join(LOCK), "").unwrap();
    for name in [".config.toml.partial", "init.safetensors", ".init.safetensors.partial"] {
        fs::write(out.join(name), "data").unwrap();
    }
    fs::create_dir(out.join("files")).unwrap();
    fs::write(out.join("files/views.tokenizer"), "data").unwrap();
    let run = create(&out, 100).unwrap();
    let second = RunDir::open(run.path()).unwrap().locked().unwrap_err().to_string();
    assert!(second.contains("another process is training here"), "{second}");
    drop(run);
    assert!(
        RunDir::open(&out).unwrap().locked().is_ok(),
        "the lock ends with the process"
    );
    let message = create(&out, 100).unwrap_err().to_string();
    assert!(message.contains("resume the run in it with --resume auto"), "{message}");
}
