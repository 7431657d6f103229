//! One row of BENCHMARKS.md, our side, as one line of JSON: `bench ROW [KEY=VALUE...]`. Its peer with the same arguments
//! is `bench/peer.py`; `bench/bench.py` runs both in turn and has the rows, `bench/gpu_check.py` those of a GPU.

// As the program has it.
#[cfg(all(feature = "jemalloc", target_os = "linux"))]
#[path = "../../src/allocator.rs"]
mod allocator;
mod loss;
mod objectives;
mod optimizer;
mod step;
mod time;
mod views;

use fmicl_baselines as _;
use fmicl_divergences as _;
use fmicl_models as _;
use fmicl_runner::DeviceChoice;
use fmicl_shards as _;
use std::collections::BTreeMap;
use std::error::Error;

/// What a row is asked to do.
struct Arguments(BTreeMap<String, String>);

impl Arguments {
    fn text(&self, key: &str) -> Result<&str, String> {
        self.0
            .get(key)
            .map(String::as_str)
            .ok_or_else(|| format!("{key}=... is missing"))
    }

    fn number(&self, key: &str) -> Result<i64, Box<dyn Error>> {
        Ok(self.text(key)?.parse()?)
    }

    fn device(&self) -> Result<tch::Device, Box<dyn Error>> {
        Ok(self.text("device")?.parse::<DeviceChoice>()?.resolve()?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let row = words.next().unwrap_or_default();
    let pairs = words.filter_map(|word| {
        word.split_once('=')
            .map(|(key, value)| (key.to_string(), value.to_string()))
    });
    let arguments = Arguments(pairs.collect());
    if let Ok(threads) = arguments.number("threads") {
        tch::set_num_threads(i32::try_from(threads)?);
    }
    match row.as_str() {
        "f-micl" | "infonce" | "products" => loss::run(&row, &arguments),
        "optimizer" => optimizer::run(&arguments),
        "objectives" => objectives::run(&arguments),
        "step" => step::run(&arguments),
        "views" => views::run(&arguments),
        other => Err(format!("no row `{other}`: f-micl, infonce, products, optimizer, objectives, step, views").into()),
    }
}
