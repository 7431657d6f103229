//! HTTP: one file, resumed where it broke off (RFC 9110, section 14, range requests).

use crate::event::{Event, Report};
use crate::partial::Partial;
use crate::size::Bytes;
use fmicl_core::{Download, Error, Result};
use std::io::{self, Read};
use std::time::Duration;
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body, RequestBuilder, typestate::WithoutBody};

/// How often a broken connection is taken up again, as long as each brings something.
const RETRIES: usize = 5;

pub(crate) struct Client {
    agent: Agent,
    patience: Duration,
}

impl Client {
    /// `patience`: how long to wait for a connection, an answer, or the next bytes. Proxies are those of the
    /// environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
    pub fn new(patience: Duration) -> Self {
        let config = Agent::config_builder()
            .user_agent(concat!("fmicl/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .timeout_resolve(Some(patience))
            .timeout_connect(Some(patience))
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience))
            .build();
        Client {
            agent: config.into(),
            patience,
        }
    }

    /// Completes `partial` from `url`.
    ///
    /// # Errors
    /// In one line, with the address and what can be done. What has come stays.
    pub fn download(&self, url: &str, wanted: &Download, partial: &mut Partial, report: Report) -> Result<()> {
        // Nothing would tell whether bytes of two versions had been joined.
        let blind = wanted.checksum.is_none() && partial.version().is_none();
        if blind || wanted.bytes.is_some_and(|bytes| partial.len() > bytes) {
            partial.restart(None)?;
        }
        let mut retries = RETRIES;
        loop {
            let before = partial.len();
            let Some(reason) = self.attempt(url, wanted, partial, report)? else {
                return Ok(());
            };
            if retries == 0 || partial.len() <= before {
                let got = Bytes(partial.len());
                let message =
                    format!("{url}: broke off after {got} ({reason}); run the same command again to continue");
                return Err(Error::Run(message));
            }
            retries -= 1;
        }
    }

    /// One request. Returns why the connection broke, or nothing where the file is whole.
    fn attempt(&self, url: &str, wanted: &Download, partial: &mut Partial, report: Report) -> Result<Option<String>> {
        if partial.len() > 0 && wanted.bytes == Some(partial.len()) {
            return Ok(None);
        }
        let mut response = self.ask(url, partial)?;
        let range = content_range(&response);
        if partial.len() > 0 {
            match (response.status(), range) {
                (StatusCode::PARTIAL_CONTENT, Range { from: Some(from), .. }) if from == partial.len() => {
                    report(Event::Note(&format!("resuming after {}", Bytes(from))));
                }
                (StatusCode::RANGE_NOT_SATISFIABLE, Range { total, .. }) if total == Some(partial.len()) => {
                    return Ok(None);
                }
                (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _) => {
                    report(Event::Note("the server does not have the rest of it: starting over"));
                    partial.restart(None)?;
                    response = self.ask(url, partial)?;
                }
                (StatusCode::OK, _) => report(Event::Note("the server does not resume it: starting over")),
                _ => {}
            }
        }
        let status = response.status();
        if !(status == StatusCode::OK || status == StatusCode::PARTIAL_CONTENT && partial.len() > 0) {
            return Err(by_other_means(url, &format!("the server answers {status}")));
        }
        let begin = if status == StatusCode::OK { 0 } else { partial.len() };
        let total = response.body().content_length().map(|rest| begin + rest);
        if let (Some(total), Some(bytes)) = (total, wanted.bytes)
            && total != bytes
        {
            let why = format!("the server has {total} bytes where the published file has {bytes}");
            return Err(by_other_means(url, &why));
        }
        if begin == 0 {
            partial.restart(version(&response).as_deref())?;
        }
        self.receive(response, total.or(wanted.bytes), partial, report)
            .map_err(|error| match error {
                Error::Run(why) => by_other_means(url, &why),
                other => other,
            })
    }

    fn ask(&self, url: &str, partial: &Partial) -> Result<Response<Body>> {
        let mut request: RequestBuilder<WithoutBody> = self.agent.get(url);
        if partial.len() > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", partial.len()));
            if let Some(version) = partial.version() {
                request = request.header(header::IF_RANGE, version);
            }
        }
        let response = request.call();
        response.map_err(|error| by_other_means(url, &format!("it cannot be reached: {}", self.reason(error))))
    }

    fn receive(
        &self,
        response: Response<Body>,
        total: Option<u64>,
        partial: &mut Partial,
        report: Report,
    ) -> Result<Option<String>> {
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            report(Event::Progress {
                done: partial.len(),
                total,
            });
            let read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Some(self.reason(ureq::Error::from(error)))),
            };
            partial.append(&buffer[..read])?;
            if total.is_some_and(|total| partial.len() > total) {
                partial.restart(None)?;
                return Err(Error::Run("the server sends more than the file has".into()));
            }
        }
        let missing = total.is_some_and(|total| partial.len() < total);
        Ok(missing.then(|| "the connection was closed".to_string()))
    }

    /// ureq's error in a user's words.
    fn reason(&self, error: ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => format!("nothing came for {} s", self.patience.as_secs_f32()),
            ureq::Error::HostNotFound => "there is no such host, or no network".into(),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                "the connection was closed".into()
            }
            ureq::Error::Io(error) => error.to_string(),
            error => error.to_string(),
        }
    }
}

fn by_other_means(url: &str, why: &str) -> Error {
    Error::Run(format!(
        "{url}: {why}; a file that was downloaded in another way can be given with `--from FILE`, a mirror with `--from URL`"
    ))
}

/// What `Content-Range` says: `bytes 5-9/10`, or `bytes */10`.
struct Range {
    from: Option<u64>,
    total: Option<u64>,
}

fn content_range(response: &Response<Body>) -> Range {
    let header = response.headers().get(header::CONTENT_RANGE);
    let text = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (range, total) = text
        .strip_prefix("bytes ")
        .and_then(|text| text.split_once('/'))
        .unwrap_or_default();
    Range {
        from: range.split_once('-').and_then(|(from, _)| from.parse().ok()),
        total: total.parse().ok(),
    }
}

/// The strong `ETag`, or else the date: what `If-Range` takes.
fn version(response: &Response<Body>) -> Option<String> {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let etag = text(header::ETAG).filter(|etag| etag.starts_with('"'));
    etag.or(text(header::LAST_MODIFIED)).map(str::to_string)
}
