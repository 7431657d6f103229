//! The header: `{'descr': '<u2', 'fortran_order': False, 'shape': (64, 64, 13), }`, then spaces and a line's end.

/// More axes than an array of numpy's has.
const MOST_AXES: usize = 64;

/// What a header says.
pub(super) struct Header {
    /// Byte order and kind, such as `<u2`.
    pub dtype: String,
    /// The first index is the fastest.
    pub is_fortran: bool,
    pub shape: Vec<usize>,
}

/// Reads a header.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &[u8]) -> Result<Header, String> {
    let text = str::from_utf8(text).map_err(|_| BROKEN)?;
    let mut rest = Text(text);
    let (mut dtype, mut is_fortran, mut shape) = (None, None, None);
    rest.take('{')?;
    while !rest.found('}') {
        let key = rest.quoted()?;
        rest.take(':')?;
        match key {
            "descr" if rest.at('[') => return Err("its array is of records; save one field of it".into()),
            "descr" => dtype = Some(rest.quoted()?.to_string()),
            "fortran_order" => is_fortran = Some(rest.truth()?),
            "shape" => shape = Some(rest.shape()?),
            _ => return Err(format!("its header has the key `{}`; {BROKEN}", key.escape_debug())),
        }
        if !rest.found(',') {
            rest.take('}')?;
            break;
        }
    }
    match (dtype, is_fortran, shape, rest.0.trim().is_empty()) {
        (Some(dtype), Some(is_fortran), Some(shape), true) => Ok(Header {
            dtype,
            is_fortran,
            shape,
        }),
        _ => Err(BROKEN.into()),
    }
}

const BROKEN: &str = "its header is not as `numpy.save` writes it";

/// What is left of a header.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    /// Returns true if this is what comes next.
    fn at(&self, mark: char) -> bool {
        self.0.trim_start().starts_with(mark)
    }

    /// Passes over this, if it comes next.
    fn found(&mut self, mark: char) -> bool {
        match self.0.trim_start().strip_prefix(mark) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn take(&mut self, mark: char) -> Result<(), String> {
        match self.found(mark) {
            true => Ok(()),
            false => Err(BROKEN.into()),
        }
    }

    fn quoted(&mut self) -> Result<&'a str, String> {
        let quote = if self.at('"') { '"' } else { '\'' };
        self.take(quote)?;
        let (text, rest) = self.0.split_once(quote).ok_or(BROKEN)?;
        self.0 = rest;
        Ok(text)
    }

    fn truth(&mut self) -> Result<bool, String> {
        let text = self.0.trim_start();
        for (word, truth) in [("True", true), ("False", false)] {
            if let Some(rest) = text.strip_prefix(word) {
                self.0 = rest;
                return Ok(truth);
            }
        }
        Err(BROKEN.into())
    }

    /// `(64, 64, 13)`, `(5,)`, `()`.
    fn shape(&mut self) -> Result<Vec<usize>, String> {
        self.take('(')?;
        let mut shape = Vec::new();
        while !self.found(')') {
            let text = self.0.trim_start();
            let end = text.find(|byte: char| !byte.is_ascii_digit()).unwrap_or(text.len());
            let (digits, rest) = text.split_at(end);
            let length = digits.parse();
            let length = length.map_err(|_| format!("an axis of its shape is no length; {BROKEN}"))?;
            if shape.len() >= MOST_AXES {
                return Err(format!("its array has more than {MOST_AXES} axes"));
            }
            shape.push(length);
            // Python 2 wrote long numbers so.
            self.0 = rest.strip_prefix('L').unwrap_or(rest);
            if !self.found(',') {
                self.take(')')?;
                break;
            }
        }
        Ok(shape)
    }
}
