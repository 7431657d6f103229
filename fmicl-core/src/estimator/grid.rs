//! The tiles of a matrix of pairs, and the gradient that they add up to.

use super::{product, tile, zero_with_gradient};
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
    /// First row and number of rows.
    pub rows: (i64, i64),
    /// First column and number of columns.
    pub columns: (i64, i64),
    /// Whether the tile stands for its mirror image, too.
    pub mirrored: bool,
    x: Tensor,
    y: Tensor,
    /// Its diagonals that do not count.
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

    /// Whether the columns are the anchors themselves.
    pub fn is_symmetric(&self) -> bool {
        self.columns.is_none()
    }

    /// Whether anyone wants a gradient.
    pub fn requires_grad(&self) -> bool {
        self.rows.requires_grad() || self.columns.as_ref().is_some_and(Tensor::requires_grad)
    }

    /// The anchors without gradient.
    pub fn anchors(&self) -> Tensor {
        self.rows.detach()
    }

    /// The tiles, row by row.
    pub fn tiles(&self) -> impl Iterator<Item = Tile> {
        let (rows, symmetric) = (self.rows.detach(), self.is_symmetric());
        let columns = self
            .columns
            .as_ref()
            .map_or_else(|| rows.shallow_clone(), Tensor::detach);
        let side = tile(rows.device(), rows.kind());
        let spans = |features: &Tensor| {
            let count = features.size()[0];
            (0..count)
                .step_by(side as usize)
                .map(move |start| (start, side.min(count - start)))
        };
        let of_columns: Vec<_> = spans(&columns).collect();
        let spans = spans(&rows).flat_map(move |row| of_columns.clone().into_iter().map(move |column| (row, column)));
        spans
            .filter(move |(row, column)| !symmetric || column.0 >= row.0)
            .map(move |(row, column)| Tile {
                rows: row,
                columns: column,
                mirrored: symmetric && column.0 > row.0,
                x: rows.narrow(0, row.0, row.1),
                y: columns.narrow(0, column.0, column.1),
                excluded: self
                    .excluded
                    .iter()
                    .map(|offset| offset + row.0 - column.0)
                    .filter(|&offset| -row.1 < offset && offset < column.1)
                    .collect(),
            })
    }

    /// Who wants a gradient, and of which size.
    pub fn shape(&self) -> Shape {
        let columns = self.columns.as_ref().filter(|columns| columns.requires_grad());
        Shape {
            rows: self.rows.size(),
            columns: columns.map(Tensor::size),
            options: (self.rows.kind(), self.rows.device()),
        }
    }

    /// A scalar that is 0 and whose gradient is `factor` times the sum of `gradients`.
    pub fn zero_with(&self, gradients: Vec<Gradient>, factor: f64) -> Tensor {
        let Some(sum) = gradients.into_iter().reduce(Gradient::plus) else {
            unreachable!("there is a thread")
        };
        let mut zero = zero_with_gradient(&self.rows, &(sum.rows * factor));
        if let (Some(features), Some(gradient)) = (&self.columns, sum.columns) {
            zero += zero_with_gradient(features, &(gradient * factor));
        }
        zero
    }
}

impl Tile {
    /// `scale * cosine + offset` of each pair, `[rows, columns]`.
    pub fn cosines(&self, scale: f64, offset: f64) -> Tensor {
        product::of_rows(&(&self.x * scale), &self.y, offset)
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

    /// Adds what a tile's weights `[rows, columns]` give: each pair draws its row along its column's feature, and the
    /// other way round.
    pub fn add(&mut self, tile: &Tile, weights: &Tensor) {
        let mut rows = self.rows.narrow(0, tile.rows.0, tile.rows.1);
        let _ = rows.g_add_(&product::by_features(weights, &tile.y));
        let columns = match &self.columns {
            Some(columns) => columns,
            None if tile.mirrored => &self.rows,
            None => return,
        };
        let mut columns = columns.narrow(0, tile.columns.0, tile.columns.1);
        let _ = columns.g_add_(&product::by_features(&weights.tr(), &tile.x));
    }

    fn plus(self, other: Self) -> Self {
        Gradient {
            rows: self.rows + other.rows,
            columns: self.columns.zip(other.columns).map(|(a, b)| a + b),
        }
    }
}
