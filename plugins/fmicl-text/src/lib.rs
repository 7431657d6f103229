//! Sentences, on the public interface of core alone.
//!
//! | to read | in |
//! |---|---|
//! | the encoder: BERT, MiniLM, RoBERTa | `backbones` |
//! | how sentences become tokens | `views` |
//! | files of sentences | `datasets` |
//! | what sentence embeddings are worth | `evaluations` |
