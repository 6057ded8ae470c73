//! Markdown tables with aligned columns.

/// Rows of text under headings; the first column is flush left, the others flush right.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(headings: impl IntoIterator<Item = String>) -> Self {
        Table {
            rows: vec![headings.into_iter().collect()],
        }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(3)
        };
        for (number, row) in self.rows.iter().enumerate() {
            write!(out, "|")?;
            for column in 0..columns {
                let cell = row.get(column).map_or("", String::as_str);
                let width = width(column);
                if column == 0 {
                    write!(out, " {cell:<width$} |")?;
                } else {
                    write!(out, " {cell:>width$} |")?;
                }
            }
            writeln!(out)?;
            if number == 0 {
                write!(out, "|")?;
                for column in 0..columns {
                    let dashes = "-".repeat(width(column));
                    if column == 0 {
                        write!(out, " {dashes} |")?
                    } else {
                        write!(out, " {}: |", &dashes[1..])?
                    }
                }
                writeln!(out)?;
            }
        }
        Ok(())
    }
}

/// A ratio as tables show it.
pub(super) fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["program".into(), "a".into()]);
        table.row(["fib".into(), "1.25".into()]);
        assert_eq!(
            table.to_string(),
            "| program |    a |\n| ------- | ---: |\n| fib     | 1.25 |\n"
        );
    }
}
