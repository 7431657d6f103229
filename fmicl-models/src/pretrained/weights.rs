//! A file of published weights: the names and shapes of its tensors, and how its images are made.

use fmicl_core::toml::{Table, Value};
use fmicl_core::{Error, Result, read_file, weights};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file in a folder of Hugging Face's hub, and the one beside it that timm writes.
const MODEL: &str = "model.safetensors";
const CONFIG: &str = "config.json";
/// The most bytes of that.
const MOST: u64 = 1 << 20;

/// Names and shapes of a file's tensors, below the prefix that one of them has.
pub(super) struct Weights {
    /// The file.
    pub path: PathBuf,
    /// Before each name, such as `module.encoder_q.`.
    pub prefix: String,
    shapes: BTreeMap<String, Vec<i64>>,
    images: Images,
}

/// How the images of timm's models are made, as its `config.json` says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    pretrained_cfg: Images,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Images {
    input_size: Option<[i64; 3]>,
    crop_pct: Option<f64>,
    mean: Option<[f64; 3]>,
    std: Option<[f64; 3]>,
}

impl Weights {
    /// The weights of a file, or of the file `model.safetensors` in a folder, if they have a name that ends in `wanted`, behind the
    /// prefix. Where there are several prefixes, such as those of an encoder and its momentum copy, the shortest counts, and of
    /// equals the last: MoCo's `encoder_q`.
    ///
    /// # Errors
    /// A `config.json` beside them that cannot be read.
    pub fn read(path: &Path, wanted: &str) -> Result<Option<Self>> {
        let is_folder = path.is_dir();
        let file = if is_folder {
            path.join(MODEL)
        } else {
            path.to_path_buf()
        };
        let Some(shapes) = weights::shapes(&file).filter(|_| weights::about(&file).is_none()) else {
            // What says itself what it is of is none of another program's.
            return Ok(None);
        };
        let mut prefixes: Vec<&str> = shapes.keys().filter_map(|name| name.strip_suffix(wanted)).collect();
        prefixes.retain(|prefix| prefix.is_empty() || prefix.ends_with('.'));
        prefixes.sort_by_key(|prefix| (std::cmp::Reverse(prefix.len()), *prefix));
        let Some(prefix) = prefixes.pop().map(String::from) else {
            return Ok(None);
        };
        let config = file.with_file_name(CONFIG);
        let images = match config.is_file() {
            true => read_config(&config)?.pretrained_cfg,
            false => Images::default(),
        };
        Ok(Some(Weights {
            path: file,
            prefix,
            shapes,
            images,
        }))
    }

    /// The shape of a tensor; nothing where there is none of that name.
    pub fn shape(&self, name: &str) -> Option<&[i64]> {
        self.shapes.get(&format!("{}{name}", self.prefix)).map(Vec::as_slice)
    }

    /// How many of `0`, `1`, ... there are of tensors that `name` gives.
    pub fn count(&self, name: impl Fn(usize) -> String) -> usize {
        (0..).take_while(|&index| self.shape(&name(index)).is_some()).count()
    }

    /// The error of weights that no backbone here has.
    pub fn unknown(&self, what: &str) -> Error {
        Error::data(&self.path, what)
    }

    /// Options of the views: photos of `size` pixels, unless timm says another size, in ImageNet's normalisation.
    pub fn photos(&self, size: i64) -> Table {
        let Images {
            input_size,
            crop_pct,
            mean,
            std,
        } = &self.images;
        let size = input_size.map_or(size, |[_, _, size]| size);
        // 256 for 224.
        let share = crop_pct.filter(|share| *share > 0.0 && *share <= 1.0).unwrap_or(0.875);
        let resized = (size as f64 / share).round() as i64;
        let three = |own: &Option<[f64; 3]>, usual: [f64; 3]| Value::from(own.unwrap_or(usual).to_vec());
        let normalize = Table::from_iter([
            ("mean".to_string(), three(mean, [0.485, 0.456, 0.406])),
            ("std".to_string(), three(std, [0.229, 0.224, 0.225])),
        ]);
        Table::from_iter([
            ("name".to_string(), "image".into()),
            ("size".to_string(), size.into()),
            ("eval_resize".to_string(), resized.max(size).into()),
            ("normalize".to_string(), normalize.into()),
        ])
    }
}

fn read_config(path: &Path) -> Result<Config> {
    let bytes = read_file(path, MOST, "timm's config.json is expected")?;
    let read = serde_json::from_slice(&bytes);
    read.map_err(|error| Error::data(path, format!("cannot be used: {error}")))
}
