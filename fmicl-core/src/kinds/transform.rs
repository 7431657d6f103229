//! The kind of part `transform`: a random change of an image.

use crate::{Planes, Region, Result, Rng};

/// Options of a random image transform, such as a crop or a colour jitter; a view's recipe is a list of them.
///
/// [`crate::testing::check_transform`] checks that the drawn operation is a pure function of the stream, and fits the
/// image.
pub trait Transform: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Checks the options that depend on the side of the views in pixels; called once, before the first draw.
    ///
    /// # Errors
    /// [`crate::Error::Config`] with the option.
    fn validate_for(&self, _size: usize) -> Result<()> {
        Ok(())
    }

    /// Checks that the transform has a sense for gray images, of one channel; called once, before the first draw, where the
    /// views are such. They come as three equal channels, of which one is kept at the end. The default has no objection.
    ///
    /// # Errors
    /// [`crate::Error::Config`] with the option, and what would work.
    fn validate_for_gray(&self) -> Result<()> {
        Ok(())
    }

    /// Checks that the transform has a sense for images of so many channels that are no colours, such as those of satellites;
    /// called once, before the first draw, where the views are such. They come three channels at a time, each time with the same
    /// operation, which does to each channel what it does whatever the others are. The default refuses.
    ///
    /// # Errors
    /// [`crate::Error::Config`] with the option, and what would work.
    fn validate_for_bands(&self, channels: usize) -> Result<()> {
        Err(crate::Error::config(format!(
            "is of colours, which views of {channels} channels have not: leave it out, or set it to false"
        )))
    }

    /// Returns true if each draw is an [`Op::Frame`]. A recipe has at most one such transform, the first; without one,
    /// the image is framed as in evaluation.
    fn frames(&self) -> bool {
        false
    }

    /// Draws the operation for one image of `size`: the sample's size for a transform that frames, the view's for all
    /// others.
    ///
    /// `rng` is the transform's own stream: a function of the seed, the epoch, the sample, the view and the transform's
    /// key in the recipe. Draws of different transforms are independent, whatever each takes from its stream.
    fn draw(&self, size: Size, rng: &mut Rng) -> Op;

    /// The numbers that [`draw`](Transform::draw) would take from the stream, for people, such as `sigma 0.83`; empty, if it draws
    /// none. `None` if the image stays as it is. The default reads them from the operation; override it for one that does not
    /// tell.
    fn drawn(&self, size: Size, rng: &mut Rng) -> Option<String> {
        self.draw(size, rng).numbers()
    }
}

crate::kind!(Transform, "transform");

/// The size of an image in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The number of columns, at least 1.
    pub width: usize,
    /// The number of rows, at least 1.
    pub height: usize,
}

/// An operation on an image, with its random parameters drawn.
#[derive(Default)]
pub enum Op {
    /// Leaves the image as it is.
    #[default]
    Keep,
    /// Crops this region of the image and resizes it to the view's size.
    Frame(Region),
    /// Flips left and right.
    Mirror,
    /// Changes single pixels, one operation after the other. Operations of neighbouring transforms are applied in one
    /// pass, except tables and functions, which take a pass of their own.
    Pixels(Vec<PixelOp>),
    /// Changes the whole image in place, without changing its size; a pure function of the image.
    Whole(Box<dyn Fn(&mut Planes)>),
}

impl Op {
    /// Its numbers, for people; `None` if it leaves the image as it is.
    fn numbers(&self) -> Option<String> {
        match self {
            Op::Keep => None,
            Op::Frame(area) => Some(format!(
                "{} x {} pixels from column {}, row {}",
                area.width, area.height, area.left, area.top
            )),
            Op::Mirror | Op::Whole(_) => Some(String::new()),
            Op::Pixels(steps) => {
                let steps: Vec<String> = steps.iter().filter_map(PixelOp::numbers).collect();
                Some(steps.join(", "))
            }
        }
    }
}

impl PixelOp {
    /// Its factor, for people; nothing if it has none.
    fn numbers(&self) -> Option<String> {
        match self {
            PixelOp::Brightness(factor) => Some(format!("brightness {factor:.3}")),
            PixelOp::Contrast(factor) => Some(format!("contrast {factor:.3}")),
            PixelOp::Saturation(factor) => Some(format!("saturation {factor:.3}")),
            PixelOp::Hue(turn) => Some(format!("hue {turn:+.3}")),
            PixelOp::Gray | PixelOp::Table(_) | PixelOp::Function(_) => None,
        }
    }
}

/// Operation on single pixels, whose values before and after are integers from 0 to 255.
pub enum PixelOp {
    /// `PIL.ImageEnhance.Brightness`, torchvision's `adjust_brightness`: 0 gives black, 1 the image itself; at least 0 and
    /// finite, as all factors.
    Brightness(f32),
    /// `PIL.ImageEnhance.Contrast`, torchvision's `adjust_contrast`: 0 gives the mean gray of the image, 1 the image itself.
    Contrast(f32),
    /// `PIL.ImageEnhance.Color`, torchvision's `adjust_saturation`: 0 gives gray, 1 the image itself.
    Saturation(f32),
    /// torchvision's `adjust_hue`: shifts the hue by a fraction of the circle, from -0.5 to 0.5.
    Hue(f64),
    /// `PIL.ImageOps.grayscale` in all three channels.
    Gray,
    /// Replaces each value of each channel by `table[value]`, as `PIL.Image.point` with one table.
    Table(Box<[u8; 256]>),
    /// Replaces red, green and blue by the function's value.
    Function(Box<dyn Fn([u8; 3]) -> [u8; 3]>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_tells_its_numbers() {
        let area = Region {
            top: 1,
            left: 2,
            height: 3,
            width: 4,
        };
        let jitter = vec![PixelOp::Brightness(0.5), PixelOp::Gray, PixelOp::Hue(0.04)];
        let told = [Op::Keep, Op::Mirror, Op::Frame(area), Op::Pixels(jitter)].map(|op| op.numbers());
        let expected = ["", "4 x 3 pixels from column 2, row 1", "brightness 0.500, hue +0.040"];
        assert_eq!(told[0], None);
        assert_eq!(told[1..], expected.map(|numbers| Some(numbers.to_string())));
    }
}
