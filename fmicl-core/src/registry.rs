//! The registry: every kind of part, every part of a kind, found at link time.
//!
//! A crate registers a part with [`register!`](crate::register) in the file that defines it; nothing else
//! lists it. A crate that is only named in `Cargo.toml` is dropped by the linker and registers nothing: the
//! binary must say `use that_crate as _;`.

mod below_zero;
mod docs;
mod part;
mod read;
mod reader;
mod shape;
mod suggest;
mod words;

pub use below_zero::BelowZero;
pub use docs::{Docs, Documented, in_one_line};
#[doc(hidden)]
pub use docs::{Of, With, Without};
pub use part::Part;
pub use read::{read, read_options, read_valid, write_options};
pub use shape::{Known, Shape, fields, shape, tables};
pub use suggest::did_you_mean;
pub(crate) use words::shown;
pub use words::{in_toml, throw};

use crate::{Error, Result};
use serde::Serialize;

/// The number of the plugin interface; it grows when a trait in this crate changes.
pub const API: u32 = 25;

/// A registered part: its name, its origin, and the function that builds it from options.
pub struct Entry<T: ?Sized + 'static> {
    /// The name in a config.
    pub name: &'static str,
    /// One line for `fmicl list`.
    pub summary: &'static str,
    /// The doc comments of its options.
    pub docs: fn() -> Docs,
    /// The crate that registered it.
    pub crate_name: &'static str,
    /// That crate's version.
    pub crate_version: &'static str,
    /// The [`API`] it was built with.
    pub api: u32,
    /// Shape of its options, or of the value at a path within them.
    pub shape: fn(&[&str]) -> Shape,
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
#[derive(Debug)]
pub struct KindInfo {
    /// The word in configs and messages, such as `divergence`.
    pub name: &'static str,
    /// The registered parts, sorted by name.
    pub list: fn() -> Vec<Listing>,
    /// Shape of the options of the part of a name, or of the value at a path within them.
    pub shape: fn(&str, &[&str]) -> Shape,
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
    /// The doc comments of its options; empty where the part does not derive [`Documented`].
    #[serde(skip)]
    pub docs: Docs,
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
            $crate::registry::KindInfo {
                name: $name,
                list: $crate::registry::list::<dyn $kind>,
                shape: $crate::registry::shape_of::<dyn $kind>,
            }
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
                docs: || {
                    #[allow(unused_imports, reason = "a part has docs or has none")]
                    use $crate::registry::{With as _, Without as _};
                    (&$crate::registry::Of::<$part>(::std::marker::PhantomData)).docs()
                },
                crate_name: env!("CARGO_PKG_NAME"),
                crate_version: env!("CARGO_PKG_VERSION"),
                api: $crate::registry::API,
                shape: $crate::registry::shape::<$part>,
                build: |options| {
                    let part: $part = $crate::registry::read_valid(options, $crate::$kind::validate)?;
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
        docs: (entry.docs)(),
        crate_name: entry.crate_name,
        version: entry.crate_version,
        api: entry.api,
        options: (entry.shape)(&[]).fields(),
        defaults: (entry.build)(toml::Table::new()).ok().map(|built| built.options),
    }
}

/// Shape of the value at `path` within the options of the part named `name`.
pub fn shape_of<T: Kind + ?Sized>(name: &str, path: &[&str]) -> Shape {
    find::<T>(name).map_or(Shape::Other, |entry| (entry.shape)(path))
}

/// The names of a kind's parts, sorted.
pub(crate) fn names<T: Kind + ?Sized>() -> Vec<&'static str> {
    let mut names: Vec<_> = T::entries().iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    names.dedup();
    names
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
            let names = names::<T>();
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
