//! Room on a page: pictures are fewer and smaller where there are many runs, so that the page stays below 5 MB.

use fmicl_core::{Error, Result};

/// The most characters of a page, before what comes behind the pictures.
const PAGE: usize = 4_600_000;
/// The most characters of a run's pictures.
const PICTURES: usize = 2_900_000;
/// Characters of what a run has beside pictures: points of its map, charts of its pairs, config and commands.
const BESIDE: usize = 160_000;
/// The fewest characters with which a run is shown.
const LEAST: usize = 250_000;
/// How many and how large, from the most.
const SCALES: [Scale; 6] = [
    Scale { twelfths: 12, side: 96 },
    Scale { twelfths: 12, side: 64 },
    Scale { twelfths: 8, side: 64 },
    Scale { twelfths: 6, side: 48 },
    Scale { twelfths: 4, side: 48 },
    Scale { twelfths: 2, side: 32 },
];

/// How many samples are shown, and how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Of the samples that a page of one run shows.
    twelfths: usize,
    /// The largest side of a picture in pixels.
    pub side: usize,
}

impl Scale {
    /// Its part of the samples, at least one.
    pub fn of(self, most: usize) -> usize {
        (most * self.twelfths / 12).max(1)
    }

    /// Whether there is room for everything.
    pub fn is_full(self) -> bool {
        self == SCALES[0]
    }
}

/// The room for a run's pictures.
#[derive(Debug)]
pub struct Room {
    characters: usize,
}

impl Room {
    /// The room for the next run, of a page that has `taken` characters, and so many `runs` to come; nothing where it is too little.
    pub fn of_a_run(taken: usize, runs: usize) -> Option<Self> {
        let left = PAGE.saturating_sub(taken);
        let share = (left / runs.max(1)).max(LEAST);
        (share <= left).then(|| Room {
            characters: (share - BESIDE).min(PICTURES),
        })
    }

    /// Bytes of a file that takes so many percent of it in base64.
    pub fn bytes(&self, percent: usize) -> usize {
        self.characters * percent / 100 * 3 / 4
    }

    /// The largest text that takes at most so many percent of it.
    ///
    /// # Errors
    /// Those of `make`, or no room for the smallest one.
    pub fn fitted(&self, percent: usize, mut make: impl FnMut(Scale) -> Result<String>) -> Result<String> {
        for scale in SCALES {
            let text = make(scale)?;
            if text.len() <= self.characters * percent / 100 {
                return Ok(text);
            }
        }
        Err(Error::Run("the page has no room for them".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_share_a_page_and_where_they_are_too_many_the_first_ones_are_shown() {
        for runs in [1, 8, 100] {
            let (mut taken, mut shown) = (400_000, 0);
            for index in 0..runs {
                let Some(room) = Room::of_a_run(taken, runs - index) else {
                    break;
                };
                taken += room.characters + BESIDE;
                shown += 1;
            }
            assert!(taken <= PAGE, "{runs}: {taken}");
            assert_eq!(shown, runs.min(16), "{runs}");
        }
    }

    #[test]
    fn the_largest_scale_that_fits_is_taken() {
        let room = Room { characters: 1000 };
        let made =
            |of_a_sample: usize| room.fitted(50, |scale| Ok("x".repeat(scale.of(12) * of_a_sample * scale.side)));
        assert_eq!(made(1).unwrap().len(), 6 * 48);
        assert!(made(0).unwrap().is_empty() && made(100).is_err());
        let full = room.fitted(50, |scale| Ok(if scale.is_full() { "x".into() } else { String::new() }));
        assert_eq!(full.unwrap(), "x");
    }
}
