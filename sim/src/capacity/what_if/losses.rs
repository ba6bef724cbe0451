//! Which machines are lost, where that is left open: N+1 and N+k.

use super::change::{Loss, values};
use crate::capacity::amounts::{Amounts, Resource};
use crate::capacity::error::PlanError;
use crate::capacity::random::SplitMix64;
use crate::capacity::snapshot::Snapshot;
use std::collections::BTreeSet;

/// Up to so many possible losses are all looked at.
pub const ALL_MAX: usize = 64;

/// Losses to look at, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Losses {
    /// Each with what is lost together.
    pub sets: Vec<Vec<Loss>>,
    /// How they were chosen, for people.
    pub how: String,
}

/// Any `times` values of `field` (`host`, or an attribute) are lost together. All of them are
/// looked at if those are at most [`ALL_MAX`]; otherwise `draws` are drawn, and an adversary adds
/// the values whose tasks ask for the most.
///
/// # Errors
/// When there are not so many values.
pub fn any(
    snapshot: &Snapshot,
    field: &str,
    times: usize,
    (draws, seed): (usize, u64),
) -> Result<Losses, PlanError> {
    let values = values(&snapshot.machines, field)?;
    if times == 0 || times > values.len() {
        return Err(PlanError::Mismatch(format!(
            "{times} of {} values of '{field}' cannot be lost",
            values.len()
        )));
    }
    let named = |chosen: &Vec<usize>| {
        let loss = |place: &usize| Loss {
            field: field.to_owned(),
            value: values[*place].clone(),
        };
        chosen.iter().map(loss).collect()
    };
    if let Some(all) = combinations(values.len(), times) {
        return Ok(Losses {
            sets: all.iter().map(named).collect(),
            how: format!("each {} of {field}, {} in all", of(times), all.len()),
        });
    }
    let mut sets = vec![heaviest(snapshot, field, &values, times)];
    let mut random = SplitMix64::new(seed);
    let mut seen: BTreeSet<Vec<usize>> = sets.iter().cloned().collect();
    for _ in 0..draws {
        let mut drawn = random.shuffled(values.len());
        drawn.truncate(times);
        drawn.sort_unstable();
        if seen.insert(drawn.clone()) {
            sets.push(drawn);
        }
    }
    Ok(Losses {
        how: format!(
            "{} of {field} at a time: those whose tasks ask for the most, and {} draws of many \
             more; others may be worse",
            of(times),
            sets.len() - 1
        ),
        sets: sets.iter().map(named).collect(),
    })
}

fn of(times: usize) -> String {
    match times {
        1 => "one".to_owned(),
        times => times.to_string(),
    }
}

/// All ways to choose `times` of `0..count`, if they are few.
fn combinations(count: usize, times: usize) -> Option<Vec<Vec<usize>>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..times {
        let longer = all.iter().flat_map(|chosen| {
            let next = chosen.last().map_or(0, |last| last + 1);
            (next..count).map(move |place| [chosen.as_slice(), &[place]].concat())
        });
        all = longer.take(64 * ALL_MAX).collect();
    }
    (all.len() <= ALL_MAX).then_some(all)
}

/// The values whose machines' tasks ask for the most: the largest part of any resource of the
/// whole cluster.
fn heaviest(snapshot: &Snapshot, field: &str, values: &[String], times: usize) -> Vec<usize> {
    let mut totals = Amounts::default();
    for machine in &snapshot.machines {
        totals += Amounts::of_capacity(&machine.capacity);
    }
    let mut used = vec![Amounts::default(); snapshot.machines.len()];
    for running in &snapshot.running {
        used[running.machine] += Amounts::of_shape(&running.task.shape);
    }
    let weight = |value: &String| {
        let loss = Loss {
            field: field.to_owned(),
            value: value.clone(),
        };
        let mut lost = Amounts::default();
        for machine in loss.machines(&snapshot.machines).unwrap_or_default() {
            lost += used[machine];
        }
        let parts = Resource::ALL.map(|name| match totals[name] {
            0 => 0,
            total => (i128::from(lost[name]) << 40) / i128::from(total),
        });
        parts.into_iter().max().unwrap_or(0)
    };
    let mut heaviest: Vec<(i128, usize)> = values.iter().map(weight).zip(0..).collect();
    heaviest.sort_by_key(|(weight, place)| (-*weight, *place));
    let mut chosen: Vec<usize> = heaviest
        .iter()
        .take(times)
        .map(|(_, place)| *place)
        .collect();
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_combinations_are_all_there() {
        let pairs = combinations(4, 2).unwrap();
        assert_eq!(pairs.len(), 6);
        assert_eq!((&pairs[0][..], &pairs[5][..]), (&[0, 1][..], &[2, 3][..]));
        assert_eq!(combinations(64, 1).unwrap().len(), 64);
        assert_eq!(combinations(65, 1), None);
        assert_eq!(combinations(1000, 3), None);
    }
}
