//! The kind of part `transform`: a random change of an image.

use crate::{Planes, Region, Result, Rng};

/// A random change of an image, such as a crop or a jitter of its colours: a step of a view's recipe.
///
/// [`crate::testing::check_transform`] checks that what is drawn is a pure function of the stream, and that it fits the image.
pub trait Transform: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Checks the options that depend on the side of the views, in pixels; called once, before anything is drawn.
    ///
    /// # Errors
    /// [`crate::Error::Config`] at the option.
    fn validate_for(&self, _size: usize) -> Result<()> {
        Ok(())
    }

    /// Whether each draw is an [`Op::Frame`]. Such a transform stands first in a recipe, and alone; where there is none, the
    /// image is framed as in evaluation.
    fn frames(&self) -> bool {
        false
    }

    /// Draws the operation on one image of `size`: that of the sample for a transform that frames, of the view for all others.
    ///
    /// `rng` is the transform's own stream: a function of the seed, the epoch, the sample, the view and the transform's key
    /// in the recipe. What other transforms draw, or how much is taken from it here, changes nothing elsewhere.
    fn draw(&self, size: Size, rng: &mut Rng) -> Op;
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
    /// Makes the view of this part of the image, resized to the view's size.
    Frame(Region),
    /// Mirrors left and right.
    Mirror,
    /// Changes each pixel by itself, one operation after the other. Those of neighbouring transforms are done in one pass.
    Pixels(Vec<PixelOp>),
    /// Changes the image as a whole, in place and without changing its size. A function of the image alone.
    Whole(Box<dyn Fn(&mut Planes)>),
}

/// An operation on single pixels. Before and after it values are whole numbers from 0 to 255.
pub enum PixelOp {
    /// `PIL.ImageEnhance.Brightness`, torchvision's `adjust_brightness`: 0 gives black, 1 the image itself; at least 0 and
    /// finite, as all factors.
    Brightness(f32),
    /// `PIL.ImageEnhance.Contrast`, torchvision's `adjust_contrast`: 0 gives the mean gray of the image, 1 the image itself.
    Contrast(f32),
    /// `PIL.ImageEnhance.Color`, torchvision's `adjust_saturation`: 0 gives gray, 1 the image itself.
    Saturation(f32),
    /// torchvision's `adjust_hue`: turns it by so much of the circle, from -0.5 to 0.5.
    Hue(f64),
    /// `PIL.ImageOps.grayscale` in all three channels.
    Gray,
    /// Puts `table[value]` for each value of each channel, as `PIL.Image.point` with one table.
    Table(Box<[u8; 256]>),
    /// Puts the function's value for red, green and blue.
    Function(Box<dyn Fn([u8; 3]) -> [u8; 3]>),
}
