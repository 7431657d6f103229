//! Names of scalars: a viewer has one list for steps, epochs and the result, and groups it by what precedes the first `/`.

/// A metric of a step: `step/loss`.
pub fn of_step(name: &str) -> String {
    format!("step/{name}")
}

/// A metric of an epoch: `epoch/loss`; one of a group keeps its own, `projections/alignment`.
pub fn of_epoch(name: &str) -> String {
    match name.contains('/') {
        true => name.into(),
        false => format!("epoch/{name}"),
    }
}

/// A metric of the trained encoder: `result/knn/accuracy`.
pub fn of_result(name: &str) -> String {
    format!("result/{}", name.strip_prefix("evaluations/").unwrap_or(name))
}
