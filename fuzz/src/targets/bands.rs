//! Images of other channels than RGB: arrays of numpy's, TIFF, PNG, and what the views make of them.

use super::image::{MOST_PIXELS, claimed};
use crate::Target;
use fmicl_core::Result;
use fmicl_data::{ImageViews, ViewKey, decode_bands};
use std::path::Path;

/// Files of fmicl-data's own tests: each reader, and headers that lie.
const SEEDS: [&[u8]; 22] = [
    include_bytes!("../../../fmicl-data/golden/bands/uint8.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/uint16-big-endian.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/float32.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/float64.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/first-axis-fortran.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/fortran.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/two-axes.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/version-3.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/overflow.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/negative.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/empty.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/objects.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/records.npy"),
    include_bytes!("../../../fmicl-data/golden/bands/sentinel.tif"),
    include_bytes!("../../../fmicl-data/golden/bands/sentinel-tiles.tif"),
    include_bytes!("../../../fmicl-data/golden/bands/sentinel-deflate.tif"),
    include_bytes!("../../../fmicl-data/golden/bands/sentinel-bigtiff.tif"),
    include_bytes!("../../../fmicl-data/golden/bands/floats-apart.tif"),
    include_bytes!("../../../fmicl-data/golden/bands/halves.tif"),
    include_bytes!("../../../fmicl-data/golden/bands/bytes-2.tif"),
    include_bytes!("../../../fmicl-data/golden/bands/clear.png"),
    include_bytes!("../../../fmicl-data/golden/bands/gray-16.png"),
];
/// The channels of the seeds.
const CHANNELS: [usize; 5] = [1, 2, 4, 5, 13];

/// Samples are read, as many as the size says, and become views; or the file is refused in a line.
pub(super) fn bands() -> Target {
    let seeds = SEEDS.map(<[u8]>::to_vec).to_vec();
    Target::new("bands", seeds, move |input| {
        if claimed(input).is_some_and(|pixels| pixels > MOST_PIXELS / 13) {
            return;
        }
        for channels in CHANNELS {
            if let Err(error) = read(input, channels) {
                assert!(error.starts_with("photo: ") && !error.contains('\n'), "{error}");
            }
        }
    })
}

fn read(input: &[u8], channels: usize) -> Result<(), String> {
    let bands = decode_bands(input, Path::new("photo"), channels).map_err(|error| error.to_string())?;
    let count = bands.width * bands.height * bands.channels;
    assert!(count >= 1 && bands.channels == channels && bands.samples.len() == count);
    let options = format!("size = 24\neval_resize = 28\nchannels = {channels}\nrange = [-100, 4000]");
    let views = ImageViews::new(options.parse().expect("a table of options")).expect("options in range");
    // A sample may be no number.
    let triples = views.triples(&bands).map_err(|why| format!("photo: {why}"))?;
    let mut out = vec![0.0; views.numel()];
    let finite = |out: &[f32]| assert!(out.iter().all(|value| value.is_finite()), "a view is not finite");
    views.evaluate_bands(&triples, &mut out);
    finite(&out);
    let key = ViewKey {
        seed: input.len() as u64,
        epoch: 0,
        sample: 0,
        view: 0,
    };
    views
        .render_bands(&triples, key, &mut out)
        .expect("transforms that keep their promises");
    finite(&out);
    Ok(())
}
