//! Values that a run measures, by their names.

/// A value that was measured.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricValue {
    /// A number of things.
    Count(u64),
    /// Any number; one that is not finite is none in JSON.
    Number(f64),
    /// How the numbers beside it were obtained.
    Text(String),
}

/// Values by their names, in the order in which they are written. `a/b` belongs to the group `a`.
pub type MetricValues = Vec<(String, MetricValue)>;
