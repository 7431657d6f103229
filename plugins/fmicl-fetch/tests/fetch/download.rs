//! Downloads from a server that behaves, and from servers that do not.

use crate::common::*;
use fmicl_fetch::{Fetch, fetch};
use std::time::{Duration, Instant};

#[test]
fn a_file_is_downloaded_checked_and_not_downloaded_again() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(300_000));
    let server = Server::resuming(body.clone(), 0);
    let source = source(&server.url, "a.bin", &body, None, &folder.path().join("data"));
    let (fetched, notes) = run(&source);
    let path = folder.path().join("data/a.bin");
    assert_eq!(fetched.unwrap(), std::slice::from_ref(&path));
    assert!(notes[0].starts_with("checked: SHA-256 "), "{notes:?}");
    assert_eq!(std::fs::read(&path).unwrap(), body);
    assert_eq!(names(&folder.path().join("data")), ["a.bin"]);

    assert!(run(&source).0.unwrap().is_empty());
    assert_eq!(server.requests().len(), 1);

    std::fs::write(&path, "mine").unwrap();
    let error = error(&source);
    assert!(error.contains("a.bin: is there already, but has SHA-256 "), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

#[test]
fn a_connection_that_breaks_is_taken_up_in_the_same_run() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(300_000));
    let server = Server::resuming(body.clone(), 3);
    let source = source(&server.url, "a.bin", &body, None, folder.path());
    let (fetched, notes) = run(&source);
    assert_eq!(std::fs::read(&fetched.unwrap()[0]).unwrap(), body);
    assert!(notes.contains(&"resuming after 262.5 kB".to_string()), "{notes:?}");
    let requests = server.requests();
    let begins: Vec<_> = requests.iter().map(Request::begin).collect();
    assert_eq!(begins, [0, 150_000, 225_000, 262_500]);
    assert_eq!(requests[1].if_range.as_deref(), Some("\"v1\""));
}

#[test]
fn a_download_that_broke_off_goes_on_in_the_next_run() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(300_000));
    let served = body.clone();
    let server = Server::new(move |index, request, stream| match index {
        0 => partial_content(stream, request, &served, &served[..100_000]),
        // Nothing more comes: no use in trying on.
        1 => {}
        _ => partial_content(stream, request, &served, &served[request.begin()..]),
    });
    let mut source = source(&server.url, "a.bin", &body, None, folder.path());
    // What it is a part of is known from the ETag alone.
    source.downloads[0].checksum = None;
    let error = error(&source);
    assert!(error.contains("/a.bin: "), "{error}");
    assert_eq!(names(folder.path()), ["a.bin.partial", "a.bin.partial.version"]);

    let (fetched, notes) = run(&source);
    assert_eq!(std::fs::read(&fetched.unwrap()[0]).unwrap(), body);
    assert_eq!(
        notes,
        [
            "resuming after 100.0 kB",
            "not checked: no checksum is published for it"
        ]
    );
    assert_eq!(server.requests()[2].begin(), 100_000);
    assert_eq!(names(folder.path()), ["a.bin"]);
}

#[test]
fn a_server_without_ranges_makes_it_start_over() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(50_000));
    std::fs::write(folder.path().join("a.bin.partial"), bytes(20_000)).unwrap();
    let served = body.clone();
    let server = Server::new(move |_, _, stream| ok(stream, &served));
    let (fetched, notes) = run(&source(&server.url, "a.bin", &body, None, folder.path()));
    assert_eq!(std::fs::read(&fetched.unwrap()[0]).unwrap(), body);
    assert_eq!(notes[0], "the server does not resume it: starting over");
    assert_eq!(server.requests()[0].begin(), 20_000);
}

#[test]
fn more_than_the_file_has_is_thrown_away() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(50_000));
    std::fs::write(folder.path().join("a.bin.partial"), bytes(60_000)).unwrap();
    let server = Server::resuming(body.clone(), 0);
    let (fetched, _) = run(&source(&server.url, "a.bin", &body, None, folder.path()));
    assert_eq!(std::fs::read(&fetched.unwrap()[0]).unwrap(), body);
    assert_eq!(server.requests()[0].range, None);
}

#[test]
fn a_server_that_answers_with_other_bytes_makes_it_start_over() {
    for answer in ["bytes 0-49999/50000", "bytes */50000"] {
        let (folder, body) = (tempfile::tempdir().unwrap(), bytes(50_000));
        std::fs::write(folder.path().join("a.bin.partial"), bytes(20_000)).unwrap();
        let served = body.clone();
        let server = Server::new(move |index, request, stream| match index {
            0 => {
                let status = if answer.contains('*') {
                    "416 Range Not Satisfiable"
                } else {
                    "206 Partial Content"
                };
                respond(
                    stream,
                    status,
                    &format!("Content-Range: {answer}\r\nContent-Length: 0\r\n"),
                    b"",
                );
            }
            _ => partial_content(stream, request, &served, &served[request.begin()..]),
        });
        let (fetched, notes) = run(&source(&server.url, "a.bin", &body, None, folder.path()));
        assert_eq!(std::fs::read(&fetched.unwrap()[0]).unwrap(), body);
        assert_eq!(notes[0], "the server does not have the rest of it: starting over");
        assert_eq!(server.requests()[1].range, None);
    }
}

#[test]
fn without_checksum_and_version_nothing_is_resumed() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(50_000));
    std::fs::write(folder.path().join("a.bin.partial"), vec![0; 20_000]).unwrap();
    let server = Server::resuming(body.clone(), 0);
    let mut source = source(&server.url, "a.bin", &body, None, folder.path());
    source.downloads[0].checksum = None;
    let (fetched, _) = run(&source);
    assert_eq!(std::fs::read(&fetched.unwrap()[0]).unwrap(), body);
    assert_eq!(server.requests()[0].range, None);
}

#[test]
fn another_file_than_the_published_one_is_removed() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(50_000));
    let server = Server::resuming(vec![7; 50_000], 0);
    let source = source(&server.url, "a.bin", &body, None, folder.path());
    let error = error(&source);
    assert!(
        error.contains("a.bin.partial: has SHA-256 ") && error.contains("where SHA-256 "),
        "{error}"
    );
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_file_of_another_size_is_refused_before_it_is_downloaded() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(50_000));
    let partial = folder.path().join("a.bin.partial");
    std::fs::write(&partial, &body[..20_000]).unwrap();
    // Such as the page of a hotel's network.
    let server = Server::new(|_, _, stream| ok(stream, b"<html>please log in</html>"));
    let error = error(&source(&server.url, "a.bin", &body, None, folder.path()));
    assert!(
        error.contains("the server has 26 bytes where the published file has 50000"),
        "{error}"
    );
    assert_eq!(std::fs::read(partial).unwrap(), &body[..20_000]);
}

#[test]
fn a_stream_that_does_not_end_is_cut() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(50_000));
    let server = Server::new(|_, _, stream| respond(stream, "200 OK", "", &[0; 200_000]));
    let error = error(&source(&server.url, "a.bin", &body, None, folder.path()));
    assert!(error.contains("the server sends more than the file has"), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_status_is_said_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data/deep");
    let server = Server::new(|_, _, stream| respond(stream, "404 Not Found", "Content-Length: 0\r\n", b""));
    let error = error(&source(&server.url, "a.bin", b"abc", None, &data));
    assert!(
        error.contains("/a.bin: the server answers 404 Not Found; a file that was downloaded"),
        "{error}"
    );
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_status_does_not_cost_what_has_come() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(50_000));
    let partial = folder.path().join("a.bin.partial");
    std::fs::write(&partial, &body[..20_000]).unwrap();
    let server = Server::new(|_, _, stream| respond(stream, "503 Service Unavailable", "Content-Length: 0\r\n", b""));
    let error = error(&source(&server.url, "a.bin", &body, None, folder.path()));
    assert!(error.contains("503 Service Unavailable"), "{error}");
    assert_eq!(std::fs::read(partial).unwrap(), &body[..20_000]);
}

#[test]
fn redirects_are_followed_and_resumed_behind() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(50_000));
    std::fs::write(folder.path().join("a.bin.partial"), &body[..20_000]).unwrap();
    let there = Server::resuming(body.clone(), 0);
    let location = format!("Location: {}/moved\r\nContent-Length: 0\r\n", there.url);
    let server = Server::new(move |_, _, stream| respond(stream, "302 Found", &location, b""));
    let (fetched, _) = run(&source(&server.url, "a.bin", &body, None, folder.path()));
    assert_eq!(std::fs::read(&fetched.unwrap()[0]).unwrap(), body);
    assert_eq!(
        (&*there.requests()[0].path, there.requests()[0].begin()),
        ("/moved", 20_000)
    );
}

#[test]
fn redirects_in_a_circle_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(|_, _, stream| {
        respond(stream, "302 Found", "Location: /again\r\nContent-Length: 0\r\n", b"");
    });
    let error = error(&source(&server.url, "a.bin", b"abc", None, folder.path()));
    assert!(error.contains("too many redirects"), "{error}");
}

#[test]
fn a_server_that_hangs_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let body = bytes(50_000);
    for sent in [0, 20_000] {
        let begin = Instant::now();
        let served = body.clone();
        let server = Server::new(move |index, request, stream| {
            if sent > 0 && index == 0 {
                partial_content(stream, request, &served, &served[..sent]);
            }
            std::thread::sleep(Duration::from_secs(20));
        });
        let error = error(&source(&server.url, "a.bin", &body, None, folder.path()));
        assert!(error.contains("nothing came for 2 s"), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    }
    assert_eq!(
        std::fs::read(folder.path().join("a.bin.partial")).unwrap(),
        &body[..20_000]
    );
}

#[test]
fn a_slow_server_is_waited_for() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(5_000));
    let served = body.clone();
    let server = Server::new(move |_, _, stream| {
        respond(stream, "200 OK", "Content-Length: 5000\r\n", b"");
        for piece in served.chunks(1_000) {
            std::thread::sleep(Duration::from_millis(150));
            std::io::Write::write_all(stream, piece).unwrap();
        }
    });
    let (fetched, _) = run(&source(&server.url, "a.bin", &body, None, folder.path()));
    assert_eq!(std::fs::read(&fetched.unwrap()[0]).unwrap(), body);
}

#[test]
fn a_host_that_is_not_there_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for url in [format!("http://{closed}"), "https://no-such-host.invalid".into()] {
        let error = error(&source(&url, "a.bin", b"abc", None, folder.path()));
        assert!(
            error.starts_with(&format!("{url}/a.bin: it cannot be reached: ")),
            "{error}"
        );
        assert!(error.contains("--from FILE"), "{error}");
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_folder_that_cannot_be_written_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let source = source("http://127.0.0.1:9", "a.bin", b"abc", None, &file.join("data"));
    let error = run(&source).0.unwrap_err().to_string();
    assert!(error.contains("file/data: ") && error.lines().count() == 1, "{error}");
}

#[test]
fn a_file_on_the_disk_is_checked_and_left_where_it_is() {
    let (folder, body) = (tempfile::tempdir().unwrap(), bytes(5_000));
    let mine = folder.path().join("mine.bin");
    std::fs::write(&mine, &body).unwrap();
    let source = source("http://127.0.0.1:9", "a.bin", &body, None, &folder.path().join("data"));
    let options = Fetch {
        from: Some(mine.to_string_lossy().into()),
        ..Default::default()
    };
    let fetched = fetch(&source, &options, |_| {}).unwrap();
    assert_eq!(std::fs::read(&fetched[0]).unwrap(), body);
    assert_eq!(std::fs::read(&mine).unwrap(), body);

    std::fs::remove_file(&fetched[0]).unwrap();
    std::fs::write(&mine, "another").unwrap();
    let error = fetch(&source, &options, |_| {}).unwrap_err().to_string();
    assert!(error.contains("where SHA-256 "), "{error}");
    assert_eq!(std::fs::read(&mine).unwrap(), b"another");
    assert!(names(&folder.path().join("data")).is_empty());
}
