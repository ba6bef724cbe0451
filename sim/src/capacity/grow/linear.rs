//! A small linear program: the simplex method on a dense table (Dantzig 1947; Bland's rule against
//! cycles).

/// What counts as nothing, after rounding.
const EPSILON: f64 = 1e-9;

/// How many steps are taken at most; each makes the result no worse.
const STEPS_MAX: usize = 2000;

/// After so many steps, no more than the safe choice that cannot go in circles.
const GREEDY_STEPS: usize = 1000;

/// What maximises.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Solved {
    /// The variables.
    pub(super) variables: Vec<f64>,
    /// The price of each constraint: the variables of the dual program.
    pub(super) prices: Vec<f64>,
}

/// Maximises the sum of `gain` times variables, none of them negative, where each constraint's sum
/// of factors times variables is at most its limit. Limits are not negative. `None` if there is no
/// maximum.
pub(super) fn maximise(gain: &[f64], constraints: &[(Vec<f64>, f64)]) -> Option<Solved> {
    let (columns, rows) = (gain.len(), constraints.len());
    // One more column for each constraint's slack, and one for its limit.
    let width = columns + rows + 1;
    let mut table: Vec<Vec<f64>> = constraints
        .iter()
        .enumerate()
        .map(|(row, (factors, limit))| {
            let mut line = vec![0.0; width];
            line[..columns].copy_from_slice(factors);
            line[columns + row] = 1.0;
            line[width - 1] = *limit;
            line
        })
        .collect();
    let mut goal: Vec<f64> = gain.iter().map(|gain| -gain).collect();
    goal.resize(width, 0.0);
    let mut basis: Vec<usize> = (columns..columns + rows).collect();
    for step in 0..STEPS_MAX {
        let Some(entering) = entering(&goal[..width - 1], step < GREEDY_STEPS) else {
            break;
        };
        let leaving = leaving(&table, &basis, entering)?;
        pivot(&mut table, &mut goal, (leaving, entering));
        basis[leaving] = entering;
    }
    let mut variables = vec![0.0; columns];
    for (row, column) in basis.iter().enumerate() {
        if *column < columns {
            variables[*column] = table[row][width - 1].max(0.0);
        }
    }
    let prices = goal[columns..columns + rows]
        .iter()
        .map(|price| price.max(0.0));
    Some(Solved {
        variables,
        prices: prices.collect(),
    })
}

fn entering(goal: &[f64], greedy: bool) -> Option<usize> {
    let mut gaining = goal
        .iter()
        .enumerate()
        .filter(|(_, value)| **value < -EPSILON);
    if greedy {
        let best = gaining.min_by(|(_, left), (_, right)| left.total_cmp(right));
        return best.map(|(column, _)| column);
    }
    gaining.next().map(|(column, _)| column)
}

fn leaving(table: &[Vec<f64>], basis: &[usize], entering: usize) -> Option<usize> {
    let mut best: Option<(f64, usize)> = None;
    for (row, line) in table.iter().enumerate() {
        if line[entering] <= EPSILON {
            continue;
        }
        let ratio = line[line.len() - 1] / line[entering];
        let better = best.is_none_or(|(least, other)| {
            ratio < least - EPSILON || ratio <= least + EPSILON && basis[row] < basis[other]
        });
        if better {
            best = Some((ratio, row));
        }
    }
    best.map(|(_, row)| row)
}

fn pivot(table: &mut [Vec<f64>], goal: &mut [f64], (row, column): (usize, usize)) {
    let by = table[row][column];
    table[row].iter_mut().for_each(|value| *value /= by);
    let line = table[row].clone();
    let clear = |other: &mut [f64]| {
        let factor = other[column];
        if factor != 0.0 {
            for (value, used) in other.iter_mut().zip(&line) {
                *value -= factor * used;
            }
        }
    };
    for (index, other) in table.iter_mut().enumerate() {
        if index != row {
            clear(other);
        }
    }
    clear(goal);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_textbook_program_is_solved() {
        // Hillier and Lieberman's windows and doors: 3x + 5y, with x <= 4, 2y <= 12, 3x + 2y <= 18.
        let constraints = [
            (vec![1.0, 0.0], 4.0),
            (vec![0.0, 2.0], 12.0),
            (vec![3.0, 2.0], 18.0),
        ];
        let solved = maximise(&[3.0, 5.0], &constraints).unwrap();
        let near = |found: &[f64], wanted: &[f64]| {
            found
                .iter()
                .zip(wanted)
                .all(|(found, wanted)| (found - wanted).abs() < 1e-6)
        };
        assert!(near(&solved.variables, &[2.0, 6.0]), "{solved:?}");
        assert!(near(&solved.prices, &[0.0, 1.5, 1.0]), "{solved:?}");
        assert_eq!(maximise(&[1.0, 0.0], &[(vec![-1.0, 1.0], 1.0)]), None);
    }
}
