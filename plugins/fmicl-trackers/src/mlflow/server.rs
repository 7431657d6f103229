//! MLflow's REST interface, version 2.0.
//!
//! Source: mlflow.org, REST API: Create Run, Search Runs, Log Batch, Update Run, Get and Create Experiment.

use super::spool::{Line, Number, Of, Status};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::Agent;
use ureq::http::header::AUTHORIZATION;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of an answer.
const LONGEST: u64 = 1 << 20;
/// Parameters of a request.
const PARAMS: usize = 100;

/// A server.
#[derive(Debug)]
pub struct Server {
    agent: Agent,
    uri: String,
    authorization: Option<String>,
}

/// What a run is created with.
#[derive(Debug, Clone)]
pub struct About {
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the run.
    pub name: String,
    /// A name that no other run has.
    pub id: String,
    /// When it began, in milliseconds since 1970.
    pub start: u64,
    /// The config's values by their dotted keys.
    pub params: Vec<(String, String)>,
}

impl Server {
    /// A server at an address such as `http://localhost:5000`, with the user, the password or the token of the environment's
    /// `MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD` and `MLFLOW_TRACKING_TOKEN`.
    pub fn new(uri: &str) -> Self {
        let config = Agent::config_builder()
            .user_agent(concat!("fmicl/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        let env = |name: &str| std::env::var(format!("MLFLOW_TRACKING_{name}")).ok();
        let basic = || {
            let pair = format!("{}:{}", env("USERNAME")?, env("PASSWORD").unwrap_or_default());
            Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
        };
        let bearer = || Some(format!("Bearer {}", env("TOKEN")?));
        Server {
            agent: config.into(),
            uri: uri.trim_end_matches('/').into(),
            authorization: basic().or_else(bearer),
        }
    }

    /// The run of `about` in an experiment, which is created where it is not there, with its parameters. Returns the
    /// server's name of it.
    ///
    /// # Errors
    /// In one line.
    pub fn run(&self, experiment: &str, about: &About) -> Result<String, String> {
        let found = self.post(
            "runs/search",
            &json!({
                "experiment_ids": [experiment],
                "filter": format!("tags.`fmicl.run` = '{}'", about.id),
                "max_results": 1,
            }),
        )?;
        let run = match found["runs"][0]["info"]["run_id"].as_str() {
            Some(run) => run.to_string(),
            None => {
                let tags = [
                    ("fmicl.run", &*about.id),
                    ("fmicl.version", env!("CARGO_PKG_VERSION")),
                    ("mlflow.source.name", "fmicl"),
                ];
                let tags = tags.map(|(key, value)| json!({ "key": key, "value": value }));
                let created = self.post(
                    "runs/create",
                    &json!({
                        "experiment_id": experiment,
                        "run_name": about.name,
                        "start_time": about.start,
                        "tags": tags,
                    }),
                )?;
                let run = created["run"]["info"]["run_id"].as_str();
                run.ok_or("the server's answer has no run_id")?.to_string()
            }
        };
        for params in about.params.chunks(PARAMS) {
            let params = params.iter().map(|(key, value)| json!({ "key": key, "value": value }));
            self.post(
                "runs/log-batch",
                &json!({ "run_id": run, "params": params.collect::<Vec<_>>() }),
            )?;
        }
        Ok(run)
    }

    /// The experiment of a name, which is created where it is not there.
    ///
    /// # Errors
    /// In one line.
    pub fn experiment(&self, name: &str) -> Result<String, String> {
        let id = |answer: &Value, at: &str| answer.pointer(at).and_then(Value::as_str).map(str::to_string);
        let created = self.post("experiments/create", &json!({ "name": name }));
        if let Ok(answer) = &created {
            return id(answer, "/experiment_id").ok_or("the server's answer has no experiment_id".into());
        }
        let found = self.get("experiments/get-by-name", ("experiment_name", name));
        let found = found.ok().and_then(|answer| id(&answer, "/experiment/experiment_id"));
        // Where it is not there, either, the first answer is the one to tell.
        found.map_or_else(|| created.map(|_| String::new()), Ok)
    }

    /// Sends lines to a run, all metrics in one request.
    ///
    /// # Errors
    /// In one line; some of the lines may have arrived.
    pub fn send(&self, run: &str, lines: &[Line]) -> Result<(), String> {
        let metrics: Vec<_> = lines.iter().flat_map(metrics).collect();
        if !metrics.is_empty() {
            self.post("runs/log-batch", &json!({ "run_id": run, "metrics": metrics }))?;
        }
        let mut statuses = lines.iter().filter_map(|line| match line.of {
            Of::Status { status, .. } => Some((status, line.time)),
            _ => None,
        });
        // Only the last one is true.
        let Some((status, time)) = statuses.next_back() else {
            return Ok(());
        };
        let mut update = json!({ "run_id": run, "status": status });
        if status != Status::Running {
            update["end_time"] = time.into();
        }
        self.post("runs/update", &update)?;
        Ok(())
    }

    fn post(&self, what: &str, body: &Value) -> Result<Value, String> {
        let mut request = self
            .agent
            .post(self.url(what))
            .header("Content-Type", "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        answer(request.send(body.to_string()))
    }

    fn get(&self, what: &str, (key, value): (&str, &str)) -> Result<Value, String> {
        let mut request = self.agent.get(self.url(what)).query(key, value);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        answer(request.call())
    }

    fn url(&self, what: &str) -> String {
        format!("{}/api/2.0/mlflow/{what}", self.uri)
    }
}

fn metrics(line: &Line) -> impl Iterator<Item = Value> {
    let (step, time) = (line.of.step(), line.time);
    let one =
        move |(key, value): &(String, Number)| json!({ "key": key, "value": value, "timestamp": time, "step": step });
    line.metrics.iter().map(one)
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, String> {
    let mut response = response.map_err(|error| match error {
        ureq::Error::Timeout(_) => format!("nothing came for {} s", PATIENCE.as_secs()),
        error => error.to_string(),
    })?;
    let status = response.status();
    let body = response.body_mut().with_config().limit(LONGEST).read_to_string();
    let body = body.map_err(|error| error.to_string())?;
    let json: Result<Value, _> = serde_json::from_str(&body);
    match (status.is_success(), json) {
        (true, Ok(json)) => Ok(json),
        (true, Err(_)) => Err("the answer is not JSON: is this an MLflow server?".into()),
        (false, Ok(json)) => {
            let message = json["message"].as_str().unwrap_or_default();
            Err(format!("{status}: {}", message.lines().next().unwrap_or_default()))
        }
        (false, Err(_)) => Err(status.to_string()),
    }
}
