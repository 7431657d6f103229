//! f-MICL at its defaults does not collapse, under any architecture.

use super::*;

/// Digits and a narrow ResNet: 15 steps an epoch.
const SHORT: [&str; 6] = [
    "dataset={ name='subset', train=960, of='digits' }",
    "backbone={ name='resnet', depth=18, stem='cifar', width=8 }",
    "optimizer=adamw",
    "views={ size=16, flip=0.0 }",
    "train={ batch_size=64, lr=2e-3, warmup_epochs=1 }",
    "evaluations={ knn=false, linear=false }",
];
const ARCHITECTURES: [&str; 3] = [
    "architecture={ name='simclr', hidden=64, out=64 }",
    "architecture={ name='moco', queue=512, momentum=0.99, hidden=64, out=64 }",
    "architecture={ name='moco-v3', hidden=64, out=64 }",
];

/// Effective rank, of 64, of the last batch's projections after so many epochs.
fn rank(epochs: usize, sets: &[&str]) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let more = [format!("train.epochs={epochs}"), "eval.every=0".into()];
    let sets = SHORT.iter().chain(sets).map(|set| set.to_string()).chain(more);
    let sets: Vec<_> = sets.collect();
    let metrics = train(folder.path(), &sets);
    metrics["projections"]["effective_rank"].as_f64().unwrap()
}

/// Those of the paper's uniformity theorem; the others are known to collapse.
fn covered() -> Vec<String> {
    let divergences = registry::list::<dyn Divergence>().into_iter();
    let covered = divergences.filter(|part| part.summary.ends_with("; covered by the uniformity theorem"));
    covered
        .map(|part| format!("objective.divergence={}", part.name))
        .collect()
}

#[test]
fn every_covered_divergence_keeps_its_rank_at_the_defaults() {
    let covered = covered();
    assert_eq!(covered.len(), 7);
    for divergence in &covered {
        for architecture in ARCHITECTURES {
            // Only SimCLR has negatives in the batch.
            let negatives = match architecture.contains("simclr") {
                true => &["within", "cross", "both"][..],
                false => &["within"],
            };
            for negatives in negatives {
                let negatives = format!("objective.negatives={negatives}");
                let sets = [architecture, divergence, &negatives];
                let rank = rank(2, &sets);
                assert!(rank > 3.0, "{sets:?}: effective rank {rank:.2} after 30 steps");
            }
        }
    }
}

/// A sigma^2 of which few steps suffice.
const SMALL: &str = "objective.similarity.temperature=0.25";

/// A factor that does not follow the batch, as it was without the defaults.
#[test]
fn a_constant_factor_collapses_under_moco_where_the_default_does_not() {
    let with = |set| rank(6, &[ARCHITECTURES[1], "objective.divergence=js", SMALL, set]);
    let (default, constant) = (with("seed=0"), with("objective.shift=none"));
    assert!(default > 1.3 * constant, "{default:.2} and {constant:.2}");
}

#[test]
fn the_option_that_normalises_by_the_batch_does() {
    let similarities = registry::list::<dyn Similarity>();
    let parts = similarities
        .iter()
        .map(|part| Part::<dyn Similarity>::new(part.name, toml::Table::new()).unwrap());
    let mut normalising = 0;
    for part in parts {
        let Some((option, value)) = part.normalising() else {
            continue;
        };
        let with = part.with(option, value.into()).unwrap();
        assert_eq!(with.normaliser(), Normaliser::Batch, "{with:?}");
        assert!(with.sets_factor() && with.normalising().is_none(), "{with:?}");
        normalising += 1;
    }
    assert!(normalising > 0);
}
