use super::*;

/// Files that SciPy wrote; see `golden/mat.py`.
fn golden(name: &str, variables: &[&str]) -> Mat {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/mat");
    Mat::read(&folder.join(name), variables, 1 << 20, "look elsewhere").unwrap()
}

#[test]
fn files_of_scipy_are_read_compressed_or_not() {
    for name in ["compressed.mat", "plain.mat"] {
        let names = ["X", "double", "int16", "uint32", "single", "classes", "annotations"];
        let mut mat = golden(name, &names);
        let (shape, bytes) = mat.bytes("X").unwrap();
        assert_eq!(shape, [2, 3, 1, 2]);
        // Column by column of the first image, then of the second.
        assert_eq!(bytes, [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
        for name in ["double", "int16", "uint32", "single"] {
            assert_eq!(mat.indices(name).unwrap(), [1, 2, 300], "{name}");
        }
        assert_eq!(mat.texts("classes").unwrap(), ["BMW M3", "Škoda", "A"]);
        let annotations = mat.named_indices("annotations", "fname", "class").unwrap();
        assert_eq!(
            annotations,
            [("00001.jpg".to_string(), 14), ("00002.jpg".to_string(), 196)]
        );
    }
}

/// A file of everything that is written.
fn written(folder: &Path) -> PathBuf {
    let text = |text: &str| Value::Text(text.into());
    let bytes = Value::Bytes {
        shape: vec![2, 3],
        bytes: vec![1, 2, 3, 4, 5, 6],
    };
    let structs = Value::Structs {
        fields: vec!["fname".into(), "class".into()],
        values: vec![text("ä.jpg"), Value::Numbers(vec![3.0])],
    };
    let variables = [
        ("bytes", bytes),
        ("cell", Value::Cell(vec![text("a"), text("")])),
        ("deep", Value::Cell(vec![Value::Cell(vec![structs.clone()])])),
        ("structs", structs),
    ];
    let path = folder.join("written.mat");
    write_mat(&path, &variables).unwrap();
    path
}

#[test]
fn what_is_written_is_read_and_other_variables_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let mut mat = Mat::read(&path, &["structs", "bytes", "cell"], 1 << 20, "").unwrap();
    assert_eq!(mat.bytes("bytes").unwrap(), (vec![2, 3], vec![1, 2, 3, 4, 5, 6]));
    assert_eq!(mat.texts("cell").unwrap(), ["a", ""]);
    assert_eq!(
        mat.named_indices("structs", "fname", "class").unwrap(),
        [("ä.jpg".into(), 3)]
    );
    let error = |error: Error| error.to_string();
    let mut again = Mat::read(&path, &["bytes", "deep"], 1 << 20, "look elsewhere").unwrap();
    assert!(error(again.texts("bytes").unwrap_err()).ends_with("its `bytes` is not a cell of texts; look elsewhere"));
    assert!(error(again.indices("deep").unwrap_err()).contains("its `deep` is not an array of whole numbers from 1"));
    let missing = Mat::read(&path, &["y"], 1 << 20, "look elsewhere")
        .map(|_| ())
        .unwrap_err();
    assert!(error(missing).ends_with("holds no `y`; look elsewhere"));
}

#[test]
fn broken_files_are_errors_wherever_they_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let names = ["bytes", "cell", "deep", "structs"];
    for end in 0..whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let error = Mat::read(&path, &names, 1 << 20, "look elsewhere")
            .map(|_| ())
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("written.mat: ") && text.ends_with("; look elsewhere"),
            "{end}: {text}"
        );
    }
    // Unpacked bytes have a bound.
    std::fs::write(&path, &whole).unwrap();
    assert!(Mat::read(&path, &names, 50, "").is_err());
    let of_version_7_3 = [&whole[..124], &[0x00, 0x02, b'I', b'M']].concat();
    std::fs::write(&path, of_version_7_3).unwrap();
    let error = Mat::read(&path, &names, 1 << 20, "")
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("the header is not that of version 5"), "{error}");
}
