//! The nearest known name to one that is unknown.

/// `` (did you mean `kl`?)``, or nothing where no known name is near.
pub fn did_you_mean(found: &str, known: &[&str]) -> String {
    let lower = found.to_lowercase();
    let score = |name: &str| {
        let name = name.to_lowercase();
        let alike = strsim::jaro_winkler(&lower, &name);
        let (short, long) = (lower.len().min(name.len()), lower.len().max(name.len()));
        // A part of the other one; the more of it, the better, so that `epoch` is `epochs` before `warmup_epochs`.
        let contained = short >= 2 && (lower.contains(&name) || name.contains(&lower));
        let part = if contained {
            0.76 + 0.2 * short as f64 / long as f64
        } else {
            0.0
        };
        // Jaro and Winkler see no likeness between three letters of which two changed places.
        let slip = short >= 3 && strsim::osa_distance(&lower, &name) == 1;
        alike.max(part).max(if slip { 0.8 } else { 0.0 })
    };
    let nearest = known
        .iter()
        .map(|name| (score(name), *name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((score, name)) if score > 0.75 => format!(" (did you mean `{name}`?)"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn the_nearest_name_is_the_hint() {
        let cases: [(&str, &[&str], &str); 7] = [
            ("epoch", &["epochs", "warmup_epochs"], "epochs"),
            ("CIFAR10", &["cifar10", "cifar100"], "cifar10"),
            ("cifar1", &["cifar10", "cifar100"], "cifar10"),
            ("MoCo", &["moco", "moco-v3", "simclr"], "moco"),
            ("lap", &["laptop", "laptop-cifar10"], "laptop"),
            ("dlc", &["dcl", "dhel", "kcl"], "dcl"),
            ("pearsn", &["kl", "pearson", "vlc"], "pearson"),
        ];
        for (found, known, nearest) in cases {
            assert_eq!(
                did_you_mean(found, known),
                format!(" (did you mean `{nearest}`?)"),
                "{found}"
            );
        }
        assert_eq!(did_you_mean("gaussian", &["kl", "js", "vlc"]), "");
    }
}
