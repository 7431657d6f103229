//! Features beyond the memory.

use super::run_with;
use fmicl_core::{Dataset, Image, Samples, Split, register};
use fmicl_runner::eval::{self, ApartOptions, Asked};
use serde::{Deserialize, Serialize};

/// More samples than any machine has memory for, all of them the same image.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Endless {}

register!(Dataset, "endless", Endless, "for this test");

impl Dataset for Endless {
    fn open(&self, _: Split) -> fmicl_core::Result<Box<dyn Samples>> {
        Ok(Box::new(self.clone()))
    }
}

impl Samples for Endless {
    fn len(&self) -> usize {
        400_000_000_000
    }

    fn classes(&self) -> usize {
        2
    }

    fn image(&self, _: usize) -> fmicl_core::Result<Image> {
        Ok(Image::from_gray(8, 8, &[0; 64]))
    }

    fn label(&self, index: usize) -> usize {
        index % 2
    }
}

#[test]
fn one_evaluation_of_a_run_is_refused_where_its_features_are_beyond_the_memory() {
    let (_runs, run) = run_with("dataset='endless'".into(), |_| ());
    let knn = Asked {
        on: vec!["knn".into()],
        ..Asked::default()
    };
    let error = eval::apart(&[run], &knn, &ApartOptions::default());
    let error = error.unwrap_err().to_string();
    let parts = [
        "eval: this evaluation takes about ",
        "(features of 400000000000 + 400000000000 samples, 32 numbers each, and what `knn` takes beside them), and ",
        " are free; lower eval.train_samples, which is all 400000000000 unless set, or take ",
    ];
    assert!(
        error.starts_with(parts[0]) && parts.iter().all(|part| error.contains(part)),
        "{error}"
    );
}
