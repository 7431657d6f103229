//! What happens while a file is fetched.

/// What a user wants to see of it.
#[derive(Debug)]
pub enum Event<'a> {
    /// A file begins: the address or the path that it is taken from.
    File(&'a str),
    /// Bytes of the file that are here, and of all where that is known.
    Progress {
        /// Here.
        done: u64,
        /// In all.
        total: Option<u64>,
    },
    /// A line worth reading.
    Note(&'a str),
}

/// Who is told.
pub(crate) type Report<'a> = &'a mut dyn FnMut(Event);
