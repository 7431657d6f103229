//! Tar files as people have them.

use super::*;
use fmicl_data::datasets::EXTENSIONS;

/// A file in a tar file: its name and its content.
type File<'a> = (&'a str, &'a [u8]);

fn tar(files: &[File]) -> Vec<u8> {
    let mut tar = ::tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = ::tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn wanted(label: Label) -> Wanted {
    Wanted {
        image: None,
        text: None,
        label,
    }
}

/// By the extension that WebDataset uses.
fn by_cls() -> Wanted {
    wanted(Label::Text("cls".into()))
}

/// The contents of the samples and their labels, or the error without the folder.
fn read(bytes: &[u8], wanted: &Wanted) -> Result<(Vec<Vec<u8>>, Section), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    std::fs::write(&path, bytes).unwrap();
    let section = scan(&path, Stamp::of(&path, "").unwrap(), wanted);
    let section = section.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))?;
    let spans = section.offsets.iter().zip(&section.lengths);
    let contents = spans.map(|(&offset, &length)| bytes[offset as usize..][..length as usize].to_vec());
    Ok((contents.collect(), section))
}

fn error(files: &[File], wanted: &Wanted) -> String {
    read(&tar(files), wanted).map(|_| ()).unwrap_err()
}

#[test]
fn samples_are_found_with_their_labels_whatever_else_there_is() {
    let long = format!("{}/b.png", "long/".repeat(40));
    let large = vec![7; 100_000];
    let files: [File; 9] = [
        ("a.cls", b"3"),
        ("a.JPG", b"image of a"),
        ("a.json", b"{}"),
        (&long, &large),
        (&long.replace("png", "cls"), b"0"),
        ("README", b""),
        (".hidden.jpg", b""),
        ("c.txt", b"no image"),
        ("d/e.f.webp", b"image of d/e"),
    ];
    let mut all = files.to_vec();
    all.push(("d/e.cls", b"1"));
    let (contents, section) = read(&tar(&all), &by_cls()).unwrap();
    assert_eq!(contents, [b"image of a".to_vec(), large, b"image of d/e".to_vec()]);
    assert_eq!(section.labels, [3, 0, 1]);
    let left_out: Vec<_> = section.left_out.into_iter().collect();
    let expected = [("hidden or without an extension", 2), ("without an image", 1)];
    assert_eq!(left_out, expected.map(|(kind, count)| (kind.to_string(), count)));
}

#[test]
fn labels_may_stand_in_json_or_nowhere() {
    let files: [File; 4] = [
        ("a.png", b"a"),
        ("a.json", br#"{"class": 4}"#),
        ("b.json", br#"{"class": 5, "class name": "five"}"#),
        ("b.png", b"b"),
    ];
    let labels = |label| read(&tar(&files), &wanted(label)).unwrap().1.labels;
    assert_eq!(labels(Label::Key("class".into())), [4, 5]);
    assert_eq!(labels(Label::Key("other".into())), [0u32; 0]);
    assert_eq!(labels(Label::None), [0u32; 0]);
    assert_eq!(labels(Label::Text("cls".into())), [0u32; 0]);
}

#[test]
fn texts_are_samples_where_they_are_wanted() {
    let files: [File; 5] = [
        ("a.jpg", b"image"),
        ("a.txt", b"\xef\xbb\xbf  One sentence. \n"),
        ("b.txt", b" \n"),
        ("c.jpg", b"image"),
        ("d.txt", "é".as_bytes()),
    ];
    let wanted = Wanted {
        text: Some("txt".into()),
        ..wanted(Label::None)
    };
    let (contents, section) = read(&tar(&files), &wanted).unwrap();
    assert_eq!(contents, [b"One sentence.".to_vec(), "é".as_bytes().to_vec()]);
    let left_out: Vec<_> = section.left_out.into_iter().collect();
    assert_eq!(
        left_out,
        [("without a .txt".to_string(), 1), ("without a word".to_string(), 1)]
    );
    assert_eq!(error(&[("a.txt", b"\xff")], &wanted), "a.tar/a.txt: is not UTF-8");
    assert_eq!(
        error(&[("a.jpg", b"")], &wanted),
        "a.tar: holds no .txt: it has 1 without a .txt"
    );
}

#[test]
fn other_bytes_in_a_shard_are_another_portion() {
    let sum = |files: &[File]| read(&tar(files), &by_cls()).unwrap().1.crc32;
    let whole = sum(&[("a.jpg", b"1"), ("a.cls", b"0")]);
    assert_eq!(whole, sum(&[("a.cls", b"0"), ("a.jpg", b"2")]));
    for other in [
        ("b.jpg", b"1".as_slice(), "b.cls"),
        ("a.png", b"1", "a.cls"),
        ("a.jpg", b"11", "a.cls"),
    ] {
        assert_ne!(whole, sum(&[(other.0, other.1), (other.2, b"0")]));
    }
    assert_ne!(whole, sum(&[("a.jpg", b"1"), ("a.cls", b"1")]));
}

#[test]
fn an_array_is_an_image_where_a_sample_has_no_other() {
    let files: [File; 5] = [
        ("a.npy", b"array"),
        ("b.npy", b"no"),
        ("b.jpg", b"photo"),
        ("c.png", b"photo, too"),
        ("c.npy", b"no"),
    ];
    assert_eq!(
        read(&tar(&files), &wanted(Label::None)).unwrap().0,
        [&b"array"[..], b"photo", b"photo, too"]
    );
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    let cases: [(&[File], &str); 9] = [
        (
            &[("a.jpg", b""), ("a.cls", b"cat")],
            "a.tar/a.cls: holds `cat`, which is no label: an integer from 0 to 16777215 is expected",
        ),
        (
            &[("a.jpg", b""), ("a.cls", b"0"), ("b.jpg", b"")],
            "a.tar/b: lacks a `.cls`, which other samples have; add it, or train without labels by `labels = \"none\"`",
        ),
        (
            &[("a.jpg", b""), ("b.jpg", b""), ("c.jpg", b""), ("c.cls", b"0")],
            "a.tar/a: lacks a `.cls`, which other samples have; add it, or train without labels by `labels = \"none\"`",
        ),
        (&[("a.jpg", b""), ("a.jpg", b"")], "a.tar/a.jpg: comes twice"),
        (
            &[("a.jpg", b""), ("b.jpg", b""), ("a.cls", b"")],
            "a.tar/a: comes twice: the files of a sample must follow each other, and each sample has a key of its own",
        ),
        (
            &[("a.jpg", b""), ("a.seg.png", b"")],
            "a.tar/a.seg.png: is an image beside `.jpg` of the same sample; `image = \"jpg\"` takes that one of each",
        ),
        (
            &[("a.txt", b""), ("b.txt", b"")],
            "a.tar: holds no image (EXTENSIONS): it has 2 without an image",
        ),
        (&[], "a.tar: holds no image (EXTENSIONS): it is empty"),
        (
            &[("a", b"")],
            "a.tar: holds no image (EXTENSIONS): it has 1 hidden or without an extension",
        ),
    ];
    for (files, expected) in cases {
        let expected = expected.replace("EXTENSIONS", &format!(".{}", EXTENSIONS.join(" .")));
        assert_eq!(error(files, &by_cls()), expected);
    }
    let left = Wanted {
        image: Some("left.jpg".into()),
        ..by_cls()
    };
    let files: [File; 2] = [("a.left.jpg", b"left"), ("a.right.jpg", b"right")];
    assert_eq!(read(&tar(&files), &left).unwrap().0, [b"left"]);
    assert_eq!(
        error(&[("a.jpg", b"")], &left),
        "a.tar: holds no .left.jpg: it has 1 without a .left.jpg"
    );
}

#[test]
fn a_part_of_a_tar_file_is_told_with_the_offset() {
    let whole = tar(&[("a.jpg", &[7; 2000]), ("b.jpg", &[8; 10])]);
    assert_eq!(whole.len(), 512 + 2048 + 512 + 512 + 1024);
    let cut = |length: usize| read(&whole[..length], &by_cls()).map(|_| ()).unwrap_err();
    assert_eq!(
        cut(2511),
        "a.tar: is truncated: `a.jpg` at byte 512 has 2000 bytes, and the file ends at byte 2511"
    );
    // Between two files, nothing else tells.
    for at in [2560, 3584] {
        let expected = format!("a.tar: is truncated: it ends at byte {at} without the zeros that end a tar file");
        assert_eq!(cut(at), expected);
    }
    assert!(
        cut(2600).starts_with("a.tar: is damaged, or no tar file, at byte "),
        "{}",
        cut(2600)
    );
    assert!(
        read(&whole[..3584 + 512], &by_cls()).is_ok(),
        "a block of zeros is an end"
    );
    let both = [&whole[..], &whole].concat();
    let expected = "a.tar: has more behind the end of its tar file at byte 4096, which is not read: pack it anew";
    assert_eq!(read(&both, &by_cls()).map(|_| ()).unwrap_err(), expected);
    // However many zeros are between them.
    let zeros = vec![0; 300_000];
    let apart = [&whole[..], &zeros, &whole].concat();
    assert_eq!(read(&apart, &by_cls()).map(|_| ()).unwrap_err(), expected);
    assert!(read(&[&whole[..], &zeros].concat(), &by_cls()).is_ok());
}

#[test]
fn what_is_no_tar_file_is_refused_with_what_would_work() {
    let error = |bytes: &[u8]| read(bytes, &by_cls()).map(|_| ()).unwrap_err();
    let found = error(b"\x1f\x8b\x08 and so on");
    let expected =
        "a.tar: is compressed by gzip, so that nothing in it can be read without all before it: unpack it once with ";
    assert!(found.starts_with(expected), "{found}");
    assert_eq!(error(b""), "a.tar: is empty, and no tar file");
    assert!(error(b"version https://git-lfs.github.com/spec/v1\nsize 5\n").contains("is a pointer of git-lfs"));
    let expected = "a.tar: is damaged, or no tar file, at byte 512: no header of a file begins there";
    for byte in [b'x', 0xff, 7, 0x1b] {
        assert_eq!(error(&[byte; 2000]), expected);
    }
}

#[test]
fn what_unpacks_a_compressed_file_goes_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let command = |name: &str, magic: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, [magic, &[0; 600]].concat()).unwrap();
        let found = scan(&path, Stamp::of(&path, "").unwrap(), &by_cls());
        let found = found.map(|_| ()).unwrap_err().to_string();
        let found = found.replace(&format!("{}/", folder.path().display()), "");
        let (_, command) = found.split_once(" unpack it once with `").unwrap();
        command.trim_end_matches('`').to_string()
    };
    let gzip = b"\x1f\x8b";
    assert_eq!(command("a.tar.gz", gzip), "gunzip --keep a.tar.gz");
    assert_eq!(command("a.TGZ", gzip), "gunzip --keep a.TGZ");
    // Of another name, the commands take nothing.
    assert_eq!(command("a.tar", gzip), "mv a.tar a.tar.gz && gunzip a.tar.gz");
    assert_eq!(
        command("a.tar", b"\x28\xb5\x2f\xfd"),
        "mv a.tar a.tar.zst && unzstd a.tar.zst"
    );
    assert_eq!(
        command("a.tar.gz", b"\xfd7zXZ"),
        "mv a.tar.gz a.tar.gz.xz && unxz a.tar.gz.xz"
    );
}

#[test]
fn a_file_is_named_by_the_header_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    std::fs::write(&path, tar(&[("a/b.jpg", b"1"), ("c.jpg", b"2")])).unwrap();
    let section = scan(&path, Stamp::of(&path, "").unwrap(), &by_cls()).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let names = [0, 1, 2].map(|piece| name(&file, &section, piece));
    assert_eq!(names, [Some("a/b.jpg".to_string()), Some("c.jpg".to_string()), None]);
}

#[test]
fn webdatasets_own_shards_read_as_webdataset_reads_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let text = Wanted {
        text: Some("txt".into()),
        ..wanted(Label::None)
    };
    let mut lines = Vec::new();
    for shard in ["train-000000.tar", "train-000001.tar"] {
        let path = folder.join(shard);
        let bytes = std::fs::read(&path).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let [images, texts] =
            [&by_cls(), &text].map(|wanted| scan(&path, Stamp::of(&path, "").unwrap(), wanted).unwrap());
        let sum = |section: &Section, piece: usize| {
            let offset = section.offsets[piece] as usize;
            crc32fast::hash(&bytes[offset..offset + section.lengths[piece] as usize])
        };
        for (piece, label) in images.labels.iter().enumerate() {
            let name = name(&file, &images, piece).unwrap();
            let key = name.rsplit_once('.').unwrap().0;
            lines.push(format!(
                "{shard} {key} {label} {} {}",
                sum(&images, piece),
                sum(&texts, piece)
            ));
        }
    }
    let expected = std::fs::read_to_string(folder.join("expected.txt")).unwrap();
    assert_eq!(lines, expected.lines().collect::<Vec<_>>());
}
