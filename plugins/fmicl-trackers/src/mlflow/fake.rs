//! A server for tests, which speaks as much of MLflow's REST interface as is spoken here, and can be made to fail.

use super::keys::is_taken;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How the server behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Mood {
    /// Well.
    #[default]
    Up,
    /// Answers 503.
    Down,
    /// Does what this request asks, counted from 1, and closes the connection without an answer; then it is down.
    Mute(usize),
    /// Holds the connection and never answers.
    Hang,
}

/// What the server was told.
#[derive(Debug, Default)]
pub struct Got {
    pub mood: Mood,
    pub runs: Vec<Value>,
    /// Key, timestamp, step and value: as in MLflow's database, a row that is there is not added again.
    pub metrics: BTreeSet<(String, u64, u64, String)>,
    pub params: Vec<(String, String)>,
    pub status: Vec<String>,
    pub requests: usize,
    /// Connections that wait for an answer.
    pub held: Vec<TcpStream>,
}

/// The server.
pub struct Fake {
    pub uri: String,
    pub got: Arc<Mutex<Got>>,
}

impl Fake {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Got::default()));
        let shared = got.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that is gone is no matter.
                let _ = serve(stream.unwrap(), &shared);
            }
        });
        Fake { uri, got }
    }

    pub fn mood(&self, mood: Mood) {
        self.got.lock().unwrap().mood = mood;
    }
}

fn serve(stream: TcpStream, got: &Mutex<Got>) -> std::io::Result<()> {
    let mut from = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    from.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((_, value)) = line
            .split_once(':')
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    let mut got = got.lock().unwrap();
    got.requests += 1;
    if got.mood == Mood::Hang {
        got.held.push(from.into_inner());
        return Ok(());
    }
    let path = first.split(' ').nth(1).unwrap();
    let (status, answer) = match got.mood {
        Mood::Down => ("503 Service Unavailable", json!({ "message": "not now" })),
        _ => answer(path, &serde_json::from_slice(&body).unwrap_or_default(), &mut got),
    };
    if got.mood == Mood::Mute(got.requests) {
        got.mood = Mood::Down;
        return Ok(());
    }
    let answer = answer.to_string();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    )
}

fn answer(path: &str, body: &Value, got: &mut Got) -> (&'static str, Value) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
    let list = |key: &str| body[key].as_array().cloned().unwrap_or_default();
    let answer = match path.trim_start_matches("/api/2.0/mlflow/") {
        "experiments/create" => return ("400 Bad Request", json!({ "message": "it exists" })),
        "experiments/get-by-name?experiment_name=fmicl" => json!({ "experiment": { "experiment_id": "7" } }),
        "runs/search" => {
            assert_eq!(body["experiment_ids"], json!(["7"]));
            let is_it = |run: &&Value| {
                let id = text(&run["tags"][0]["value"]);
                body["filter"] == json!(format!("tags.`fmicl.run` = '{id}'"))
            };
            let runs = got.runs.iter().position(|run| is_it(&run));
            let runs: Vec<_> = runs
                .iter()
                .map(|index| json!({ "info": { "run_id": format!("run {index}") } }))
                .collect();
            json!({ "runs": runs })
        }
        "runs/create" => {
            got.runs.push(body.clone());
            json!({ "run": { "info": { "run_id": format!("run {}", got.runs.len() - 1) } } })
        }
        "runs/log-batch" => {
            assert!(body["run_id"].as_str().unwrap().starts_with("run "));
            let mut keys = BTreeSet::new();
            for param in list("params") {
                let (key, value) = (text(&param["key"]), text(&param["value"]));
                if !is_taken(&key) || value.chars().count() > 500 || !keys.insert(key.clone()) {
                    return ("400 Bad Request", json!({ "message": format!("invalid: {key}") }));
                }
                got.params.push((key, value));
            }
            for metric in list("metrics") {
                if !is_taken(&text(&metric["key"])) {
                    return ("400 Bad Request", json!({ "message": "invalid" }));
                }
                let number = |key: &str| metric[key].as_u64().unwrap();
                let (key, value) = (text(&metric["key"]), text(&metric["value"]));
                got.metrics.insert((key, number("timestamp"), number("step"), value));
            }
            json!({})
        }
        "runs/update" => {
            got.status.push(text(&body["status"]));
            json!({})
        }
        other => panic!("{other}"),
    };
    ("200 OK", answer)
}
