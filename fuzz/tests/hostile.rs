//! Every target takes its inputs, whole, as they are kept, and changed at random.

use fmicl_fuzz::{mutate, targets};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Changed inputs of each target, as far as there is time for them.
const CHANGED: u64 = 2000;
const TIME: Duration = Duration::from_secs(1);

#[test]
fn hostile_bytes_are_refused_or_read_and_nothing_panics_or_takes_memory() {
    let mut failed = Vec::new();
    for (name, make) in targets::all() {
        let target = make();
        let inputs = target.inputs();
        assert!(!inputs.is_empty(), "{name} has no input");
        let mut run = |input: &[u8], what: String| {
            if catch_unwind(AssertUnwindSafe(|| target.run(input))).is_err() {
                failed.push(format!("{name} (above) on {what}"));
            }
        };
        for (index, input) in inputs.iter().enumerate() {
            run(input, format!("input {index} of {}", target.corpus().display()));
        }
        let (start, mut tried) = (Instant::now(), 0);
        while tried < CHANGED && (start.elapsed() < TIME || tried < 50) {
            let pick = |seed: u64| &inputs[(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize % inputs.len()];
            run(
                &mutate(pick(tried), pick(tried + 1), tried),
                format!("its change {tried}"),
            );
            tried += 1;
        }
        println!(
            "{name}: {} inputs, {tried} changed ones, {:.1?}",
            inputs.len(),
            start.elapsed()
        );
    }
    assert!(failed.is_empty(), "{} failed: {}", failed.len(), failed.join("; "));
}
