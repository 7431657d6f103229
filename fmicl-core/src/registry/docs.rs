//! The doc comments of options, for `fmicl list --doc`.

use std::marker::PhantomData;

/// Each option of a part and the lines of its doc comment.
pub type Docs = &'static [(&'static str, &'static [&'static str])];

/// A doc comment in one line; links between items, which lead nowhere outside rustdoc, become their words.
pub fn in_one_line(lines: &[&str]) -> String {
    let words: Vec<_> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
    words.join(" ").replace("[`", "`").replace("`]", "`")
}

/// Gives the doc comments of an options struct's fields; `#[derive(Documented)]` implements it.
///
/// A part without it is registered as well: its options are then listed without a description.
pub trait Documented {
    /// The fields in their order.
    const OPTIONS: Docs;
}

/// The receiver by which [`register!`](crate::register) asks a type for its docs, whether it has them or not.
#[doc(hidden)]
#[derive(Debug)]
pub struct Of<T>(pub PhantomData<T>);

/// Chosen by method resolution, before [`Without`], where the type is [`Documented`].
#[doc(hidden)]
pub trait With {
    /// The type's docs.
    fn docs(&self) -> Docs;
}

impl<T: Documented> With for Of<T> {
    fn docs(&self) -> Docs {
        T::OPTIONS
    }
}

/// Chosen by method resolution where the type is not [`Documented`]: it takes one more reference.
#[doc(hidden)]
pub trait Without {
    /// No docs.
    fn docs(&self) -> Docs {
        &[]
    }
}

impl<T> Without for &Of<T> {}

#[cfg(test)]
mod tests {
    use super::{Of, With as _, Without as _};
    use std::collections::BTreeMap;
    use std::marker::PhantomData;

    #[derive(crate::Documented)]
    #[expect(dead_code, reason = "only its documentation is read")]
    pub struct Options {
        /// A "quoted" width,
        /// in pixels.
        pub width: Option<BTreeMap<String, i64>>,
        #[cfg(test)]
        pub(super) bare: (u8, u8),
        /// Raw.
        r#type: Vec<u8>,
    }

    struct Silent;

    #[test]
    fn the_doc_comments_of_an_options_struct_are_found() {
        assert_eq!(
            Of::<Options>(PhantomData).docs(),
            [
                ("width", &[" A \"quoted\" width,", " in pixels."][..]),
                ("bare", &[]),
                ("type", &[" Raw."])
            ]
        );
    }

    #[test]
    fn a_part_that_does_not_derive_them_has_none() {
        assert!((&Of::<Silent>(PhantomData)).docs().is_empty());
    }
}
