//! How many images a second the loader turns into SimCLR's two views, as one line of JSON.
//!
//! `cargo run --release -p fmicl-data --example views_throughput -- cifar|imagenet ROOT THREADS [SECONDS [SIZE]]`. ROOT is
//! what the dataset `cifar10` or `image-folder` would be given, SIZE the views' in pixels. Beside it, in the same moment,
//! torchvision on PIL images: `scripts/golden fmicl-data/examples/views_throughput.py` with the same arguments.

use fmicl_core::{Dataset, Part, Split, toml};
use fmicl_data::{Blur, ImageViews, Jitter, Loader, Normalize, Switch};
use std::sync::Arc;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    fmicl_data::keep_freed_memory();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, root, threads, rest @ ..] = &arguments[..] else {
        return Err("usage: views_throughput cifar|imagenet ROOT THREADS [SECONDS [SIZE]]".into());
    };
    let threads: usize = threads.parse()?;
    let seconds: f64 = rest.first().map_or(Ok(5.0), |text| text.parse())?;
    let (dataset, mut views, batch) = match what.as_str() {
        "cifar" => ("cifar10", ImageViews::default(), 256),
        "imagenet" => ("image-folder", imagenet(), 50),
        other => return Err(format!("`{other}` is neither cifar nor imagenet").into()),
    };
    if let Some(size) = rest.get(1) {
        views.size = size.parse()?;
    }
    let options = toml::Table::from_iter([("root".to_string(), root.as_str().into())]);
    let dataset: Part<dyn Dataset> = Part::new(dataset, options)?;
    let loader = Loader::new(
        dataset.open(Split::Pretrain)?.into(),
        Arc::new(views),
        2,
        batch,
        0,
        threads,
    )?;

    let mut images = 0;
    // An epoch to warm up: files come into the page cache, buffers grow to their sizes.
    let (mut started, mut cpu_before) = (Instant::now(), 0.0);
    for (index, batch) in loader.epochs(0..u64::MAX >> 32, loader.batches(), 0)?.enumerate() {
        if index < loader.batches() {
            (started, cpu_before) = (Instant::now(), cpu_seconds());
            continue;
        }
        images += batch?.indices.len();
        if started.elapsed().as_secs_f64() > seconds {
            break;
        }
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    let rate = |time: f64| (images as f64 / time * 10.0).round() / 10.0;
    println!(
        "{{\"who\": \"fmicl\", \"what\": \"{what}\", \"threads\": {threads}, \"images\": {images}, \"wall_s\": {wall:.3}, \
         \"cpu_s\": {cpu:.3}, \"images_per_s\": {}, \"images_per_cpu_s\": {}, \"jpeg_simd\": {}}}",
        rate(wall),
        rate(cpu),
        fmicl_data::JPEG_SIMD,
    );
    Ok(())
}

/// SimCLR's recipe for ImageNet, arXiv 2002.05709, appendix A.
fn imagenet() -> ImageViews {
    ImageViews {
        size: 224,
        jitter: Switch::On(Jitter {
            brightness: 0.8,
            contrast: 0.8,
            saturation: 0.8,
            hue: 0.2,
            p: 0.8,
        }),
        blur: Switch::On(Blur::default()),
        normalize: Normalize {
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        },
        ..ImageViews::default()
    }
}

/// What this process has used of the processors so far, in its own code and in the kernel's; where there is no
/// `/proc`, a clock.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets: state is field 3, utime and stime are 14 and 15, in hundredths.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(kernel)) => (user + kernel) / 100.0,
        _ => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.map_or(0.0, |time| time.as_secs_f64())
        }
    }
}
