//! Time and peak memory of kNN and the linear probe on made features: `size KIND TRAIN TEST WIDTH CLASSES ITERATIONS`, KIND being
//! `knn`, `linear` or `none`, which makes the features alone; with `-f16` behind it, of features in half the memory. bench/probes.py has
//! its peers.

use fmicl_core::Features;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_probes::{Classifier, Knn, Linear, Score};
use std::time::Instant;

/// Rows that are made at a time.
const ROWS: i64 = 1 << 14;

/// A direction for each class, and noise around it.
fn features(count: i64, width: i64, classes: i64, kind: Kind) -> Features {
    let labels = Tensor::arange(count, (Kind::Int64, Device::Cpu)).remainder(classes);
    tch::manual_seed(0);
    let centres = Tensor::randn([classes, width], (Kind::Float, Device::Cpu));
    tch::manual_seed(count);
    let values = Tensor::empty([count, width], (kind, Device::Cpu));
    for start in (0..count).step_by(ROWS as usize) {
        let rows = ROWS.min(count - start);
        let noise = Tensor::randn([rows, width], (Kind::Float, Device::Cpu)) * 8.0;
        let own = centres.index_select(0, &labels.narrow(0, start, rows));
        values.narrow(0, start, rows).copy_(&(own + noise));
    }
    Features { values, labels }
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    1024 * kib.unwrap_or_default()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [kind, numbers @ ..] = &args[..] else {
        return eprintln!("usage: size KIND TRAIN TEST WIDTH CLASSES ITERATIONS");
    };
    let numbers: Vec<i64> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
    let [train, test, width, classes, iterations] = numbers[..] else {
        return eprintln!("usage: size KIND TRAIN TEST WIDTH CLASSES ITERATIONS");
    };
    let (kind, numbers) = match kind.strip_suffix("-f16") {
        Some(kind) => (kind, Kind::Half),
        None => (kind.as_str(), Kind::Float),
    };
    let [train, test] = [train, test].map(|count| features(count, width, classes, numbers));
    let bytes = (numbers.elt_size_in_bytes() * (train.values.numel() + test.values.numel())) as u64;
    let before = peak();
    let classifier: Box<dyn Classifier> = match kind {
        "knn" => Box::new(Knn::default()),
        "linear" => Box::new(Linear {
            max_iter: iterations as usize,
            ..Linear::default()
        }),
        _ => return println!("features: {bytes} bytes, peak {before}"),
    };
    let begun = Instant::now();
    let _no_grad = tch::no_grad_guard();
    let predicted = classifier.predict(&train, &test, classes as usize);
    let score = Score::of(&predicted, &test.labels, classes as usize);
    println!(
        "{kind}: {:.1} s, accuracy {:.4}, peak {:.3} of the features' {:.2} GiB ({:.3} before)",
        begun.elapsed().as_secs_f64(),
        score.accuracy,
        peak() as f64 / bytes as f64,
        bytes as f64 / f64::from(1 << 30),
        before as f64 / bytes as f64
    );
}
