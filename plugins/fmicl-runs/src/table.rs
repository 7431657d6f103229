//! A table of text that fits a terminal.

use fmicl_runner::wrap;

/// Between two columns.
const GAP: usize = 2;
/// A cell with no value.
pub const NOTHING: &str = "–";
/// What is left of a long name before other columns are left out, and the least.
const SHORT: usize = 32;
const SHORTEST: usize = 12;
/// The widest that a value is shown on a terminal.
const WIDEST: usize = 28;

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its heading.
    pub head: String,
    /// Its cells.
    pub cells: Vec<String>,
    /// Whether it is of numbers, which stand to the right.
    pub right: bool,
    /// The order in which columns are given room; one of rank 0 is always there.
    pub rank: usize,
}

impl Column {
    fn width(&self) -> usize {
        let widths = self.cells.iter().map(|cell| wrap::columns(cell));
        widths.chain([wrap::columns(&self.head)]).max().unwrap_or(0)
    }

    fn shorten(&mut self, width: usize) {
        for text in self.cells.iter_mut().chain([&mut self.head]) {
            *text = shortened(text, width);
        }
    }
}

/// The lines of a table, and the headings of the columns for which there was no room. The cells of the column
/// `flexible` are shortened to what the others leave.
pub fn fitted(mut columns: Vec<Column>, width: Option<usize>, flexible: &str) -> (Vec<String>, Vec<String>) {
    let mut left_out = Vec::new();
    if let Some(width) = width {
        columns
            .iter_mut()
            .filter(|column| column.rank > 0)
            .for_each(|column| column.shorten(WIDEST));
        let place = |columns: &[Column]| columns.iter().position(|column| column.head == flexible);
        let others = |columns: &[Column]| -> usize {
            let others = columns.iter().filter(|column| column.head != flexible);
            others.map(|column| column.width() + GAP).sum()
        };
        let own = place(&columns).map_or(0, |place| columns[place].width());
        // What is ranked last goes first.
        while others(&columns) + own.min(SHORT) > width
            && let Some(last) = last_ranked(&columns)
        {
            left_out.insert(0, columns.remove(last).head);
        }
        let room = width.saturating_sub(others(&columns)).max(SHORTEST);
        if let Some(place) = place(&columns).filter(|_| own > room) {
            columns[place].shorten(room);
        }
    }
    (lines(&columns), left_out)
}

fn last_ranked(columns: &[Column]) -> Option<usize> {
    let ranked = columns.iter().enumerate().filter(|(_, column)| column.rank > 0);
    ranked
        .max_by_key(|(index, column)| (column.rank, *index))
        .map(|(index, _)| index)
}

fn lines(columns: &[Column]) -> Vec<String> {
    let rows = columns.first().map_or(0, |column| column.cells.len());
    let widths: Vec<usize> = columns.iter().map(Column::width).collect();
    let line = |cell: &dyn Fn(&Column) -> String| -> String {
        let cells = columns.iter().zip(&widths).map(|(column, width)| {
            let text = cell(column);
            let space = " ".repeat(width.saturating_sub(wrap::columns(&text)));
            if column.right { space + &text } else { text + &space }
        });
        let line = cells.collect::<Vec<_>>().join(&" ".repeat(GAP));
        line.trim_end().to_string()
    };
    let head = line(&|column| column.head.clone());
    let rows = (0..rows).map(|row| line(&|column: &Column| column.cells[row].clone()));
    std::iter::once(head).chain(rows).collect()
}

/// A text with its middle left out where it is wider.
fn shortened(text: &str, width: usize) -> String {
    if wrap::columns(text) <= width {
        return text.to_string();
    }
    let letters: Vec<char> = text.chars().collect();
    let half = width.saturating_sub(1) / 2;
    // Wide letters take two columns.
    for kept in (0..=half).rev() {
        let (begin, end) = (&letters[..kept], &letters[letters.len() - kept..]);
        let short: String = begin.iter().chain(&['…']).chain(end).collect();
        if wrap::columns(&short) <= width {
            return short;
        }
    }
    "…".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(head: &str, cells: [&str; 2], right: bool, rank: usize) -> Column {
        Column {
            head: head.into(),
            cells: cells.map(str::to_string).to_vec(),
            right,
            rank,
        }
    }

    fn table() -> Vec<Column> {
        vec![
            column("state", ["running", "failed"], false, 0),
            column("run", ["runs/a-long-name-1", "runs/漢字"], false, 0),
            column("lr", ["0.1", "0.02"], true, 2),
            column("knn", ["90.5", NOTHING], true, 1),
        ]
    }

    #[test]
    fn a_table_has_all_its_columns_where_there_is_room() {
        let (lines, left_out) = fitted(table(), None, "run");
        assert!(left_out.is_empty());
        assert_eq!(
            lines,
            [
                "state    run                   lr   knn",
                "running  runs/a-long-name-1   0.1  90.5",
                "failed   runs/漢字           0.02     –",
            ]
        );
    }

    #[test]
    fn what_has_no_room_is_left_out_by_its_rank_and_named() {
        for width in 1..60 {
            let (lines, left_out) = fitted(table(), Some(width), "run");
            let widest = lines.iter().map(|line| wrap::columns(line)).max().unwrap();
            assert!(widest <= width.max(21), "{width}: {lines:?}");
            let expected: &[&str] = match width {
                39.. => &[],
                33.. => &["lr"],
                _ => &["knn", "lr"],
            };
            assert_eq!(left_out, expected, "{width}");
        }
        assert_eq!(fitted(table(), Some(22), "run").0[1], "running  runs/a…name-1");
    }
}
