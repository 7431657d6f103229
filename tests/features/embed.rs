//! Vectors of lines.

use super::*;

#[test]
fn images_that_are_named_on_stdin_become_the_vectors_of_their_dataset() {
    let data = tempfile::tempdir().unwrap();
    let photos: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    let mut dataset = photos.example(data.path()).unwrap();
    dataset.insert("name".into(), "image-folder".into());
    let (_folder, run) = run_of(format!("dataset={}", toml::Value::Table(dataset)));
    fmicl(&["features", text(&run), "--split", "test"]);
    let expected = Tensor::read_npy(run.join("features/test_features.npy")).unwrap();

    let mut photos = files_below(data.path());
    photos.retain(|path| path.to_string_lossy().contains("/val/") || path.to_string_lossy().contains("/test/"));
    photos.sort();
    let lines: String = photos.iter().map(|path| format!("{}\n", path.display())).collect();
    let printed = String::from_utf8(embed(&[text(&run)], &lines).stdout).unwrap();
    let numbers: Vec<f32> = printed
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    assert!(
        Tensor::from_slice(&numbers)
            .view(expected.size().as_slice())
            .allclose(&expected, 1e-5, 1e-6, false)
    );

    let nothing = embed(&[text(&run)], "");
    assert_eq!(nothing.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(nothing.stderr).unwrap(),
        "error: stdin: has no lines; give one sample per line\n"
    );
    let wrong = String::from_utf8(embed(&[text(&run)], "no-such.png\n\n").stderr).unwrap();
    let expected = "error: stdin: none of the first 2 lines can be read; line 1: no-such.png: there is no such file; give the path of one image per line\n";
    assert!(wrong.ends_with(expected), "{wrong}");
    let ending = embed(&[text(&run), "--out", "x.txt"], "");
    assert_eq!(ending.status.code(), Some(2));
}

#[test]
fn lines_that_cannot_be_read_are_named_and_their_rows_are_nan() {
    let data = tempfile::tempdir().unwrap();
    let photos: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    let mut dataset = photos.example(data.path()).unwrap();
    dataset.insert("name".into(), "image-folder".into());
    let (folder, run) = run_of(format!("dataset={}", toml::Value::Table(dataset)));
    let mut photos = files_below(data.path());
    photos.sort();
    let cut = data.path().join("cut.png");
    std::fs::write(&cut, &std::fs::read(&photos[0]).unwrap()[..40]).unwrap();
    let good = photos[0].display();
    let lines = format!("{good}\n\n{good}\n{}\nno-such.png\n", cut.display());
    let out = folder.path().join("x.npy");
    let output = embed(&[text(&run), "--out", text(&out)], &lines);
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("line 2: a blank line: names no image"), "{log}");
    assert!(log.contains("line 4: ") && log.contains("cut.png: "), "{log}");
    assert!(log.contains("line 5: no-such.png: there is no such file"), "{log}");
    assert!(
        log.ends_with("error: stdin: 3 of 5 lines cannot be read, and have vectors of NaN; they are named above\n"),
        "{log}"
    );
    let vectors = Tensor::read_npy(&out).unwrap();
    let whole = Vec::<bool>::try_from(vectors.isfinite().all_dim(1, false)).unwrap();
    assert_eq!(whole, [true, false, true, false, false]);
    assert!(vectors.get(0).equal(&vectors.get(2)));

    // What was before a line that is no text is kept.
    let lines = [format!("{good}\n{good}\n").as_bytes(), b"caf\xe9\n"].concat();
    let output = embed(&[text(&run), "--out", text(&out)], lines);
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        log,
        "error: stdin: line 3 is not UTF-8 text; the vectors of the 2 lines before it are written\n"
    );
    assert_eq!(Tensor::read_npy(&out).unwrap().size()[0], 2);
}

/// What `fmicl embed` does with these lines.
fn embed(args: &[&str], lines: impl AsRef<[u8]>) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    command.arg("embed").args(args).env("OMP_NUM_THREADS", "1");
    let pipe = || std::process::Stdio::piped();
    let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
    // It may have refused before it reads.
    let _ = child.stdin.take().unwrap().write_all(lines.as_ref());
    child.wait_with_output().unwrap()
}
