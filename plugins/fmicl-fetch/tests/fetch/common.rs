//! A server on this machine that answers as a test tells it, and archives.

use flate2::{Compression, write::GzEncoder};
use fmicl_core::{Archive, Checksum, Download, Format, Result, Source};
use fmicl_fetch::{Event, Fetch, fetch};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a client asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
}

impl Request {
    /// Where the range begins.
    pub fn begin(&self) -> usize {
        let begin = self
            .range
            .as_deref()
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        begin.map_or(0, |begin| begin.parse().unwrap())
    }
}

pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// `answer` gets the number of the request, from 0, and closes the connection by returning.
    pub fn new(answer: impl Fn(usize, &Request, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let request = read(&stream);
                log.lock().unwrap().push(request.clone());
                answer(index, &request, &mut stream);
            }
        });
        Server { url, requests }
    }

    /// One that serves `body` with ranges, and breaks off before the end in the first `breaks` answers.
    pub fn resuming(body: Vec<u8>, breaks: usize) -> Self {
        Server::new(move |index, request, stream| {
            let rest = &body[request.begin()..];
            let sent = if index < breaks { rest.len() / 2 } else { rest.len() };
            partial_content(stream, request, &body, &rest[..sent]);
        })
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream).lines();
    let mut request = Request {
        path: lines.next().unwrap().unwrap().split(' ').nth(1).unwrap().to_string(),
        ..Default::default()
    };
    for line in lines.map(|line| line.unwrap()).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        match &*name.to_lowercase() {
            "range" => request.range = Some(value.into()),
            "if-range" => request.if_range = Some(value.into()),
            _ => {}
        }
    }
    request
}

/// A status line, headers (each with a line end), and a body that need not be all of it. A client that hangs up is none of
/// our business.
pub fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let _ =
        write!(stream, "HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n").and_then(|()| stream.write_all(body));
}

pub fn ok(stream: &mut TcpStream, body: &[u8]) {
    respond(stream, "200 OK", &format!("Content-Length: {}\r\n", body.len()), body);
}

/// The range that was asked for, of which `sent` is really sent.
pub fn partial_content(stream: &mut TcpStream, request: &Request, body: &[u8], sent: &[u8]) {
    let (begin, total) = (request.begin(), body.len());
    let mut headers = format!("ETag: \"v1\"\r\nContent-Length: {}\r\n", total - begin);
    let status = if request.range.is_some() {
        headers += &format!("Content-Range: bytes {begin}-{}/{total}\r\n", total - 1);
        "206 Partial Content"
    } else {
        "200 OK"
    };
    respond(stream, status, &headers, sent);
}

/// Bytes without a pattern.
pub fn bytes(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(next).collect()
}

pub fn sha256(bytes: &[u8]) -> Checksum {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(bytes);
    Checksum::Sha256(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A dataset of the one file `name`, which holds `body`.
pub fn source(server: &str, name: &str, body: &[u8], unpack: Option<Archive>, folder: &Path) -> Source {
    let download = Download {
        url: format!("{server}/{name}"),
        bytes: Some(body.len() as u64),
        checksum: Some(sha256(body)),
        unpack,
    };
    Source {
        folder: folder.into(),
        downloads: vec![download],
        ..Default::default()
    }
}

/// What is new, and the notes.
pub fn run(source: &Source) -> (Result<Vec<PathBuf>>, Vec<String>) {
    let options = Fetch {
        patience: Duration::from_secs(2),
        ..Default::default()
    };
    let mut notes = Vec::new();
    let result = fetch(source, &options, |event| {
        if let Event::Note(note) = event {
            notes.push(note.to_string());
        }
    });
    (result, notes)
}

/// The error, which is one line and names the address or the file.
pub fn error(source: &Source) -> String {
    let error = run(source).0.unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(source.downloads[0].file_name()), "{error}");
    error
}

/// The names in a folder, sorted; none where it is not there.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn archive(format: Format) -> Archive {
    Archive {
        format,
        makes: "letters".into(),
        at_most: 100_000,
    }
}

/// A tar entry: its name as it is written, its type, its size as it claims, its content.
pub type Entry<'a> = (&'a str, tar::EntryType, &'a [u8]);

/// A tar.gz in which names are not checked.
pub fn tar_gz(entries: &[Entry]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// A zip in which names are not checked; a symlink where there is no content.
pub fn zip(entries: &[(&str, Option<&[u8]>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in entries {
        match content {
            None => zip.add_symlink(*name, "/etc/passwd", options).unwrap(),
            Some(_) if name.ends_with('/') => zip.add_directory(*name, options).unwrap(),
            Some(content) => {
                zip.start_file(*name, options).unwrap();
                zip.write_all(content).unwrap();
            }
        }
    }
    zip.finish().unwrap().into_inner()
}
