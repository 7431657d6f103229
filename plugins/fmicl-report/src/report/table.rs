//! The results beside their baselines, of one run or of several.

use super::html;
use super::run::RunFiles;
use fmicl_core::Metric;
use fmicl_runner::eval::Judged;
use fmicl_runner::eval::TRAINED;
use std::fmt::Write;

/// The column of always giving the commonest answer.
const BLIND: &str = "largest class";
const NOTHING: &str = "<span class=\"none\">–</span>";

/// The metric of a run's representation.
fn find<'a>(run: &'a RunFiles, representation: &str, (evaluation, metric): (&str, &str)) -> Option<&'a Metric> {
    let mut all = run.reports.0.iter();
    let judged = all.find(|judged| judged.representation == representation && judged.evaluation == evaluation)?;
    judged.report.metric(metric)
}

/// Names of evaluations with those of their metrics, as in the files, of all runs.
fn rows(runs: &[&RunFiles]) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for judged in runs.iter().flat_map(|run| &run.reports.0) {
        for metric in &judged.report.metrics {
            let row = (judged.evaluation.clone(), metric.name.clone());
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    rows
}

/// The representations other than the trained encoder, in their order.
fn baselines<'a>(runs: &[&'a RunFiles]) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for judged in runs.iter().flat_map(|run| &run.reports.0) {
        if judged.representation != TRAINED && !found.contains(&&*judged.representation) {
            found.push(&judged.representation);
        }
    }
    found
}

fn value(metric: &Metric) -> String {
    let interval = metric.interval.map_or(String::new(), |it| {
        format!("<small>{:.1}–{:.1}</small>", it.low, it.high)
    });
    format!("{}{interval}", html::escape(&metric.shown()))
}

/// The value of a baseline over the runs: one where all have the same, or from the least to the largest.
fn shared(metrics: &[&Metric]) -> String {
    let Some(first) = metrics.first() else {
        return NOTHING.into();
    };
    if metrics.iter().all(|metric| metric.shown() == first.shown()) {
        return value(first);
    }
    let order = |a: &&&Metric, b: &&&Metric| a.value.total_cmp(&b.value);
    let [low, high] = [metrics.iter().min_by(order), metrics.iter().max_by(order)];
    let shown = |metric: Option<&&Metric>| metric.map_or(String::new(), |metric| html::escape(&metric.shown()));
    format!("{} … {}", shown(low), shown(high))
}

/// The table, with the largest class and other baselines before the runs' trained encoders; nothing without results.
pub fn html(runs: &[&RunFiles]) -> Option<String> {
    let rows = rows(runs);
    if rows.is_empty() {
        return None;
    }
    let baselines = baselines(runs);
    let names = || rows.iter().map(|(evaluation, metric)| (&**evaluation, &**metric));
    // Of runs on other data it is another.
    let blind_of = |row: (&str, &str)| {
        let all = runs.iter().flat_map(|run| run.reports.0.iter());
        let metrics = all.filter_map(|judged| judged.report.metric(row.1).filter(|_| judged.evaluation == row.0));
        let mut blinds: Vec<String> = Vec::new();
        for metric in metrics {
            let blind = metric
                .blind
                .map(|blind| format!("{blind:.*}", metric.digits.min(Metric::MOST_DIGITS)));
            blinds.extend(blind.filter(|blind| !blinds.contains(blind)));
        }
        blinds
    };
    let has_blind = names().any(|row| !blind_of(row).is_empty());
    let same_data = labels(runs).len() < 2;
    let mut text =
        String::from("<div class=\"scroll\"><table class=\"results\"><thead><tr><th scope=\"col\">metric</th>");
    let heads = has_blind.then_some(BLIND).into_iter().chain(baselines.iter().copied());
    for head in heads {
        let _ = write!(text, "<th scope=\"col\">{}</th>", html::name(head));
    }
    for run in runs {
        let head = if runs.len() == 1 { TRAINED } else { &*run.name };
        let _ = write!(text, "<th scope=\"col\" class=\"own\">{}</th>", html::name(head));
    }
    text.push_str("</tr></thead><tbody>");
    for row in names() {
        let trained: Vec<_> = runs.iter().map(|run| find(run, TRAINED, row)).collect();
        let best = best(&trained).filter(|_| same_data);
        let any = || runs.iter().flat_map(|run| run.reports.0.iter());
        let unit = any()
            .filter(|judged| judged.evaluation == row.0)
            .find_map(|judged| judged.report.metric(row.1))
            .map_or("", |metric| &*metric.unit);
        let is_main = any().any(|judged| judged.evaluation == row.0 && judged.report.main == row.1);
        let unit = match unit {
            "" => String::new(),
            unit => format!(" <span class=\"unit\">{}</span>", html::escape(unit)),
        };
        let class = if is_main { " class=\"main\"" } else { "" };
        let _ = write!(
            text,
            "<tr{class}><th scope=\"row\">{} <span class=\"metric\">{}</span>{unit}</th>",
            html::name(row.0),
            html::name(row.1)
        );
        if has_blind {
            let blind = Some(blind_of(row).join(", ")).filter(|blind| !blind.is_empty());
            let _ = write!(text, "<td>{}</td>", blind.unwrap_or_else(|| NOTHING.into()));
        }
        for baseline in &baselines {
            let all: Vec<_> = runs.iter().filter_map(|run| find(run, baseline, row)).collect();
            let _ = write!(text, "<td>{}</td>", shared(&all));
        }
        for (index, metric) in trained.iter().enumerate() {
            let class = if best == Some(index) { "own best" } else { "own" };
            let cell = metric.map_or(NOTHING.into(), value);
            let _ = write!(text, "<td class=\"{class}\">{cell}</td>");
        }
        text.push_str("</tr>");
    }
    text.push_str("</tbody></table></div>");
    Some(text + &notes(runs))
}

/// The best of several values, where one alone is.
fn best(metrics: &[Option<&Metric>]) -> Option<usize> {
    let scores = || metrics.iter().map(|metric| metric.and_then(Metric::score));
    let most = scores().flatten().reduce(f64::max)?;
    let mut found = scores().enumerate().filter(|(_, score)| *score == Some(most));
    let first = found.next()?.0;
    let several = scores().flatten().count() > 1;
    (several && found.next().is_none()).then_some(first)
}

/// A line on the labelled samples of each dataset.
fn labels(runs: &[&RunFiles]) -> Vec<String> {
    let line = |run: &&RunFiles| {
        let labels = run.result.as_ref()?.get("labels")?;
        let number = |key: &str| labels[key].as_u64();
        Some(format!(
            "{}: {} labelled training samples, {} test samples, {} classes",
            labels["dataset"].as_str()?,
            number("train")?,
            number("test")?,
            number("classes")?
        ))
    };
    let mut lines: Vec<String> = runs.iter().filter_map(line).collect();
    lines.dedup();
    lines
}

/// Titles and notes of the reports, each once.
fn notes(runs: &[&RunFiles]) -> String {
    let mut notes: Vec<String> = Vec::new();
    for Judged { evaluation, report, .. } in runs.iter().flat_map(|run| &run.reports.0) {
        let all = std::iter::once(format!("{evaluation}: {}", report.title)).chain(report.notes.iter().cloned());
        for note in all {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    let items: String = labels(runs)
        .into_iter()
        .chain(notes)
        .map(|note| format!("<li>{}</li>", html::escape(&note)))
        .collect();
    format!("<ul class=\"notes\"><li>Small numbers are 95 % intervals over test samples.</li>{items}</ul>")
}

/// The main metric of each evaluation of one run's trained encoder, large, beside its baselines.
pub fn cards(run: &RunFiles) -> String {
    let mut text = String::new();
    for judged in run.reports.of(TRAINED).take(4) {
        let Some(metric) = judged.report.metric(&judged.report.main) else {
            continue;
        };
        let row = (&*judged.evaluation, &*metric.name);
        let beside = baselines(&[run]).into_iter().filter_map(|baseline| {
            let metric = find(run, baseline, row)?;
            Some(format!("{} {}", html::escape(baseline), html::escape(&metric.shown())))
        });
        let interval = metric.interval.map_or(String::new(), |it| {
            format!("95 % interval {:.1}–{:.1}", it.low, it.high)
        });
        let beside: Vec<_> = beside.collect();
        let _ = write!(
            text,
            "<div class=\"card\"><p class=\"label\">{} {}</p><p class=\"value\">{}<span>{}</span></p><p \
             class=\"interval\">{interval}</p><p class=\"beside\">{}</p></div>",
            html::name(&judged.evaluation),
            html::name(&metric.name),
            html::escape(&metric.shown()),
            html::escape(&metric.unit),
            beside.join(" · ")
        );
    }
    text
}

/// The trained encoder's confusion matrices, with the evaluation's name, the main ones first.
pub fn confusions(run: &RunFiles) -> impl Iterator<Item = (&Judged, &fmicl_core::Confusion)> {
    let own = run.reports.of(TRAINED);
    own.filter_map(|judged| Some((judged, judged.report.confusion.as_ref()?)))
}

/// The points behind the trained encoder's metrics, with the evaluation's name.
pub fn scatters(run: &RunFiles) -> impl Iterator<Item = (&Judged, &fmicl_core::Scatter)> {
    let own = run.reports.of(TRAINED);
    own.filter_map(|judged| Some((judged, judged.report.scatter.as_ref()?)))
}
