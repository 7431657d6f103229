//! How many images a second the loader turns into SimCLR's two views, `views what=cifar|photos|shards root=FOLDER threads=1
//! seconds=3 size=224`. The folder is what the dataset `cifar10`, `image-folder` or `webdataset` would be given. Its peer, torchvision on PIL
//! images, is `bench/views.py`.

use crate::{Arguments, time};
use fmicl_core::{Dataset, Part, Split};
use fmicl_data::{ImageViews, Loader};
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;
use toml::Table;

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let threads = usize::try_from(arguments.number("threads")?)?;
    let seconds: f64 = arguments.text("seconds")?.parse()?;
    let (dataset, mut views, batch): (_, Table, _) = match arguments.text("what")? {
        "cifar" => ("cifar10", Table::new(), 256),
        "photos" => ("image-folder", IMAGENET.parse()?, 50),
        "shards" => ("webdataset", IMAGENET.parse()?, 50),
        other => return Err(format!("`{other}` is not one of cifar, photos and shards").into()),
    };
    views.insert("size".into(), arguments.number("size")?.into());
    let views = ImageViews::new(views)?;
    let options = Table::from_iter([("root".to_string(), arguments.text("root")?.into())]);
    let dataset: Part<dyn Dataset> = Part::new(dataset, options)?;
    let dataset = dataset.open(Split::Pretrain)?.into();
    let loader = Loader::new(dataset, Arc::new(views), 2, batch, 0, threads)?;

    let mut images = 0;
    // An epoch to warm up: files come into the page cache, buffers grow to their sizes.
    let (mut started, mut cpu_before) = (Instant::now(), 0.0);
    for (index, batch) in loader.epochs(0..u64::MAX >> 32, loader.batches(), 0)?.enumerate() {
        if index < loader.batches() {
            (started, cpu_before) = (Instant::now(), time::cpu_seconds());
            continue;
        }
        images += batch?.indices.len();
        if started.elapsed().as_secs_f64() > seconds {
            break;
        }
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), time::cpu_seconds() - cpu_before);
    let line = serde_json::json!({
        "per_second": images as f64 / wall,
        "cpu_seconds": cpu / images as f64,
        "jpeg_simd": fmicl_data::JPEG_SIMD,
    });
    println!("{line}");
    Ok(())
}

/// SimCLR's recipe for ImageNet, arXiv 2002.05709, appendix A.
const IMAGENET: &str = "
jitter = { brightness = 0.8, contrast = 0.8, saturation = 0.8, hue = 0.2, p = 0.8 }
blur = true
normalize = { mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225] }
";
