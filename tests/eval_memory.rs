//! The memory that kNN and the linear probe take. The only test of its process: it looks at the most that the process had.
#![cfg(all(target_os = "linux", feature = "probes"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// As the program has it.
#[cfg(feature = "jemalloc")]
#[path = "../src/allocator.rs"]
mod allocator;

use fmicl_core::Features;
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_probes::{Classifier, Knn, Linear};
use std::fs;

/// A line of the process's status, in MiB.
fn status(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    let kibibytes: u64 = line
        .trim_start_matches(':')
        .trim()
        .strip_suffix(" kB")
        .unwrap()
        .parse()
        .unwrap();
    kibibytes >> 10
}

/// Normal features `[rows, width]` of so many classes.
fn features(rows: i64, width: i64, classes: i64) -> Features {
    Features {
        values: Tensor::randn([rows, width], (Kind::Float, Device::Cpu)),
        labels: Tensor::arange(rows, (Kind::Int64, Device::Cpu)).remainder(classes),
    }
}

#[test]
fn knn_and_the_probe_take_little_beside_the_features() {
    // `FMICL_PROBE=40000,2048,1000` measures another size.
    let size = std::env::var("FMICL_PROBE").unwrap_or("40000,256,1000".into());
    let size: Vec<i64> = size.split(',').map(|number| number.parse().unwrap()).collect();
    let [rows, width, classes] = size[..] else {
        panic!("rows, width and classes")
    };
    let (train, test) = (features(rows, width, classes), features(1000, width, classes));
    // The most from here on.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS");
    let neighbours = Knn::default().predict(&train, &test, classes as usize);
    let after_knn = status("VmHWM") - before;
    let options = Linear {
        max_iter: 12,
        ..Linear::default()
    };
    let predicted = options.predict(&train, &test, classes as usize);
    let most = status("VmHWM") - before;
    assert_eq!((neighbours.numel(), predicted.numel()), (1000, 1000));
    let floats = |count: i64| (4 * count) as u64 >> 20;
    println!(
        "features {} MiB, logits of all {} MiB; beside them kNN took {after_knn} MiB, and with the probe {most}",
        floats(rows * width),
        floats(rows * classes)
    );
    // The probe's state is 28 times the weights, and there are a few tiles of 16 MiB.
    let allowed = floats(28 * width * classes) + 200;
    assert!(most < allowed, "{most} MiB, and {allowed} are allowed");
}
