//! One table of all fields of a model, made while compiling.

use crate::register::Field;

/// The rows of several lists as one table for [`Map`](super::Map).
macro_rules! table {
    ($($rows:expr),+ $(,)?) => {{
        const LEN: usize = 0 $(+ $rows.len())+;
        static TABLE: [$crate::register::Field; LEN] = $crate::model::table::joined(&[$($rows),+]);
        &TABLE
    }};
}
pub(super) use table;

/// All rows by register; fallbacks know which row replaces them.
pub(super) const fn joined<const LEN: usize>(lists: &[&[Field]]) -> [Field; LEN] {
    let mut rows = [lists[0][0]; LEN];
    let mut len = 0;
    let mut list = 0;
    while list < lists.len() {
        let mut row = 0;
        while row < lists[list].len() {
            let field = lists[list][row];
            // Rows of the same register keep their order.
            let mut at = len;
            while at > 0 && rows[at - 1].register() > field.register() {
                rows[at] = rows[at - 1];
                at -= 1;
            }
            rows[at] = field;
            len += 1;
            row += 1;
        }
        list += 1;
    }
    let mut row = 0;
    while row < LEN {
        if rows[row].is_fallback() {
            let mut other = 0;
            while other < LEN {
                if !rows[other].is_fallback() && same(rows[other].name(), rows[row].name()) {
                    rows[row] = rows[row].replaced_by(rows[other].register());
                }
                other += 1;
            }
        }
        row += 1;
    }
    rows
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}
