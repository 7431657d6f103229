//! The objective in a training loop of your own, on any network: `cargo run --release --example loss`.
//!
//! Points of eight clusters are the data, noise makes two views of each, and two linear layers are the network.

use fmicl_core::{Negatives, Objective, Pairing, Part, normalize};
use fmicl_divergences as _; // registers `kl`, `gaussian` and the others
use tch::nn::{self, Module, OptimizerConfig};
use tch::{Device, Kind, Tensor};

/// As in an experiment's file, below `[objective]`.
const OBJECTIVE: &str = r#"
    name = "f-micl"
    divergence = "js"
    similarity = { name = "gaussian", sigma = 0.7 }
    shift = "best"
"#;

fn main() -> anyhow::Result<()> {
    let objective = Part::<dyn Objective>::from_value(toml::Value::Table(OBJECTIVE.parse()?))?;
    let store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let network = nn::seq()
        .add(nn::linear(&root / "hidden", 16, 64, Default::default()))
        .add_fn(Tensor::relu)
        .add(nn::linear(&root / "out", 64, 8, Default::default()));
    let mut optimizer = nn::Adam::default().build(&store, 1e-3)?;

    let centres = Tensor::randn([8, 16], (Kind::Float, Device::Cpu));
    for step in 0..=300 {
        let samples = centres.index_select(0, &Tensor::randint(8, [128], (Kind::Int64, Device::Cpu)));
        // Rows of unit length, [128, 8].
        let view = || normalize(&network.forward(&(&samples + samples.randn_like() * 0.5)));
        let loss = objective.loss(&Pairing {
            anchors: view(),
            positives: view(),
            negatives: Negatives::Batch,
        });
        optimizer.backward_step(&loss.value);
        if step % 100 == 0 {
            let terms: Vec<String> = loss
                .terms
                .iter()
                .map(|(name, value)| format!("{name} {:.3}", value.double_value(&[])))
                .collect();
            println!(
                "step {step}: loss {:.3}  {}",
                loss.value.double_value(&[]),
                terms.join("  ")
            );
        }
    }
    Ok(())
}
