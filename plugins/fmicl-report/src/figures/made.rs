//! Made-up pairs for tests.

use super::pairs::{Distances, Pairs};

/// Two positive pairs and a negative one, of an encoder that halves no distance and of one that does.
pub fn pairs() -> Pairs {
    let distances = |scale: f64| Distances {
        positives: vec![0.3 * scale, 0.1 * scale],
        negatives: vec![2.0 * scale],
    };
    Pairs {
        trained: distances(1.0),
        untrained: distances(0.5),
        before: "untrained encoder",
        all: distances(1.0),
        how: "",
    }
}
