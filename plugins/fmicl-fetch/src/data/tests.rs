//! A dataset of an outsider, which says where it comes from and can be fetched for that.

use super::{Sets, Verb, load};
use fmicl_core::{Dataset, Download, Error, Image, Result, Samples, Source, Split, register};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;

/// A gray pixel a letter, from `letters.bin`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Letters {
    root: PathBuf,
    server: String,
}

register!(Dataset, "letters", Letters, "letters of a pixel each, for tests");

impl Dataset for Letters {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        if split == Split::Test {
            return Err(Error::data(&self.root, "letters of one class have no test split"));
        }
        let path = self.root.join("letters.bin");
        let pixels = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
        match pixels[..] {
            [] => Err(Error::data(path, "is empty")),
            _ => Ok(Box::new(Pixels(pixels))),
        }
    }

    fn source(&self) -> Source {
        Source {
            looks_in: vec![self.root.clone()],
            folder: self.root.clone(),
            downloads: vec![Download {
                url: format!("{}/letters.bin", self.server),
                bytes: None,
                checksum: None,
                unpack: None,
            }],
            terms: "none".into(),
            ..Source::default()
        }
    }
}

struct Pixels(Vec<u8>);

impl Samples for Pixels {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn classes(&self) -> usize {
        1
    }

    fn image(&self, index: usize) -> Result<Image> {
        Ok(Image::from_gray(1, 1, &self.0[index..=index]))
    }

    fn label(&self, _index: usize) -> usize {
        0
    }
}

/// Answers one request, and refuses the next.
fn serve_once(body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while !lines.next().unwrap().unwrap().is_empty() {}
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .unwrap();
        stream.write_all(body).unwrap();
    });
    address
}

/// What is printed, and the error.
fn info(sets: &[String]) -> (String, Result<(), String>) {
    let mut out = Vec::new();
    let told = super::info::one(&mut out, &load("letters", sets).unwrap());
    (String::from_utf8(out).unwrap(), told.map_err(|error| error.to_string()))
}

#[test]
fn what_a_dataset_declares_is_fetched_read_and_not_fetched_twice() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let sets = [
        format!("root={}", root.display()),
        format!("server={}", serve_once(b"abc")),
    ];
    let (before, told) = info(&sets);
    assert_eq!(
        told.unwrap_err(),
        "letters is not there; `fmicl data fetch letters` downloads it"
    );
    assert!(
        before.contains(&format!("looks in  {} (is not there)", root.display())),
        "{before}"
    );
    assert!(
        before.contains("not found ") && before.contains("letters.bin: size not known, no checksum"),
        "{before}"
    );

    let fetch = || {
        let mut out = Vec::new();
        super::fetch::fetch(&mut out, &load("letters", &sets).unwrap(), None).unwrap();
        String::from_utf8(out).unwrap()
    };
    let first = fetch();
    let expected = "letters is there: 3 images to pre-train on\nin an experiment: dataset = { ";
    assert!(first.starts_with(expected), "{first}");
    // Nobody answers any more.
    assert!(fetch().starts_with("letters is there already: 3 images"));
    let (after, told) = info(&sets);
    assert_eq!(told, Ok(()));
    assert!(
        after.contains("found     3 images to pre-train on") && after.contains("1 x 1 pixels"),
        "{after}"
    );
}

#[test]
fn to_is_short_for_the_option_root() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a b");
    let command = Verb::Fetch {
        dataset: "letters".into(),
        options: Sets {
            sets: vec![format!("server={}", serve_once(b"ab"))],
        },
        to: Some(to.clone()),
        from: None,
    };
    command.run().unwrap();
    assert_eq!(std::fs::read(to.join("letters.bin")).unwrap(), b"ab");
}

#[test]
fn what_is_there_and_not_whole_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letters.bin");
    std::fs::write(&path, "").unwrap();
    let dataset = load("letters", &[format!("root={}", folder.path().display())]).unwrap();
    let error = super::fetch::fetch(&mut Vec::new(), &dataset, None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("letters.bin: is empty (what was fetched before is still there"),
        "{error}"
    );
}

#[test]
fn an_option_that_is_wrong_says_where_it_was_set() {
    let error = |set: &str| load("letters", &[set.to_string()]).unwrap_err()[0].to_string();
    assert!(
        error("rot=x").starts_with("--set rot=x: unknown key (did you mean `root`?)"),
        "{}",
        error("rot=x")
    );
    assert!(error("root=3").starts_with("--set root=3: "), "{}", error("root=3"));
    let error = load("leters", &["root=x".into()]).unwrap_err()[0].to_string();
    assert!(
        error.starts_with("no dataset named `leters` (did you mean `letters`?)"),
        "{error}"
    );
}

#[test]
fn the_verb_obeys_the_laws() {
    fmicl_runner::testing::check_command("data");
}
