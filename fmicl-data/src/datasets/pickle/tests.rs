use super::*;

/// A file that Python wrote; see `golden/cifar.py`.
fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/cifar");
    folder.join(name)
}

fn read(path: &Path) -> Result<Pickle> {
    Pickle::read(path, 1 << 20, "look elsewhere")
}

#[test]
fn a_batch_is_the_same_whichever_python_wrote_it() {
    let byte = |(image, place): (usize, usize)| ((3 * image + place) % 251) as u8;
    let expected: Vec<u8> = (0..2)
        .flat_map(|image| (0..3072).map(move |place| byte((image, place))))
        .collect();
    for name in ["python2.pkl", "array3.pkl", "array4.pkl", "array5.pkl", "view5.pkl"] {
        let pickle = read(&golden(name)).unwrap();
        assert_eq!(pickle.bytes("data").unwrap(), (vec![2, 3072], &expected[..]), "{name}");
        assert_eq!(pickle.numbers("labels").unwrap(), [6, 9], "{name}");
    }
    let names = read(&golden("meta.pkl")).unwrap().texts("label_names").unwrap();
    assert_eq!((names.len(), &*names[0], &*names[9]), (10, "airplane", "truck"));
}

#[test]
fn what_is_not_there_or_something_else_is_named() {
    let pickle = read(&golden("python2.pkl")).unwrap();
    let error = |found: Error| {
        let text = found.to_string();
        text.rsplit_once("python2.pkl: ").unwrap().1.to_string()
    };
    let cases = [
        (
            pickle.bytes("labels").map(drop),
            "its `labels` is not an array of bytes; look elsewhere",
        ),
        (
            pickle.numbers("data").map(drop),
            "its `data` is not a list of whole numbers; look elsewhere",
        ),
        (
            pickle.numbers("filenames").map(drop),
            "its `filenames` is not a list of whole numbers; look elsewhere",
        ),
        (
            pickle.texts("fine").map(drop),
            "its `fine` is not a list of strings; look elsewhere",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(error(found.unwrap_err()), expected);
    }
}

#[test]
fn broken_files_are_errors_wherever_they_end_and_none_goes_deep() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pkl");
    let whole = std::fs::read(golden("python2.pkl")).unwrap();
    for end in (0..200).chain(whole.len() - 150..whole.len()) {
        std::fs::write(&path, &whole[..end]).unwrap();
        let text = read(&path).map(drop).unwrap_err().to_string();
        assert!(
            text.contains("x.pkl: is no pickle of a dictionary (") && text.ends_with("; look elsewhere"),
            "{text}"
        );
    }
    let error = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read(&path).map(drop).unwrap_err().to_string()
    };
    // Tuples in tuples.
    let deep = [&b"\x80\x02N"[..], &[0x85; 500_000], b"."].concat();
    assert!(error(&deep).contains("(it is something else)"));
    let own: &[u8] = b"\x80\x02]q\x00h\x00a.";
    assert!(error(own).contains("(it is something else)"));
    assert!(error(&[b'N'; 1 << 21]).contains("more than 1048576 bytes"));
    // A call of something is kept, not made.
    assert!(error(b"cos\nsystem\n(U\x04truetR.").contains("(it is something else)"));
    assert!(error(b"\x80\x02\x84.").contains("the code 0x84 at byte 2, which is not read"));
    for code in 0..=255 {
        for place in [0, 2, 40, 100, 130, whole.len() - 1] {
            let mut broken = whole.clone();
            broken[place] = code;
            std::fs::write(&path, broken).unwrap();
            if let Ok(pickle) = read(&path) {
                let _ = (pickle.bytes("data"), pickle.numbers("labels"), pickle.texts("labels"));
            }
        }
    }
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let run = |pickle: &[u8]| machine::run(pickle).map(drop).unwrap_err();
    let expected = "more than 4000000 values";
    // One value, put away again and again.
    assert_eq!(run(&[&b"N"[..], &[0x94; 4_000_002], b"."].concat()), expected);
    // One value in one list, or in one dictionary, again and again.
    let again = [&b"("[..], &b"h\x00".repeat(1000)].concat();
    for (empty, code) in [(b"]", b"e"), (b"}", b"u")] {
        let part = [&again[..], code].concat();
        assert_eq!(
            run(&[&b"Nq\x000"[..], empty, &part.repeat(4001), b"."].concat()),
            expected
        );
    }
}
