//! The tiles of a matrix of pairs, and the gradient that they add up to.

use super::{product, tile, zero_with_gradient};
use crate::distributed::together;
use tch::{Device, Kind, Tensor};

/// A matrix of pairs: a row is an anchor, a column a feature that it is paired with.
pub(super) struct Grid {
    /// The anchors, `[M, d]`, with gradient.
    rows: Tensor,
    /// The features of the columns; none where they are the anchors themselves. Then the matrix is symmetric, and half
    /// of its tiles stand for all.
    columns: Option<Tensor>,
    /// Row `i` against column `i + offset`: diagonals of pairs that do not count. In a symmetric matrix an offset comes
    /// with its negative.
    excluded: Vec<i64>,
}

/// A part of the matrix, and the features of its rows and columns, without gradient.
pub(super) struct Tile {
    /// `true` if the tile also stands for its mirror image.
    pub mirrored: bool,
    x: Features,
    y: Features,
    /// Diagonals of excluded pairs.
    excluded: Vec<i64>,
}

impl Grid {
    pub fn symmetric(rows: Tensor, excluded: Vec<i64>) -> Self {
        Grid {
            rows,
            columns: None,
            excluded,
        }
    }

    pub fn rectangular(rows: Tensor, columns: Tensor, excluded: Vec<i64>) -> Self {
        Grid {
            rows,
            columns: Some(columns),
            excluded,
        }
    }

    /// Returns true if the columns are the anchors.
    pub fn is_symmetric(&self) -> bool {
        self.columns.is_none()
    }

    /// Returns true if rows or columns require a gradient.
    pub fn requires_grad(&self) -> bool {
        self.rows.requires_grad() || self.columns.as_ref().is_some_and(Tensor::requires_grad)
    }

    /// The anchors without gradient.
    pub fn anchors(&self) -> Tensor {
        self.rows.detach()
    }

    /// Tiles, row by row; of a symmetric matrix half of them, with the triangles on the diagonal last.
    pub fn tiles(&self) -> Vec<Tile> {
        let side = tile(self.rows.device(), self.rows.kind());
        if let Some(columns) = &self.columns {
            // With one row of tiles a column's transpose is used once, so it is not kept: of a bank it would be a second bank.
            let is_one_row = self.rows.size()[0] <= side;
            let rows = Features::spans(&self.rows, side, true);
            let columns = Features::spans(columns, side, !is_one_row);
            let pairs = rows.iter().flat_map(|x| columns.iter().map(move |y| (x, y)));
            return pairs.map(|(x, y)| self.tile(x, y, false)).collect();
        }
        let rows = Features::spans(&self.rows, side, true);
        let mut tiles = Vec::new();
        for (index, x) in rows.iter().enumerate() {
            tiles.extend(rows[index + 1..].iter().map(|y| self.tile(x, y, true)));
        }
        for x in &rows {
            self.triangle(x, (side / 2).max(1), &mut tiles);
        }
        tiles
    }

    /// Adds the tiles of a square on the diagonal. It is halved down to `least`, since what is below the diagonal is
    /// computed for nothing.
    fn triangle(&self, square: &Features, least: i64, tiles: &mut Vec<Tile>) {
        if square.count <= least {
            tiles.push(self.tile(square, square, false));
            return;
        }
        let half = (square.count + 1) / 2;
        let (low, high) = (square.part(0, half), square.part(half, square.count - half));
        self.triangle(&low, least, tiles);
        self.triangle(&high, least, tiles);
        tiles.push(self.tile(&low, &high, true));
    }

    fn tile(&self, x: &Features, y: &Features, mirrored: bool) -> Tile {
        Tile {
            mirrored,
            excluded: self.excluded_in(x, y).collect(),
            x: x.share(),
            y: y.share(),
        }
    }

    /// The excluded diagonals that meet a tile.
    fn excluded_in(&self, x: &Features, y: &Features) -> impl Iterator<Item = i64> {
        let (shift, lowest, highest) = (x.start - y.start, -x.count, y.count);
        let offsets = self.excluded.iter().map(move |offset| offset + shift);
        offsets.filter(move |&offset| lowest < offset && offset < highest)
    }

    /// Shape of the gradient: of the rows, and of the columns if they require one.
    pub fn shape(&self) -> Shape {
        let columns = self.columns.as_ref().filter(|columns| columns.requires_grad());
        Shape {
            rows: self.rows.size(),
            columns: columns.map(Tensor::size),
            options: (self.rows.kind(), self.rows.device()),
        }
    }

    /// A scalar that is 0 and whose gradient is `factor` times the sum of `gradients`, over all processes.
    pub fn zero_with(&self, gradients: Vec<Gradient>, factor: f64) -> Tensor {
        let Some(mut sum) = gradients.into_iter().reduce(Gradient::plus) else {
            unreachable!("there is a thread")
        };
        together::sum_gradients(&mut sum.rows);
        if let Some(columns) = &mut sum.columns {
            together::sum_gradients(columns);
        }
        let mut zero = zero_with_gradient(&self.rows, sum.rows.g_mul_scalar_(factor));
        if let (Some(features), Some(gradient)) = (&self.columns, &mut sum.columns) {
            zero += zero_with_gradient(features, gradient.g_mul_scalar_(factor));
        }
        zero
    }
}

/// A block of rows of a feature matrix.
struct Features {
    start: i64,
    count: i64,
    /// `[count, d]`.
    rows: Tensor,
    /// `[d, count]`, made once for all tiles of a row or column, where there are many.
    transposed: Option<Tensor>,
}

impl Features {
    /// All rows in blocks, without gradient.
    fn spans(features: &Tensor, side: i64, with_transposed: bool) -> Vec<Self> {
        let total = features.size()[0];
        let span = |start: i64| {
            let count = side.min(total - start);
            let rows = features.detach().narrow(0, start, count);
            Features {
                start,
                count,
                transposed: with_transposed.then(|| rows.tr().contiguous()),
                rows,
            }
        };
        (0..total).step_by(side as usize).map(span).collect()
    }

    /// So many of these from the `skipped`-th on, in the same memory.
    fn part(&self, skipped: i64, count: i64) -> Self {
        Features {
            start: self.start + skipped,
            count,
            rows: self.rows.narrow(0, skipped, count),
            transposed: self.transposed.as_ref().map(|all| all.narrow(1, skipped, count)),
        }
    }

    /// Handles for another tile: a `Tensor` is `Send`, not `Sync`.
    fn share(&self) -> Self {
        Features {
            rows: self.rows.shallow_clone(),
            transposed: self.transposed.as_ref().map(Tensor::shallow_clone),
            ..*self
        }
    }

    /// The rows on their side, `[d, count]`.
    fn transposed(&self) -> Tensor {
        match &self.transposed {
            Some(transposed) => transposed.shallow_clone(),
            None => self.rows.tr().contiguous(),
        }
    }

    /// Their part of a tensor over all rows.
    fn part_of(&self, all: &Tensor) -> Tensor {
        all.narrow(0, self.start, self.count)
    }
}

impl Tile {
    /// The rows' part of a tensor over all anchors.
    pub fn of_rows(&self, all: &Tensor) -> Tensor {
        self.x.part_of(all)
    }

    /// The columns' part of a tensor over all of theirs.
    pub fn of_columns(&self, all: &Tensor) -> Tensor {
        self.y.part_of(all)
    }

    /// `scale * cosine + offset` of each pair, `[rows, columns]`.
    pub fn cosines(&self, scale: f64, offset: f64) -> Tensor {
        product::inner_products(&(&self.x.rows * scale), &self.y.rows, offset)
    }

    /// The matrix with `value` where a pair does not count.
    pub fn exclude(&self, matrix: Tensor, value: f64) -> Tensor {
        if self.excluded.is_empty() {
            return matrix;
        }
        // A part may return an expanded tensor, which cannot be written to.
        let matrix = matrix.contiguous();
        for &offset in &self.excluded {
            let _ = matrix.diagonal(offset, 0, 1).fill_(value);
        }
        matrix
    }
}

/// The size of a gradient.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    rows: Vec<i64>,
    columns: Option<Vec<i64>>,
    options: (Kind, Device),
}

/// The gradient with respect to the features of rows and columns.
pub(super) struct Gradient {
    rows: Tensor,
    columns: Option<Tensor>,
}

impl Gradient {
    /// A gradient of zero.
    pub fn zero(shape: &Shape) -> Self {
        let zeros = |size: &Vec<i64>| Tensor::zeros(size, shape.options);
        Gradient {
            rows: zeros(&shape.rows),
            columns: shape.columns.as_ref().map(zeros),
        }
    }

    /// Adds `W y` to the rows and `W^T x` to the columns, for a tile's weights `W`, `[rows, columns]`; a mirrored tile's
    /// columns are rows.
    pub fn add(&mut self, tile: &Tile, weights: &Tensor) {
        let _ = tile
            .of_rows(&self.rows)
            .g_add_(&product::by_features(weights, &tile.y.transposed()));
        let columns = match &self.columns {
            Some(columns) => columns,
            None if tile.mirrored => &self.rows,
            None => return,
        };
        let _ = tile
            .of_columns(columns)
            .g_add_(&product::by_features_of_rows(weights, &tile.x.transposed()));
    }

    fn plus(mut self, other: Self) -> Self {
        let _ = self.rows.g_add_(&other.rows);
        if let (Some(columns), Some(others)) = (&mut self.columns, &other.columns) {
            let _ = columns.g_add_(others);
        }
        self
    }
}
