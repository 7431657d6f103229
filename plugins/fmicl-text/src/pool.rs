//! Sentences in memory, each once.

use crate::corpus::Offsets;
use fmicl_core::Portion;
use std::collections::HashMap;

/// Texts, one after the other in one string.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    text: String,
    ends: Offsets,
}

impl Pool {
    /// Adds a text, and returns its index.
    pub fn push(&mut self, text: &str) -> usize {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u64);
        self.ends.len() - 1
    }

    /// The text at `index`, below `len()`.
    pub fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends.get(index - 1) };
        &self.text[start as usize..self.ends.get(index) as usize]
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Portion of all texts, which make `samples` samples.
    pub fn portion(&self, samples: usize) -> Portion {
        // No text has a NUL.
        let texts = (0..self.len()).flat_map(|index| [self.get(index), "\0"]);
        Portion::new("", samples, texts)
    }
}

/// Texts that are all different.
#[derive(Debug, Default)]
pub(crate) struct Distinct {
    indices: HashMap<String, usize>,
    pool: Pool,
}

impl Distinct {
    /// The index of a text, which is added if it is new.
    pub fn index(&mut self, text: &str) -> usize {
        if let Some(&index) = self.indices.get(text) {
            return index;
        }
        let index = self.pool.push(text);
        self.indices.insert(text.to_string(), index);
        index
    }

    /// The texts, in the order in which they came.
    pub fn into_pool(self) -> Pool {
        self.pool
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_once_and_back() {
        let mut distinct = Distinct::default();
        let indices = ["a b", "", "é", "a b", "é"].map(|text| distinct.index(text));
        assert_eq!(indices, [0, 1, 2, 0, 2]);
        let pool = distinct.into_pool();
        let texts: Vec<_> = (0..pool.len()).map(|index| pool.get(index)).collect();
        assert_eq!(texts, ["a b", "", "é"]);
    }
}
