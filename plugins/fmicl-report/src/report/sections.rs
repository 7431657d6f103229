//! The sections that come from the files of runs alone.

use super::chart::{Chart, Form, Line};
use super::curves::{self, Charts, Curves};
use super::page::Page;
use super::run::RunFiles;
use super::{chart, config, html, table};

/// The heading: the runs, what they are of, and how good they are.
pub fn head(page: &mut Page, runs: &[&RunFiles]) {
    page.title = match runs {
        [run] => run.name.clone(),
        _ => format!("{} runs", runs.len()),
    };
    let (heading, sub) = match runs {
        [run] => (html::name(&run.name), parts(run)),
        _ => {
            let names: Vec<_> = runs.iter().map(|run| html::name(&run.name)).collect();
            (format!("{} runs compared", runs.len()), names.join(", "))
        }
    };
    page.hero = format!("<p class=\"kicker\">fmicl report</p><h1>{heading}</h1><p class=\"sub\">{sub}</p>");
    if let [run] = runs {
        let (status, cards) = (html::escape(&run.status()), table::cards(run));
        page.hero += &format!("<p class=\"status\">{status}</p>");
        if !cards.is_empty() {
            page.hero += &format!("<div class=\"cards\">{cards}</div>");
        }
    }
    for run in runs {
        for line in &run.missing {
            page.leave_out(of_run(runs, run, line));
        }
    }
}

/// A line on one of several runs.
pub fn of_run(runs: &[&RunFiles], run: &RunFiles, line: &str) -> String {
    match runs.len() {
        1 => line.to_string(),
        _ => format!("{}: {line}", run.name),
    }
}

/// The run's parts by name.
fn parts(run: &RunFiles) -> String {
    let objective = run.part("objective").map(|name| {
        let options = ["divergence", "similarity"].iter().filter_map(|key| {
            let value = run.option("objective", key)?;
            let name = value.as_str().or_else(|| value.get("name")?.as_str())?;
            Some(format!(" {}", html::escape(name)))
        });
        format!("{}{}", html::escape(name), options.collect::<String>())
    });
    let named = |kind: &str| run.part(kind).map(html::escape);
    let parts = [named("dataset"), named("backbone"), named("architecture"), objective];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The table of results.
pub fn results(page: &mut Page, runs: &[&RunFiles]) {
    let lead = match runs {
        [_] => "Of the encoder at the end of training, whatever checkpoint the pictures below are of.",
        _ => {
            "The encoder of each run at the end of its training, beside what needs no training. The best value of a row is green."
        }
    };
    let text = format!("<p class=\"lead\">{lead}</p>");
    match table::html(runs) {
        Some(table) => page.section("results", "Results", text + &table),
        None => {
            let why: Vec<String> = runs
                .iter()
                .map(|run| of_run(runs, run, &run.why_no_results()))
                .collect();
            page.leave_out(format!("The table of results is left out: {}", why.join("; ")));
        }
    }
    for run in runs.iter().filter(|run| runs.len() > 1 && run.result.is_none()) {
        page.leave_out(format!("{}: {} ({})", run.name, run.why_no_results(), run.status()));
    }
}

/// Scores beside cosines, of evaluations that keep them, with runs side by side.
pub fn scatters(page: &mut Page, runs: &[&RunFiles]) {
    let mut text = String::new();
    for run in runs {
        for (judged, scatter) in table::scatters(run) {
            let name = match runs.len() {
                1 => String::new(),
                _ => format!(", {}", run.name),
            };
            let mut points = scatter.points.clone();
            points.sort_by(|a, b| a[0].total_cmp(&b[0]));
            text += &page.chart(&Chart {
                title: format!("{}{name}", judged.evaluation),
                note: format!("{} {}", points.len(), scatter.of),
                x: scatter.x.clone(),
                y: scatter.y.clone(),
                lines: vec![Line {
                    name: scatter.of.clone(),
                    colour: 0,
                    points,
                    form: Form::Dots,
                }],
                legend: false,
            });
        }
    }
    if !text.is_empty() {
        let lead = "<p class=\"lead\">From result.json: what people gave a pair of sentences, and the cosine of their features.</p>";
        page.section(
            "scores",
            "Scores and cosines",
            format!("{lead}<div class=\"charts\">{text}</div>"),
        );
    }
}

/// The curves of training, on common axes.
pub fn curves(page: &mut Page, runs: &[&RunFiles]) {
    let curves: Vec<_> = runs
        .iter()
        .enumerate()
        .map(|(colour, run)| Curves { run, colour })
        .collect();
    curves_of(page, &curves);
}

/// The same in given colours.
pub fn curves_of(page: &mut Page, curves: &[Curves]) {
    let Charts { charts, constant } = curves::charts(curves);
    if charts.is_empty() && constant.is_empty() {
        page.leave_out("The curves are left out: there is neither a metrics.jsonl nor a steps.jsonl with numbers");
        return;
    }
    let mut text = String::from(
        "<p class=\"lead\">As the run wrote them. Point at a curve, or focus it and use the left and right keys, for its values.</p>",
    );
    if curves.len() > 1 {
        let entries = curves.iter().map(|it| (&*it.run.name, it.colour));
        text += &chart::legend(entries).replacen("legend", "legend all", 1);
    }
    text.push_str("<div class=\"charts\">");
    charts.iter().for_each(|chart| text += &page.chart(chart));
    text.push_str("</div>");
    if !constant.is_empty() {
        text += &format!(
            "<p class=\"note constant\">Constant: {}</p>",
            html::escape(&constant.join(", "))
        );
    }
    page.section("curves", "Curves", text);
}

/// Config, machine and commands.
pub fn configs(page: &mut Page, runs: &[&RunFiles]) {
    let mut text = String::new();
    if let Some(differences) = config::differences(runs) {
        text += &format!("<h3>Differences between the runs</h3>{differences}");
    }
    runs.iter()
        .for_each(|run| text += &config::config(run, runs.len() == 1));
    page.section("config", "Configuration", text);
    let mut text = String::new();
    if let Some(machines) = config::machines(runs) {
        text += &machines;
    }
    for run in runs {
        if runs.len() > 1 {
            text += &format!("<h4>{}</h4>", html::name(&run.name));
        }
        text += &config::commands(run);
    }
    page.section("again", "Machine and commands", text);
}
