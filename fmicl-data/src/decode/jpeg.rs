//! JPEG files with libjpeg, as PIL decodes them.
//!
//! libjpeg-turbo with the accurate integer transform and smooth upsampling, as in Pillow's wheels: equal to the bit.

use super::{TRUNCATED, cmyk};
use fmicl_core::{Patch, Region};
use mozjpeg_sys as _;
use std::ffi::{CStr, c_char, c_int};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Whether the decoder was built with SIMD, for which nasm is needed; without, it takes twice as long.
pub const JPEG_SIMD: bool = cfg!(jpeg_simd);

/// A file whose header has been read.
pub(crate) struct Jpeg<'a> {
    handle: NonNull<Handle>,
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Bytes of a decoded pixel: 4 of CMYK, otherwise 3.
    channels: usize,
    /// The marker of the image's end is there.
    has_end: bool,
    bytes: PhantomData<&'a [u8]>,
}

/// The struct `reader` of `jpeg.c`.
enum Handle {}

// SAFETY: these are the functions that `jpeg.c` defines. They keep no state between handles.
unsafe extern "C" {
    fn fmicl_jpeg_open(bytes: *const u8, length: usize) -> Option<NonNull<Handle>>;
    fn fmicl_jpeg_header(
        handle: NonNull<Handle>,
        width: &mut usize,
        height: &mut usize,
        channels: &mut usize,
        rest: &mut usize,
    ) -> *const c_char;
    fn fmicl_jpeg_colors(handle: NonNull<Handle>, is_rgb: c_int);
    fn fmicl_jpeg_start(handle: NonNull<Handle>, left: &mut usize, width: &mut usize) -> *const c_char;
    fn fmicl_jpeg_rows(handle: NonNull<Handle>, top: usize, height: usize, out: *mut u8) -> *const c_char;
    fn fmicl_jpeg_close(handle: NonNull<Handle>);
}

impl<'a> Jpeg<'a> {
    /// Returns true if these bytes begin as a JPEG does.
    pub(crate) fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(b"\xff\xd8\xff")
    }

    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with it: it is broken, of more than 8 bits a sample, or of colours that do not become RGB.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        // SAFETY: the pointer and the length are those of a slice, which outlives the handle.
        let handle = unsafe { fmicl_jpeg_open(bytes.as_ptr(), bytes.len()) }.ok_or("there is no memory for it")?;
        let mut jpeg = Jpeg {
            handle,
            width: 0,
            height: 0,
            channels: 0,
            has_end: false,
            bytes: PhantomData,
        };
        let mut rest = 0;
        // SAFETY: the handle is open, and nobody else has it.
        check(unsafe { fmicl_jpeg_header(handle, &mut jpeg.width, &mut jpeg.height, &mut jpeg.channels, &mut rest) })?;
        // Usually the last two bytes. Within the data an 0xff is followed by a zero or by another marker.
        let mut pairs = bytes[bytes.len() - rest..].windows(2);
        jpeg.has_end = pairs.rposition(|pair| pair == [0xff, 0xd9]).is_some();
        Ok(jpeg)
    }

    /// The file with colours that are RGB, or YCbCr, if it has three samples a pixel; libjpeg guesses otherwise.
    pub(crate) fn with_colors(self, is_rgb: bool) -> Self {
        // SAFETY: the handle is open, and nobody else has it.
        unsafe { fmicl_jpeg_colors(self.handle, is_rgb.into()) };
        self
    }

    /// Decodes `region`, which lies within the image, and perhaps some pixels around it.
    ///
    /// # Errors
    /// What is wrong with the file. One that ends too soon is an error even where the region is whole.
    pub(crate) fn decode(self, region: Region) -> Result<Patch<'static>, String> {
        // PIL says so too if nothing else is missing; and what comes after the region is not looked at.
        if !self.has_end {
            return Err(TRUNCATED.into());
        }
        let within = |start: usize, count: usize, all: usize| count > 0 && start <= all && count <= all - start;
        if !within(region.left, region.width, self.width) || !within(region.top, region.height, self.height) {
            return Err(format!(
                "{region:?} is not in its {} x {} pixels",
                self.width, self.height
            ));
        }
        let (mut left, mut width) = (region.left, region.width);
        // SAFETY: the handle is open, and nobody else has it.
        check(unsafe { fmicl_jpeg_start(self.handle, &mut left, &mut width) })?;
        let region = Region { left, width, ..region };
        let bytes = width * region.height * self.channels;
        let mut pixels = Vec::<u8>::with_capacity(bytes);
        // SAFETY: as above, and start gave the width of a row, so this is the number of bytes that are written.
        check(unsafe { fmicl_jpeg_rows(self.handle, region.top, region.height, pixels.as_mut_ptr()) })?;
        // SAFETY: without an error every row was written.
        unsafe { pixels.set_len(bytes) };
        if self.channels == 4 {
            // PIL takes every file for one of Photoshop, which writes how much is left of the light.
            let (inks, _) = pixels.as_chunks::<4>();
            pixels = inks.iter().flat_map(|ink| cmyk::to_rgb(ink.map(|ink| !ink))).collect();
        }
        Ok(Patch {
            region,
            pixels: pixels.into(),
        })
    }
}

impl Drop for Jpeg<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this is the last that is done with it.
        unsafe { fmicl_jpeg_close(self.handle) }
    }
}

/// An error's message as an error.
fn check(message: *const c_char) -> Result<(), String> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: what is not null is a string, in the handle or constant, and it is copied before the handle is closed.
    Err(unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::Rng;
    use std::path::{Path, PathBuf};

    fn folder() -> PathBuf {
        let folder = std::env::var_os("FMICL_GOLDEN_JPEG").map(PathBuf::from);
        folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/jpeg"))
    }

    fn read(name: &str) -> Vec<u8> {
        std::fs::read(folder().join(name)).unwrap()
    }

    /// The files that PIL has decoded: path, width, height, checksum of the pixels.
    fn golden() -> Vec<(String, usize, usize, u32)> {
        let lines = std::fs::read_to_string(folder().join("pixels.txt")).unwrap();
        let files = lines.lines().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [width, height, sum] = [1, 2, 3].map(|i| words[i].parse::<u32>().unwrap());
            (words[0].to_string(), width as usize, height as usize, sum)
        });
        files.collect()
    }

    fn whole(bytes: &[u8]) -> Result<Patch<'static>, String> {
        let jpeg = Jpeg::open(bytes)?;
        let region = Region::whole(jpeg.width, jpeg.height);
        jpeg.decode(region)
    }

    #[test]
    fn pixels_are_pils_to_the_bit() {
        for (name, width, height, sum) in golden() {
            let patch = whole(&read(&name)).unwrap();
            assert_eq!(patch.region, Region::whole(width, height), "{name}");
            let mut found = flate2::Crc::new();
            found.update(&patch.pixels);
            assert_eq!(found.sum(), sum, "{name}");
        }
    }

    #[test]
    fn a_region_has_the_pixels_of_the_whole() {
        let mut rng = Rng::new(&[4]);
        for (name, width, height, _) in golden() {
            let bytes = read(&name);
            let whole = whole(&bytes).unwrap();
            for _ in 0..100 {
                let (top, left) = (rng.below(height), rng.below(width));
                let region = Region {
                    top,
                    left,
                    height: 1 + rng.below(height - top),
                    width: 1 + rng.below(width - left),
                };
                let part = Jpeg::open(&bytes).unwrap().decode(region).unwrap();
                assert_eq!(part.region.union(region), part.region, "{name}");
                let ((found, stride), (expected, of_whole)) = (part.rows(region), whole.rows(region));
                for row in 0..region.height {
                    let (found, expected) = (&found[row * stride..], &expected[row * of_whole..]);
                    assert!(
                        found[..region.width * 3] == expected[..region.width * 3],
                        "{name}: row {row} of {region:?} differs"
                    );
                }
            }
        }
    }

    #[test]
    fn a_truncated_file_is_an_error_whatever_the_region() {
        let first = Region {
            top: 0,
            left: 0,
            height: 3,
            width: 3,
        };
        for name in ["420.jpg", "progressive.jpg", "restart.jpg"] {
            let bytes = read(name);
            let header = bytes.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap() + 20;
            for length in (header..bytes.len() - 2).step_by(97).chain([bytes.len() - 1]) {
                let truncated = Jpeg::open(&bytes[..length]).unwrap().decode(first);
                assert_eq!(truncated.unwrap_err(), "the file is truncated", "{name} to {length}");
            }
        }
        assert!(Jpeg::open(&read("420.jpg")[..100]).is_err());
    }

    #[test]
    fn a_file_of_scans_without_end_is_refused() {
        let bytes = read("progressive.jpg");
        let start = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
        let (before, last) = bytes[..bytes.len() - 2].split_at(start);
        let repeated = |count| [before, &last.repeat(count), &[0xff, 0xd9]].concat();
        assert!(whole(&repeated(100)).is_ok());
        assert_eq!(whole(&repeated(600)).unwrap_err(), "there are more than 500 scans");
    }

    #[test]
    fn broken_files_never_panic() {
        let mut rng = Rng::new(&[9]);
        for (name, ..) in golden() {
            for _ in 0..200 {
                let mut bytes = read(&name);
                for _ in 0..1 + rng.below(8) {
                    let at = rng.below(bytes.len());
                    bytes[at] = rng.bits() as u8;
                }
                bytes.truncate(bytes.len() - rng.below(40));
                let Ok(jpeg) = Jpeg::open(&bytes) else { continue };
                if jpeg.width * jpeg.height > 1 << 20 {
                    continue;
                }
                let region = Region::whole(jpeg.width, jpeg.height);
                if let Ok(patch) = jpeg.decode(region) {
                    assert_eq!(patch.pixels.len(), patch.region.width * patch.region.height * 3);
                }
            }
        }
    }
}
