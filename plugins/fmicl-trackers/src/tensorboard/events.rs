//! Events made of metrics, images, histograms and configs.

use super::files::now;
use super::messages::{
    Data, Dim, Event, Histogram, Hparam, HparamValue, Hparams, Image, Metadata, PluginData, Session, SessionEnd,
    SessionStart, Shape, Summary, Tensor, Value, What,
};
use crate::flat;
use fmicl_core::tch::{self, Device, Kind};
use fmicl_core::toml::{self, Table};
use fmicl_core::{Error, MetricValue, MetricValues, Result};
use prost::Message;

/// Buckets of a histogram.
const BUCKETS: i64 = 64;
/// Numbers of TensorFlow's types.
const FLOAT: i32 = 1;
const STRING: i32 = 7;
/// Tags that the plugin `hparams` looks for, and that of the config.
const START: &str = "_hparams_/session_start_info";
const END: &str = "_hparams_/session_end_info";
const CONFIG: &str = "config";

/// The numbers among metrics as scalars, by the names that `named` gives them.
pub fn scalars(values: &MetricValues, named: fn(&str) -> String) -> Option<What> {
    let scalars = values.iter().filter_map(|(name, value)| {
        let value = match value {
            MetricValue::Count(count) => *count as f32,
            MetricValue::Number(number) => *number as f32,
            MetricValue::Text(_) => return None,
        };
        Some(Value {
            tag: named(name),
            metadata: None,
            data: Some(Data::SimpleValue(value)),
        })
    });
    summary(scalars.collect())
}

/// An image `[C, H, W]` of bytes.
///
/// # Errors
/// Another shape.
pub fn image(name: &str, pixels: &tch::Tensor) -> Result<Option<What>> {
    let failed = |why: &dyn std::fmt::Display| Error::Run(format!("the image {name:?}: {why}"));
    let size = pixels.size();
    let &[channels @ (1 | 3), height, width] = &size[..] else {
        return Err(failed(&format_args!("{size:?} is not [1 or 3, height, width]")));
    };
    let bytes = pixels
        .to_device(Device::Cpu)
        .permute([1, 2, 0])
        .contiguous()
        .flatten(0, -1);
    let bytes = Vec::<u8>::try_from(&bytes).map_err(|error| failed(&error))?;
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width as u32, height as u32);
    encoder.set_color(match channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    let written = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&bytes));
    written.map_err(|error| failed(&error))?;
    Ok(summary(vec![Value {
        tag: name.into(),
        metadata: None,
        data: Some(Data::Image(Image {
            height: height as i32,
            width: width as i32,
            colorspace: channels as i32,
            encoded_image_string: png,
        })),
    }]))
}

/// The finite ones of values, in 64 buckets of one width; nothing where there are none.
///
/// # Errors
/// libtorch's.
pub fn histogram(name: &str, values: &tch::Tensor) -> Result<Option<What>> {
    let values = values.to_device(Device::Cpu).to_kind(Kind::Double);
    let values = values.masked_select(&values.isfinite());
    let num = values.numel();
    if num == 0 {
        return Ok(None);
    }
    let of = |tensor: tch::Tensor| tensor.double_value(&[]);
    let (min, max) = (of(values.min()), of(values.max()));
    let counts = values.histc(BUCKETS);
    let counts = Vec::<f64>::try_from(&counts).map_err(|error| Error::torch(&error.to_string()))?;
    // libtorch widens a range of one value.
    let (low, high) = if min < max { (min, max) } else { (min - 1.0, max + 1.0) };
    let limit = |bucket: i64| low + (high - low) * (bucket + 1) as f64 / BUCKETS as f64;
    Ok(summary(vec![Value {
        tag: name.into(),
        metadata: None,
        data: Some(Data::Histogram(Histogram {
            min,
            max,
            num: num as f64,
            sum: of(values.sum(None::<Kind>)),
            sum_squares: of(values.square().sum(None::<Kind>)),
            bucket_limit: (0..BUCKETS).map(limit).collect(),
            bucket: counts,
        })),
    }]))
}

/// A config as text.
pub fn config_text(config: &Table) -> String {
    format!("```toml\n{config}```\n")
}

/// The config as text, and as the values by which the plugin `hparams` compares runs.
pub fn config(config: &Table) -> Option<What> {
    let text = Value {
        tag: CONFIG.into(),
        metadata: plugin("text", Vec::new()),
        data: Some(Data::Tensor(Tensor {
            dtype: STRING,
            tensor_shape: one(),
            string_val: vec![config_text(config).into_bytes()],
            ..Tensor::default()
        })),
    };
    let hparams = flat::leaves(config).into_iter().map(|(key, value)| {
        let value = match value {
            toml::Value::Integer(number) => HparamValue::Number(number as f64),
            toml::Value::Float(number) => HparamValue::Number(number),
            toml::Value::Boolean(value) => HparamValue::Bool(value),
            value => HparamValue::Text(flat::shown(&value)),
        };
        (key, Hparam { value: Some(value) })
    });
    let start = Session::Start(SessionStart {
        hparams: hparams.collect(),
        start_time_secs: now(),
    });
    summary(vec![text, session(START, start)])
}

/// The text of a config among the values of an event.
pub fn config_of(event: &Event) -> Option<String> {
    let Some(What::Summary(summary)) = &event.what else {
        return None;
    };
    let value = summary.value.iter().find(|value| value.tag == CONFIG)?;
    let Some(Data::Tensor(tensor)) = &value.data else {
        return None;
    };
    String::from_utf8(tensor.string_val.first()?.clone()).ok()
}

/// The end of a run, well or not.
pub fn end(finished: bool) -> Option<What> {
    let end = Session::End(SessionEnd {
        status: if finished { 1 } else { 2 },
        end_time_secs: now(),
    });
    summary(vec![session(END, end)])
}

/// Returns true for an event of [`end`].
pub fn is_end(event: &Event) -> bool {
    matches!(&event.what, Some(What::Summary(summary)) if summary.value.iter().any(|value| value.tag == END))
}

fn session(tag: &str, session: Session) -> Value {
    let content = Hparams {
        version: 0,
        session: Some(session),
    };
    Value {
        tag: tag.into(),
        metadata: plugin("hparams", content.encode_to_vec()),
        // The plugin reads the metadata alone; others skip a value without data.
        data: Some(Data::Tensor(Tensor {
            dtype: FLOAT,
            tensor_shape: one(),
            float_val: vec![0.0],
            ..Tensor::default()
        })),
    }
}

fn plugin(name: &str, content: Vec<u8>) -> Option<Metadata> {
    Some(Metadata {
        plugin_data: Some(PluginData {
            plugin_name: name.into(),
            content,
        }),
    })
}

/// The shape `[1]`.
fn one() -> Option<Shape> {
    Some(Shape {
        dim: vec![Dim { size: 1 }],
    })
}

fn summary(value: Vec<Value>) -> Option<What> {
    (!value.is_empty()).then_some(What::Summary(Summary { value }))
}
