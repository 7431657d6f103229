//! Recipes: which transforms make a view, and in which order.

use super::ImageViews;
use super::written::KEYS;
use fmicl_core::registry::{did_you_mean, find, write_options};
use fmicl_core::toml::{Table, Value};
use fmicl_core::{Error, Part, Problem, Result, Transform, require, word_of};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The order of the transforms that SimCLR has.
const ORDER: [&str; 5] = ["crop", "flip", "jitter", "grayscale", "blur"];
/// Those of them that are off unless something is said.
const OFF: &str = "blur";

/// The recipes of all views.
#[derive(Debug)]
pub(super) struct Recipes {
    /// What they have in common, and all there is where no view differs.
    common: Recipe,
    /// That of each view, with the keys in which it may differ.
    each: Vec<(Recipe, BTreeSet<String>)>,
}

/// A list of transforms.
#[derive(Debug)]
pub(super) struct Recipe {
    /// By their keys, those that are off included.
    transforms: BTreeMap<String, Option<Part<dyn Transform>>>,
    order: Vec<String>,
    /// Transforms that are on, in order.
    pub steps: Vec<Step>,
}

/// A transform in its place.
#[derive(Debug)]
pub(super) struct Step {
    pub key: String,
    pub transform: Arc<dyn Transform>,
    /// The word of its stream, made of the key alone.
    pub word: u64,
}

impl Step {
    /// The error of a transform that breaks its promises.
    pub fn wrong(&self, what: &str) -> Error {
        Error::Run(format!(
            "the transform `{}` {what}: `fmicl_core::testing::check_transform` says more",
            self.key
        ))
    }
}

impl Recipes {
    /// The recipes as they were written.
    ///
    /// # Errors
    /// [`Error::Config`] at the key.
    pub fn build(written: &ImageViews) -> Result<Self> {
        let size = written.size;
        let defaults = ORDER.map(|key| (key.to_string(), key != OFF)).into_iter();
        let mut defaults: Table = defaults.map(|(key, on)| (key, Value::Boolean(on))).collect();
        let channels = written.channels;
        let without: &[&str] = match channels {
            1 => &["saturation", "hue"],
            3 => &[],
            _ => &["contrast", "saturation", "hue"],
        };
        if !without.is_empty() {
            let colorless = without.iter().map(|key| (key.to_string(), Value::Float(0.0)));
            defaults.insert("jitter".into(), Table::from_iter(colorless).into());
            defaults.insert("grayscale".into(), false.into());
        }
        written.transforms.keys().try_for_each(|key| known(key, written))?;
        let values = overlaid(&overlaid(&Options::new(), &defaults)?, &written.transforms)?;
        let order = written.order.clone();
        let order = order.unwrap_or_else(|| ORDER.map(String::from).to_vec());
        // A transform that one view alone has may be placed for all.
        let all = written.each.iter().chain([&written.transforms]);
        let keys = all.flat_map(Table::keys).map(String::as_str).chain(ORDER);
        let keys: BTreeSet<&str> = keys.filter(|key| *key != "order").collect();
        let common = Recipe::build(values.clone(), order.clone(), (size, channels), &keys)?;
        let mut each = Vec::new();
        for (index, written_one) in written.each.iter().enumerate() {
            let one = || -> Result<_> {
                let mut changes = written_one.clone();
                let order = match changes.remove("order") {
                    Some(own) => own.try_into().map_err(|_| {
                        Error::config("expected a list of the transforms' names, in quotes").at("order")
                    })?,
                    None => order.clone(),
                };
                for key in changes.keys() {
                    of_one_view(key)?;
                    known(key, written)?;
                }
                let recipe = Recipe::build(overlaid(&values, &changes)?, order, (size, channels), &keys)?;
                Ok((recipe, written_one.keys().cloned().collect()))
            };
            each.push(one().map_err(|error| error.at(&format!("each[{index}]")))?);
        }
        Ok(Recipes { common, each })
    }

    /// Recipe of a view.
    pub fn of(&self, view: u64) -> &Recipe {
        let own = usize::try_from(view).ok().and_then(|view| self.each.get(view));
        own.map_or(&self.common, |(recipe, _)| recipe)
    }

    /// The number of views, where each has its own recipe.
    pub fn count(&self) -> Option<usize> {
        (!self.each.is_empty()).then_some(self.each.len())
    }

    /// As they would be written, all options filled in: what is common, and what is other in each.
    ///
    /// # Errors
    /// An option that has no form in TOML.
    pub fn tables(&self) -> Result<(Table, Vec<Table>)> {
        let each = self
            .each
            .iter()
            .map(|(recipe, keys)| recipe.table(|key| keys.contains(key)));
        Ok((self.common.table(|_| true)?, each.collect::<Result<_>>()?))
    }
}

/// The options of transforms by their keys, `name` among them; nothing where one is off.
type Options = BTreeMap<String, Option<Table>>;

/// What stands under the keys of transforms, laid over older options.
fn overlaid(older: &Options, newer: &Table) -> Result<Options> {
    let mut merged = older.clone();
    for (key, value) in newer {
        let options = laid(key, value, older.get(key).cloned().flatten()).map_err(|error| error.at(key))?;
        merged.insert(key.clone(), options);
    }
    Ok(merged)
}

/// One value laid over older options.
fn laid(key: &str, value: &Value, older: Option<Table>) -> Result<Option<Table>> {
    let named = |name: &str| Table::from_iter([("name".to_string(), name.into())]);
    let or_default = |older: Option<Table>| older.unwrap_or_else(|| named(key));
    let options = match value {
        Value::Boolean(false) => return Ok(None),
        Value::Boolean(true) => or_default(older),
        Value::String(name) => named(name),
        Value::Integer(_) | Value::Float(_) => {
            let mut options = or_default(older);
            let name = options.get("name").and_then(Value::as_str).unwrap_or(key);
            let options_of = (find::<dyn Transform>(name)?.shape)(&[]).fields();
            require(options_of.contains(&"p"), "", || {
                format!(
                    "expected true, false or a table of options; found {value}, and `{name}` has no probability `p`"
                )
            })?;
            options.insert("p".into(), value.clone());
            options
        }
        Value::Table(newer) => {
            let is_other = newer
                .get("name")
                .is_some_and(|name| older.as_ref().and_then(|older| older.get("name")) != Some(name));
            let mut options = if is_other { named(key) } else { or_default(older) };
            options.extend(newer.clone());
            options
        }
        other => {
            return Err(Error::config(format!(
                "expected true, false, a probability or a table of options; found {} {other}",
                other.type_str()
            )));
        }
    };
    Ok(Some(options))
}

/// That a key is one of a transform, or names one.
fn known(key: &str, written: &ImageViews) -> Result<()> {
    let names = |table: &Table| match table.get(key) {
        Some(Value::Table(options)) => options.contains_key("name"),
        Some(Value::String(_)) => true,
        _ => false,
    };
    let is_known = KEYS.contains(&key) || names(&written.transforms) || written.each.iter().any(names);
    match is_known {
        true => Ok(()),
        false => Err(Error::from(Problem::UnknownKey { known: &KEYS }).at(key)),
    }
}

/// Checks that a key may be other in one view than in the rest.
fn of_one_view(key: &str) -> Result<()> {
    require(key != "size", key, || {
        "views of different sizes are not supported yet: `size` belongs in [views], for all".into()
    })?;
    let is_common = ["eval_resize", "normalize", "each"].contains(&key);
    require(!is_common, key, || format!("`{key}` belongs in [views], for all views"))
}

impl Recipe {
    /// The recipe of these options for views of a size and so many channels; `order` may name all `keys` of all views.
    fn build(
        options: Options,
        order: Vec<String>,
        (size, channels): (usize, usize),
        keys: &BTreeSet<&str>,
    ) -> Result<Self> {
        let mut transforms = BTreeMap::new();
        for (key, options) in options {
            let build = |options: Table| -> Result<_> {
                let part = Part::<dyn Transform>::from_value(options.into())?;
                part.validate_for(size)?;
                match channels {
                    1 => part.validate_for_gray()?,
                    3 => {}
                    _ => part.validate_for_bands(channels)?,
                }
                Ok(part)
            };
            let part = options.map(build).transpose();
            transforms.insert(key.clone(), part.map_err(|error| error.at(&key))?);
        }
        for (index, key) in order.iter().enumerate() {
            let at = format!("order[{index}]");
            let is_key = keys.contains(&**key) || find::<dyn Transform>(key).is_ok();
            require(is_key, &at, || {
                let known: Vec<&str> = keys.iter().copied().collect();
                let hint = did_you_mean(key, &known);
                format!("no transform is called `{key}`{hint}; there are {}", known.join(", "))
            })?;
            require(!order[..index].contains(key), &at, || format!("`{key}` is there twice"))?;
        }
        let is_on = |(key, part): (&String, &Option<Part<dyn Transform>>)| part.is_some().then(|| key.clone());
        if let Some(key) = transforms.iter().filter_map(is_on).find(|key| !order.contains(key)) {
            let last = [&order[..], std::slice::from_ref(&key)].concat();
            let message = format!(
                "`order` does not say when it is applied: last would be `order = {last:?}`, and never `{key} = false`"
            );
            return Err(Error::config(message).at(&key));
        }
        let mut steps: Vec<Step> = Vec::new();
        for key in &order {
            let Some(Some(part)) = transforms.get(key) else {
                continue;
            };
            require(!part.frames() || steps.is_empty(), key, || {
                format!(
                    "it frames the view, so nothing comes before it in `order`, and `{}` does",
                    steps[0].key
                )
            })?;
            steps.push(Step {
                key: key.clone(),
                transform: part.share(),
                word: word_of(key),
            });
        }
        Ok(Recipe {
            transforms,
            order,
            steps,
        })
    }

    /// The keys that `keeps` wants, as they would be written.
    fn table(&self, keeps: impl Fn(&str) -> bool) -> Result<Table> {
        let mut table = Table::new();
        for (key, part) in self.transforms.iter().filter(|(key, _)| keeps(key)) {
            let value = match part {
                None => Value::Boolean(false),
                Some(part) => {
                    let mut options = write_options(part)?;
                    if part.name() == key {
                        options.remove("name");
                    }
                    options.into()
                }
            };
            table.insert(key.clone(), value);
        }
        if keeps("order") {
            table.insert("order".into(), self.order.clone().into());
        }
        Ok(table)
    }
}
