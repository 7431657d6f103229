//! The options of the views as they stand in a file.

use super::{ImageViews, MOST_CHANNELS};
use crate::Normalize;
use fmicl_core::Transform;
use fmicl_core::registry;
use fmicl_core::toml::{Table, Value};
use serde::de::{MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::{LazyLock, OnceLock};

/// What stands under a transform's key. By the kind's name, who asks for the keys of the views finds those of the transform.
#[derive(Deserialize)]
#[serde(rename = "transform")]
struct OfATransform(Value);

/// What stands under `normalize`.
#[derive(Default, Deserialize)]
#[serde(rename = "Normalize", deny_unknown_fields, default)]
struct WrittenNormalize {
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
}

/// The keys of the views: these, and the names of the transforms.
pub(super) static KEYS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let transforms = registry::list::<dyn Transform>();
    let names = transforms.iter().map(|transform| transform.name);
    ["size", "channels", "range", "eval_resize", "normalize", "order", "each"]
        .into_iter()
        .chain(names)
        .collect()
});

impl Default for ImageViews {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a test builds them")]
        ImageViews::new(Table::new()).expect("every option has a default")
    }
}

impl<'de> Deserialize<'de> for ImageViews {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = ImageViews;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("struct ImageViews")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ImageViews, A::Error> {
                let mut views = ImageViews {
                    size: 32,
                    channels: 3,
                    range: None,
                    eval_resize: None,
                    normalize: Normalize::default(),
                    order: None,
                    each: Vec::new(),
                    transforms: Table::new(),
                    recipes: OnceLock::new(),
                };
                let mut normalize: Option<WrittenNormalize> = None;
                while let Some(key) = map.next_key::<String>()? {
                    match &*key {
                        "size" => views.size = map.next_value()?,
                        "channels" => views.channels = map.next_value()?,
                        "range" => views.range = Some(map.next_value()?),
                        "eval_resize" => views.eval_resize = Some(map.next_value()?),
                        "normalize" => normalize = Some(map.next_value()?),
                        "order" => views.order = Some(map.next_value()?),
                        "each" => views.each = map.next_value()?,
                        _ => drop(views.transforms.insert(key, map.next_value::<OfATransform>()?.0)),
                    }
                }
                // What is not written is the default of as many channels, which may be known at last.
                let default = Normalize::of(views.channels.min(MOST_CHANNELS));
                let WrittenNormalize { mean, std } = normalize.unwrap_or_default();
                views.normalize = Normalize {
                    mean: mean.unwrap_or(default.mean),
                    std: std.unwrap_or(default.std),
                };
                Ok(views)
            }
        }

        deserializer.deserialize_struct("ImageViews", &KEYS, Keys)
    }
}

impl Serialize for ImageViews {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (common, each) = self.recipes().tables().map_err(S::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("size", &self.size)?;
        if self.channels != 3 {
            map.serialize_entry("channels", &self.channels)?;
        }
        if let Some(range) = &self.range {
            map.serialize_entry("range", range)?;
        }
        if let Some(eval_resize) = self.eval_resize {
            map.serialize_entry("eval_resize", &eval_resize)?;
        }
        map.serialize_entry("normalize", &self.normalize)?;
        for (key, value) in common {
            map.serialize_entry(&key, &value)?;
        }
        if !each.is_empty() {
            map.serialize_entry("each", &each)?;
        }
        map.end()
    }
}
