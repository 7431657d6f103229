//! The laws of a transform.

use crate::{Op, PixelOp, Planes, Rng, Size, Transform};

/// Samples' sizes, and sides of views.
const SAMPLES: [Size; 5] = [size(1, 1), size(5, 3), size(32, 32), size(40, 400), size(500, 333)];
const VIEWS: [usize; 3] = [8, 33, 224];
/// Streams that are tried at each size.
const STREAMS: u64 = 64;

const fn size(width: usize, height: usize) -> Size {
    Size { width, height }
}

/// Checks that what is drawn is a pure function of the stream and the size, that each draw frames the image if
/// [`Transform::frames`] says so and none does if not, that a frame lies within the image, that factors are in their ranges,
/// that a change of the whole image is the same each time and keeps its size, and that what takes bands does to each what it does
/// whatever the others are. Sides of views that
/// [`Transform::validate_for`] refuses are left out.
///
/// # Panics
/// With the law that is broken.
pub fn check_transform(part: &dyn Transform) {
    let sides = VIEWS.into_iter().filter(|side| part.validate_for(*side).is_ok());
    let views = sides.map(|side| size(side, side));
    let sizes: Vec<Size> = match part.frames() {
        true => SAMPLES.to_vec(),
        false => views.collect(),
    };
    assert!(!sizes.is_empty(), "{part:?}: no side of a view of {VIEWS:?} is taken");
    for size in sizes {
        for stream in 0..STREAMS {
            let draw = || part.draw(size, &mut Rng::new(&[stream]));
            let op = draw();
            assert_eq!(
                matches!(op, Op::Frame(_)),
                part.frames(),
                "{part:?}: `frames` is {}, and the draw of the stream {stream} at {size:?} is not so",
                part.frames()
            );
            if part.validate_for_bands(5).is_ok() {
                each_channel_alone(part, &op, size);
            }
            let effect = effect(part, &op, size);
            let pure = "is not a function of the stream and the size alone";
            assert!(
                effect == self::effect(part, &op, size),
                "{part:?}: the operation {pure}"
            );
            assert!(effect == self::effect(part, &draw(), size), "{part:?}: the draw {pure}");
        }
    }
}

/// Checks that an operation does to each channel what it does whatever the others are.
fn each_channel_alone(part: &dyn Transform, op: &Op, size: Size) {
    let mixes = "takes bands, and what it does to a channel depends on the others";
    match op {
        Op::Pixels(ops) => {
            let is_alone = |op: &PixelOp| matches!(op, PixelOp::Brightness(_) | PixelOp::Table(_));
            assert!(ops.iter().all(is_alone), "{part:?}: {mixes}");
        }
        Op::Whole(change) => {
            let changed = |first: usize| {
                let mut image = Planes::new(size.width, size.height);
                for (plane, number) in image.split_mut().into_iter().zip(first..) {
                    let number = number % 3 + 3;
                    let values = plane.iter_mut().enumerate();
                    values.for_each(|(at, value)| *value = (at * at / number + at * number) as u8);
                }
                change(&mut image);
                image
            };
            let (one, other) = (changed(0), changed(1));
            assert!(one.split()[1..] == other.split()[..2], "{part:?}: {mixes}");
        }
        Op::Keep | Op::Frame(_) | Op::Mirror => {}
    }
}

/// Effect of an operation as bytes, equal for operations of the same effect.
fn effect(part: &dyn Transform, op: &Op, size: Size) -> Vec<u8> {
    let Size { width, height } = size;
    match op {
        Op::Keep => vec![0],
        Op::Frame(area) => {
            let inside = area.left + area.width <= width && area.top + area.height <= height;
            let frame = "is not a part of an image of";
            assert!(
                inside && area.width >= 1 && area.height >= 1,
                "{part:?}: {area:?} {frame} {size:?}"
            );
            let numbers = [area.top, area.left, area.height, area.width];
            numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
        }
        Op::Mirror => vec![1],
        Op::Pixels(ops) => ops.iter().flat_map(|op| of_pixels(part, op)).collect(),
        Op::Whole(change) => {
            let mut image = Planes::new(width, height);
            let values = image.data.iter_mut().enumerate();
            values.for_each(|(at, value)| *value = (at * at / 7 + at) as u8);
            change(&mut image);
            let kept = (image.width, image.height, image.data.len()) == (width, height, 3 * width * height);
            assert!(kept, "{part:?}: the size of an image of {size:?} is changed");
            image.data
        }
    }
}

fn of_pixels(part: &dyn Transform, op: &PixelOp) -> Vec<u8> {
    let factor = |kind: u8, factor: f32| {
        let in_range = factor >= 0.0 && factor.is_finite();
        assert!(in_range, "{part:?}: the factor {factor} is not from 0");
        [&[kind][..], &factor.to_le_bytes()].concat()
    };
    match op {
        PixelOp::Brightness(by) => factor(2, *by),
        PixelOp::Contrast(by) => factor(3, *by),
        PixelOp::Saturation(by) => factor(4, *by),
        PixelOp::Hue(by) => {
            let in_range = (-0.5..=0.5).contains(by);
            assert!(in_range, "{part:?}: the turn {by} of the hue is not from -0.5 to 0.5");
            by.to_le_bytes().to_vec()
        }
        PixelOp::Gray => vec![5],
        PixelOp::Table(table) => table.to_vec(),
        PixelOp::Function(change) => (0..=255)
            .flat_map(|value: u8| change([value, value.wrapping_mul(7), 255 - value]))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Region, Result};
    use std::cell::Cell;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A transform of a function.
    struct Of(bool, fn(Size, &mut Rng) -> Op);

    impl std::fmt::Debug for Of {
        fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("it")
        }
    }

    impl Transform for Of {
        fn frames(&self) -> bool {
            self.0
        }

        fn draw(&self, size: Size, rng: &mut Rng) -> Op {
            self.1(size, rng)
        }
    }

    #[test]
    fn sound_transforms_pass() {
        check_transform(&Of(false, |_, rng| match rng.chance(0.5) {
            true => Op::Mirror,
            false => Op::Pixels(vec![PixelOp::Gray, PixelOp::Hue(rng.uniform(-0.5, 0.5))]),
        }));
        check_transform(&Of(true, |size, _| Op::Frame(Region::whole(size.width, size.height))));
        check_transform(&Of(false, |_, _| Op::Whole(Box::new(|image| image.data.reverse()))));
    }

    #[test]
    #[should_panic(expected = "the draw is not a function of the stream")]
    fn a_draw_from_elsewhere_is_found() {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        check_transform(&Of(false, |_, _| {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            Op::Pixels(vec![PixelOp::Brightness(count as f32)])
        }));
    }

    #[test]
    #[should_panic(expected = "the operation is not a function of the stream")]
    fn an_operation_with_a_memory_is_found() {
        check_transform(&Of(false, |_, _| {
            let count = Cell::new(0u8);
            Op::Whole(Box::new(move |image| {
                count.set(count.get() + 1);
                image.data[0] = count.get();
            }))
        }));
    }

    #[test]
    #[should_panic(expected = "is not a part of an image")]
    fn a_frame_beyond_the_image_is_found() {
        check_transform(&Of(true, |size, _| {
            Op::Frame(Region::whole(size.width + 1, size.height))
        }));
    }

    #[test]
    #[should_panic(expected = "`frames` is false")]
    fn a_frame_that_was_not_announced_is_found() {
        check_transform(&Of(false, |size, _| Op::Frame(Region::whole(size.width, size.height))));
    }

    /// A transform of a function that takes bands.
    struct OfBands(fn(Size, &mut Rng) -> Op);

    impl std::fmt::Debug for OfBands {
        fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("it")
        }
    }

    impl Transform for OfBands {
        fn validate_for_bands(&self, _channels: usize) -> Result<()> {
            Ok(())
        }

        fn draw(&self, size: Size, rng: &mut Rng) -> Op {
            self.0(size, rng)
        }
    }

    #[test]
    fn what_treats_each_channel_alone_may_take_bands() {
        check_transform(&OfBands(|_, _| Op::Pixels(vec![PixelOp::Brightness(0.5)])));
        check_transform(&OfBands(|_, _| {
            Op::Whole(Box::new(|image| image.data.iter_mut().for_each(|value| *value /= 2)))
        }));
    }

    #[test]
    #[should_panic(expected = "depends on the others")]
    fn a_colour_of_bands_is_found() {
        check_transform(&OfBands(|_, _| Op::Pixels(vec![PixelOp::Saturation(0.5)])));
    }

    #[test]
    #[should_panic(expected = "depends on the others")]
    fn a_change_of_bands_that_mixes_them_is_found() {
        check_transform(&OfBands(|_, _| Op::Whole(Box::new(|image| image.data.reverse()))));
    }

    #[test]
    #[should_panic(expected = "is changed")]
    fn a_change_of_the_size_is_found() {
        check_transform(&Of(false, |_, _| {
            Op::Whole(Box::new(|image| *image = Planes::new(1, 1)))
        }));
    }

    #[test]
    #[should_panic(expected = "the factor -1 is not from 0")]
    fn a_factor_out_of_range_is_found() {
        check_transform(&Of(false, |_, _| Op::Pixels(vec![PixelOp::Saturation(-1.0)])));
    }
}
