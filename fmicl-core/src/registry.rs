//! The registry: every kind of part, every part of a kind, found at link time.
//!
//! A crate registers a part with [`register!`](crate::register) in the file that defines it; nothing else
//! lists it. A crate that is only named in `Cargo.toml` is dropped by the linker and registers nothing: the
//! binary must say `use that_crate as _;`.

mod fields;

pub use fields::fields;

use crate::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};

/// The number of the plugin interface; it grows when a trait in this crate changes.
pub const API: u32 = 14;

/// What a registered part is: its name, where it comes from and how its options become the part.
pub struct Entry<T: ?Sized + 'static> {
    /// The name in a config.
    pub name: &'static str,
    /// One line for `fmicl list`.
    pub summary: &'static str,
    /// The crate that registered it.
    pub crate_name: &'static str,
    /// That crate's version.
    pub crate_version: &'static str,
    /// The [`API`] it was built with.
    pub api: u32,
    /// The keys of its options.
    pub options: fn() -> &'static [&'static str],
    /// Reads and checks the options, and makes the part.
    pub build: fn(toml::Table) -> Result<Built<T>>,
}

/// A part and all of its options, those left at their default included.
pub struct Built<T: ?Sized> {
    /// The part.
    pub part: Box<T>,
    /// Its options as they would be written in a config.
    pub options: toml::Table,
}

/// A kind of part: implemented for `dyn Divergence` and so on by [`kind!`](crate::kind).
pub trait Kind: 'static {
    /// The word in configs and messages, such as `divergence`.
    const NAME: &'static str;

    /// All entries of the kind, in no particular order.
    fn entries() -> Vec<&'static Entry<Self>>;
}

/// A kind as `fmicl list` needs it, without its type.
pub struct KindInfo {
    /// The word in configs and messages, such as `divergence`.
    pub name: &'static str,
    /// The registered parts, sorted by name.
    pub list: fn() -> Vec<Listing>,
}

inventory::collect!(KindInfo);

/// A registered part as it is listed.
#[derive(Debug, Clone, Serialize)]
pub struct Listing {
    /// The kind, such as `divergence`.
    pub kind: &'static str,
    /// The name in a config.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The crate that registered it.
    #[serde(rename = "crate")]
    pub crate_name: &'static str,
    /// That crate's version.
    pub version: &'static str,
    /// The [`API`] it was built with.
    pub api: u32,
    /// The keys of its options.
    pub options: &'static [&'static str],
    /// The options' defaults; absent where an option must be given.
    pub defaults: Option<toml::Table>,
}

/// Declares a kind of part: `kind!(Divergence, "divergence")` beside the trait.
#[macro_export]
macro_rules! kind {
    ($kind:ident, $name:literal) => {
        $crate::inventory::collect!($crate::registry::Entry<dyn $kind>);
        $crate::inventory::submit! {
            $crate::registry::KindInfo { name: $name, list: $crate::registry::list::<dyn $kind> }
        }
        impl $crate::registry::Kind for dyn $kind {
            const NAME: &'static str = $name;
            fn entries() -> Vec<&'static $crate::registry::Entry<Self>> {
                $crate::inventory::iter::<$crate::registry::Entry<dyn $kind>>
                    .into_iter()
                    .collect()
            }
        }
    };
}

/// Registers a part: `register!(Divergence, "kl", Kl, "one line for fmicl list")`.
///
/// The type is the part's options: it implements the kind's trait, `Serialize` and `Deserialize` (with
/// `deny_unknown_fields`). Put the line in the file that defines the part.
///
/// ```
/// use fmicl_core::{Divergence, Part, register, tch::Tensor, toml};
///
/// /// Reverse Kullback-Leibler, `f(u) = -log u`.
/// #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// pub struct ReverseKl {}
///
/// register!(Divergence, "reverse-kl", ReverseKl, "repels by the log ratio itself");
///
/// impl Divergence for ReverseKl {
///     fn generator(&self, log_u: &Tensor) -> Tensor {
///         -log_u
///     }
///     fn critic(&self, log_u: &Tensor) -> Tensor {
///         -(-log_u).exp()
///     }
///     fn conjugate(&self, t: &Tensor) -> Tensor {
///         -(-t).log() - 1.0
///     }
///     fn domain(&self) -> (f64, f64) {
///         (f64::NEG_INFINITY, -0.01)
///     }
///     fn penalty(&self, log_u: &Tensor) -> Tensor {
///         log_u - 1.0
///     }
/// }
///
/// let part: Part<dyn Divergence> = Part::new("reverse-kl", toml::Table::new())?;
/// fmicl_core::testing::check_divergence(&*part);
/// # Ok::<(), fmicl_core::Error>(())
/// ```
#[macro_export]
macro_rules! register {
    ($kind:ident, $name:literal, $part:ty, $summary:literal) => {
        $crate::inventory::submit! {
            $crate::registry::Entry::<dyn $crate::$kind> {
                name: $name,
                summary: $summary,
                crate_name: env!("CARGO_PKG_NAME"),
                crate_version: env!("CARGO_PKG_VERSION"),
                api: $crate::registry::API,
                options: $crate::registry::fields::<$part>,
                build: |options| {
                    let part: $part = $crate::registry::read_options(options)?;
                    $crate::$kind::validate(&part)?;
                    let options = $crate::registry::write_options(&part)?;
                    Ok($crate::registry::Built { part: Box::new(part), options })
                },
            }
        }
    };
}

/// All kinds, sorted by name.
pub fn kinds() -> Vec<&'static KindInfo> {
    let mut kinds: Vec<_> = inventory::iter::<KindInfo>.into_iter().collect();
    kinds.sort_by_key(|kind| kind.name);
    kinds
}

/// The registered parts of a kind, sorted by name.
pub fn list<T: Kind + ?Sized>() -> Vec<Listing> {
    let mut entries = T::entries();
    entries.sort_by_key(|entry| (entry.name, entry.crate_name));
    entries.into_iter().map(listing).collect()
}

fn listing<T: Kind + ?Sized>(entry: &'static Entry<T>) -> Listing {
    Listing {
        kind: T::NAME,
        name: entry.name,
        summary: entry.summary,
        crate_name: entry.crate_name,
        version: entry.crate_version,
        api: entry.api,
        options: (entry.options)(),
        defaults: (entry.build)(toml::Table::new()).ok().map(|built| built.options),
    }
}

/// The entry of a name.
///
/// # Errors
/// [`Error::Config`] where nothing has the name (with the nearest one and the full list), or where two crates
/// registered it (naming both).
pub fn find<T: Kind + ?Sized>(name: &str) -> Result<&'static Entry<T>> {
    let entries = T::entries();
    let mut found: Vec<_> = entries.iter().copied().filter(|entry| entry.name == name).collect();
    found.sort_by_key(|entry| entry.crate_name);
    match found[..] {
        [entry] => Ok(entry),
        [] => {
            let mut names: Vec<_> = entries.iter().map(|entry| entry.name).collect();
            names.sort_unstable();
            names.dedup();
            let hint = did_you_mean(name, &names);
            let kind = T::NAME;
            Err(Error::config(format!(
                "no {kind} named `{name}`{hint}; registered: {}",
                names.join(", ")
            )))
        }
        [first, second, ..] => Err(Error::config(format!(
            "the {} `{name}` is registered twice, by the crates {} and {}: rename one or link only one of them",
            T::NAME,
            first.crate_name,
            second.crate_name
        ))),
    }
}

/// `` (did you mean `kl`?)``, or nothing where no known name is near.
pub fn did_you_mean(found: &str, known: &[&str]) -> String {
    let lower = found.to_lowercase();
    let score = |name: &str| {
        let name = name.to_lowercase();
        let alike = strsim::jaro_winkler(&lower, &name);
        let (short, long) = (lower.len().min(name.len()), lower.len().max(name.len()));
        // A part of the other one; the more of it, the better, so that `epoch` is `epochs` before `warmup_epochs`.
        let contained = short >= 2 && (lower.contains(&name) || name.contains(&lower));
        let part = if contained {
            0.76 + 0.2 * short as f64 / long as f64
        } else {
            0.0
        };
        // Jaro and Winkler see no likeness between three letters of which two changed places.
        let slip = short >= 3 && strsim::osa_distance(&lower, &name) == 1;
        alike.max(part).max(if slip { 0.8 } else { 0.0 })
    };
    let nearest = known
        .iter()
        .map(|name| (score(name), *name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((score, name)) if score > 0.75 => format!(" (did you mean `{name}`?)"),
        _ => String::new(),
    }
}

/// Reads an options struct from a table.
///
/// # Errors
/// [`Error::Config`] with the dotted key of the value that is unknown, missing or of the wrong type.
pub fn read_options<T: DeserializeOwned>(options: toml::Table) -> Result<T> {
    serde_path_to_error::deserialize(toml::Value::Table(options)).map_err(|error| {
        let key = error.path().to_string();
        crate::part::from_serde(&key, error.inner().message())
    })
}

/// Writes an options struct as a table, so that defaults can be shown.
///
/// # Errors
/// [`Error::Config`] where a value has no form in TOML, such as an integer above 2^63.
pub fn write_options<T: Serialize>(options: &T) -> Result<toml::Table> {
    toml::Table::try_from(options).map_err(|error| Error::config(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn the_nearest_name_is_the_hint() {
        let cases: [(&str, &[&str], &str); 7] = [
            ("epoch", &["epochs", "warmup_epochs"], "epochs"),
            ("CIFAR10", &["cifar10", "cifar100"], "cifar10"),
            ("cifar1", &["cifar10", "cifar100"], "cifar10"),
            ("MoCo", &["moco", "moco-v3", "simclr"], "moco"),
            ("lap", &["laptop", "laptop-cifar10"], "laptop"),
            ("dlc", &["dcl", "dhel", "kcl"], "dcl"),
            ("pearsn", &["kl", "pearson", "vlc"], "pearson"),
        ];
        for (found, known, nearest) in cases {
            assert_eq!(
                did_you_mean(found, known),
                format!(" (did you mean `{nearest}`?)"),
                "{found}"
            );
        }
        assert_eq!(did_you_mean("gaussian", &["kl", "js", "vlc"]), "");
    }
}
