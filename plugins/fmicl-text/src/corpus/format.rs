//! Formats of a text file: the sentences in a line.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Content of a line of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A sentence, as in SimCSE's `wiki1m_for_simcse.txt`.
    #[default]
    Lines,
    /// A paragraph of WikiText (Merity et al., 2016, arXiv 1609.07843), tokenised: headings `= ... =` are left out, a
    /// sentence ends at a token `.`, `!` or `?` (with the quotation mark that closes it), and `@-@`, `@,@` and `@.@` are
    /// joined to what they stand between.
    Wikitext,
    /// An object of JSON, of which a member is the sentence, or a string of JSON.
    Jsonl,
}

impl Format {
    /// Returns true if the line has no sentence although it is not empty.
    pub fn is_heading(self, line: &str) -> bool {
        let line = line.trim();
        self == Format::Wikitext && line.starts_with("= ") && line.ends_with(" =")
    }

    /// Length in bytes, at least 1, of the first sentence of `text`, the non-empty rest of a line.
    pub fn first(self, text: &str) -> usize {
        if self != Format::Wikitext {
            return text.len();
        }
        let (mut end, mut quoted) = (0, false);
        let mut tokens = text.split_inclusive(' ').peekable();
        while let Some(token) = tokens.next() {
            end += token.len();
            quoted ^= token.trim_end() == "\"";
            if matches!(token.trim_end(), "." | "!" | "?") {
                let closing = tokens.peek().filter(|next| quoted && next.trim_end() == "\"");
                return end + closing.map_or(0, |quote| quote.len());
            }
        }
        end
    }

    /// Returns true if a piece cut off by [`first`](Format::first) is a sentence.
    pub fn is_sentence(self, piece: &str) -> bool {
        match self {
            Format::Lines | Format::Jsonl => !piece.trim().is_empty(),
            Format::Wikitext => piece.contains(char::is_alphanumeric),
        }
    }

    /// A sentence as it is given to a tokenizer.
    pub fn clean(self, sentence: &str) -> Cow<'_, str> {
        let sentence = sentence.trim();
        if self != Format::Wikitext || !sentence.contains(" @") {
            return sentence.into();
        }
        let joined = [(" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", ".")];
        let text = joined
            .iter()
            .fold(sentence.to_string(), |text, (from, to)| text.replace(from, to));
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(line: &str) -> Vec<String> {
        let format = Format::Wikitext;
        let (mut rest, mut found) = (line, vec![]);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(format.first(rest));
            if format.is_sentence(piece) {
                found.push(format.clean(piece).into_owned());
            }
            rest = after;
        }
        found
    }

    #[test]
    fn a_paragraph_of_wikitext_is_taken_apart() {
        let line = " He had a two @-@ part role . He said : \" I was 1 @,@ 200 m up ! \" \" Why ? \" asked she . The U.S. too ";
        let expected = [
            "He had a two-part role .",
            "He said : \" I was 1,200 m up ! \"",
            "\" Why ? \"",
            "asked she .",
            "The U.S. too",
        ];
        assert_eq!(sentences(line), expected);
        assert_eq!(sentences(" . . \" . "), [""; 0]);
        assert!(Format::Wikitext.is_heading(" = = Life = = ") && !Format::Wikitext.is_heading(" a = b "));
    }

    #[test]
    fn a_line_is_a_sentence_as_it_stands() {
        let line = " = A . B @-@ c = ";
        assert_eq!(Format::Lines.first(line), line.len());
        assert_eq!(Format::Lines.clean(line), line.trim());
        assert!(!Format::Lines.is_heading(line) && Format::Lines.is_sentence(".") && !Format::Lines.is_sentence(" \t"));
    }
}
