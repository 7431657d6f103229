//! The classes of a list, numbered.

use std::collections::HashMap;
use std::ffi::OsString;

/// Labels in the order of their appearance, each once.
#[derive(Default)]
pub struct Classes {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Classes {
    /// The place of a label, which may be new.
    pub fn add(&mut self, label: String) -> usize {
        if let Some(&place) = self.places.get(&label) {
            return place;
        }
        self.names.push(label.clone());
        self.places.insert(label, self.names.len() - 1);
        self.names.len() - 1
    }

    /// The labels in the order of their classes, and the number of each by its place: whole numbers by their value, names
    /// otherwise.
    pub fn sorted(&self) -> (Vec<OsString>, Vec<usize>) {
        let numbers: Option<Vec<i64>> = self.names.iter().map(|name| number(name)).collect();
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        match numbers {
            Some(numbers) => order.sort_by_key(|&place| numbers[place]),
            None => order.sort_by_key(|&place| &self.names[place]),
        }
        let mut classes = vec![0; order.len()];
        order
            .iter()
            .enumerate()
            .for_each(|(class, &place)| classes[place] = class);
        (
            order.iter().map(|&place| self.names[place].clone().into()).collect(),
            classes,
        )
    }
}

/// A whole number, as it is usually written: `7` and `07` are not the same label.
fn number(name: &str) -> Option<i64> {
    let number: i64 = name.parse().ok()?;
    (number.to_string() == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(labels: &[&str]) -> (Vec<OsString>, Vec<usize>) {
        let mut classes = Classes::default();
        for label in labels {
            classes.add(label.to_string());
        }
        classes.sorted()
    }

    #[test]
    fn whole_numbers_are_in_their_order_and_all_else_in_that_of_names() {
        let names = |names: &[&str]| names.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            sorted(&["10", "9", "10", "-1"]),
            (names(&["-1", "9", "10"]), vec![2, 1, 0])
        );
        assert_eq!(sorted(&["10", "9", "x"]), (names(&["10", "9", "x"]), vec![0, 1, 2]));
        assert_eq!(sorted(&["07", "7", "10"]), (names(&["07", "10", "7"]), vec![0, 2, 1]));
        assert_eq!(
            sorted(&["dog", "Cat", "ape"]),
            (names(&["Cat", "ape", "dog"]), vec![2, 0, 1])
        );
    }
}
