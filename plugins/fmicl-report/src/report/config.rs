//! The config, what differs between runs, the machine, and the command that makes a run again.

use super::html;
use super::run::RunFiles;
use fmicl_core::toml;
use fmicl_runner::run::provenance::Segment;
use fmicl_runner::shell::word;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The values of a table by their dotted keys.
fn leaves(table: &toml::Table, above: &str, found: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let key = format!("{above}{key}");
        match value {
            toml::Value::Table(inner) => leaves(inner, &format!("{key}."), found),
            value => drop(found.insert(key, value.to_string())),
        }
    }
}

/// The keys whose values differ between runs, as a table; nothing of one run.
pub fn differences(runs: &[&RunFiles]) -> Option<String> {
    if runs.len() < 2 {
        return None;
    }
    let of = |run: &&RunFiles| {
        let mut found = BTreeMap::new();
        leaves(&run.table, "", &mut found);
        found
    };
    let all: Vec<_> = runs.iter().map(of).collect();
    let mut keys: Vec<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| all.iter().any(|values| values.get(*key) != all[0].get(*key)));
    if keys.is_empty() {
        return Some("<p>The configs of the runs are the same.</p>".into());
    }
    let heads = runs
        .iter()
        .map(|run| format!("<th scope=\"col\">{}</th>", html::name(&run.name)));
    let rows = keys.iter().map(|key| {
        let cells = all.iter().map(|values| match values.get(*key) {
            Some(value) => format!("<td class=\"code\">{}</td>", html::escape(value)),
            None => "<td class=\"none\">–</td>".into(),
        });
        format!(
            "<tr><th scope=\"row\" class=\"code\">{}</th>{}</tr>",
            html::escape(key),
            cells.collect::<String>()
        )
    });
    Some(format!(
        "<div class=\"scroll\"><table class=\"differences\"><thead><tr><th scope=\"col\">key</th>{}</tr></thead><tbody>{}</tbody></table></div>",
        heads.collect::<String>(),
        rows.collect::<String>()
    ))
}

/// A run's config as it is written.
pub fn config(run: &RunFiles, open: bool) -> String {
    let open = if open { " open" } else { "" };
    format!(
        "<details{open}><summary>{}/config.toml</summary><pre><code>{}</code></pre></details>",
        html::name(&run.name),
        html::escape(&run.config)
    )
}

/// The command that trains an equal run, and the commands that this one came from.
pub fn commands(run: &RunFiles) -> String {
    let again = format!("fmicl train {} --out NEW-RUN", word(&run.dir.config_path()));
    let mut text = format!(
        "<p>The same run again, from its complete config:</p><pre class=\"command\"><code>{}</code></pre>",
        html::escape(&again)
    );
    if !run.segments.is_empty() {
        let lines = run.segments.iter().map(|segment| {
            let end = segment
                .end
                .as_deref()
                .map_or("not ended".into(), |end| format!("to {end}"));
            format!(
                "<li><code>{}</code><br><small>in {}, from {} {}, from step {}</small></li>",
                html::escape(&segment.command),
                html::escape(&segment.folder),
                html::escape(&segment.start),
                html::escape(&end),
                segment.from_step
            )
        });
        let _ = write!(
            text,
            "<p>It came from:</p><ol class=\"commands\">{}</ol>",
            lines.collect::<String>()
        );
    }
    text
}

/// What a row of the table shows of a segment.
type Field = fn(&Segment) -> String;

/// Versions and machine of the last segment of each run, a column each.
pub fn machines(runs: &[&RunFiles]) -> Option<String> {
    let last: Vec<(&str, &Segment)> = runs
        .iter()
        .filter_map(|run| Some((&*run.name, run.segments.last()?)))
        .collect();
    if last.is_empty() {
        return None;
    }
    let unknown = || "unknown".to_string();
    let rows: [(&str, Field); 11] = [
        ("version", |it| it.version.clone()),
        ("commit", |it| it.commit.clone().unwrap_or_default()),
        ("program's SHA-256", |it| it.binary.clone().unwrap_or_default()),
        ("libtorch", |it| it.libtorch.clone()),
        ("host", |it| it.host.clone()),
        ("processor", |it| it.processor.clone()),
        ("instructions", |it| {
            let limits = it.limits.iter().map(|(name, value)| format!(" {name}={value}"));
            format!("{}{}", it.level, limits.collect::<String>())
        }),
        ("device", |it| it.device.clone()),
        ("threads", |it| it.threads.to_string()),
        ("processes", |it| it.processes.to_string()),
        ("crates", |it| {
            let crates = it.crates.iter().map(|(name, version)| format!("{name} {version}"));
            crates.collect::<Vec<_>>().join(", ")
        }),
    ];
    let heads = last
        .iter()
        .map(|(name, _)| format!("<th scope=\"col\">{}</th>", html::name(name)));
    let body = rows.iter().map(|(name, value)| {
        let cells = last.iter().map(|(_, segment)| {
            let value = Some(value(segment))
                .filter(|value| !value.is_empty())
                .unwrap_or_else(unknown);
            format!("<td>{}</td>", html::escape(&value))
        });
        format!("<tr><th scope=\"row\">{name}</th>{}</tr>", cells.collect::<String>())
    });
    Some(format!(
        "<div class=\"scroll\"><table class=\"machine\"><thead><tr><th scope=\"col\">of the last command</th>{}</tr></thead><tbody>{}</tbody></table></div>",
        heads.collect::<String>(),
        body.collect::<String>()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_its_values_by_dotted_keys() {
        let table = "a = 1\n[b]\nc = \"x\"\nd = { e = [1, 2] }".parse().unwrap();
        let mut found = BTreeMap::new();
        leaves(&table, "", &mut found);
        let found: Vec<_> = found.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(found, ["a=1", "b.c=\"x\"", "b.d.e=[1, 2]"]);
    }
}
