//! Limited-memory BFGS for a smooth convex function of one flat tensor.
//!
//! Source: Nocedal and Wright, "Numerical Optimization", algorithms 7.4 and 7.5, with a line search that halves
//! the step until the decrease is sufficient (Armijo).

use std::collections::VecDeque;
use tch::Tensor;

/// Steps whose curvature is remembered.
pub const HISTORY: usize = 10;
/// The share of the predicted decrease that a step must bring.
const ARMIJO: f64 = 1e-4;
/// The largest element of the gradient at which the search ends.
const TOLERANCE: f64 = 1e-6;

/// The point that `objective` (value and gradient) is least at, from `start`, in at most `max_iter` steps.
pub fn minimise(objective: impl Fn(&Tensor) -> (f64, Tensor), start: Tensor, max_iter: usize) -> Tensor {
    let mut point = start;
    let (mut value, mut grad) = objective(&point);
    let mut history: VecDeque<Step> = VecDeque::with_capacity(HISTORY);
    for _ in 0..max_iter {
        if grad.abs().max().double_value(&[]) < TOLERANCE {
            break;
        }
        let direction = -times_inverse_hessian(&history, &grad);
        let slope = grad.dot(&direction).double_value(&[]);
        // Without curvature yet, a step of unit length at most.
        let length = if history.is_empty() {
            grad.norm().double_value(&[]).recip().min(1.0)
        } else {
            1.0
        };
        let Some((new_point, new_value, new_grad)) = search(&objective, &point, value, &direction, slope, length)
        else {
            break; // No step in f32 is downhill: this is the minimum as far as it can be told.
        };
        let (moved, turned) = (&new_point - &point, &new_grad - &grad);
        let curvature = moved.dot(&turned).double_value(&[]);
        if curvature > 1e-10 * turned.dot(&turned).double_value(&[]) {
            if history.len() == HISTORY {
                history.pop_front();
            }
            history.push_back(Step {
                moved,
                turned,
                curvature,
            });
        }
        (point, value, grad) = (new_point, new_value, new_grad);
    }
    point
}

/// A step, how it changed the gradient, and the product of the two.
struct Step {
    moved: Tensor,
    turned: Tensor,
    curvature: f64,
}

/// The two-loop recursion: the inverse Hessian that the history implies, times `grad`.
fn times_inverse_hessian(history: &VecDeque<Step>, grad: &Tensor) -> Tensor {
    let mut result = grad.copy();
    let mut weights = Vec::with_capacity(history.len());
    for step in history.iter().rev() {
        let weight = step.moved.dot(&result).double_value(&[]) / step.curvature;
        result -= &step.turned * weight;
        weights.push(weight);
    }
    if let Some(last) = history.back() {
        result *= last.curvature / last.turned.dot(&last.turned).double_value(&[]);
    }
    for (step, weight) in history.iter().zip(weights.into_iter().rev()) {
        let correction = weight - step.turned.dot(&result).double_value(&[]) / step.curvature;
        result += &step.moved * correction;
    }
    result
}

fn search(
    objective: impl Fn(&Tensor) -> (f64, Tensor),
    point: &Tensor,
    value: f64,
    direction: &Tensor,
    slope: f64,
    mut length: f64,
) -> Option<(Tensor, f64, Tensor)> {
    for _ in 0..20 {
        let new_point = point + direction * length;
        let (new_value, new_grad) = objective(&new_point);
        if new_value <= value + ARMIJO * length * slope {
            return Some((new_point, new_value, new_grad));
        }
        length *= 0.5;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badly_scaled_quadratic_is_solved() {
        let scale = Tensor::from_slice(&[1.0f64, 10.0, 100.0, 0.1]);
        let target = Tensor::from_slice(&[1.0f64, -2.0, 3.0, -4.0]);
        let objective = |x: &Tensor| {
            let off = x - &target;
            let value = (&off * &off * &scale).sum(None).double_value(&[]) / 2.0;
            (value, off * &scale)
        };
        let found = minimise(objective, target.zeros_like(), 100);
        assert!((found - &target).abs().max().double_value(&[]) < 1e-4);
    }
}
