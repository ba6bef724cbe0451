//! Several applications that are to fit together.

use super::amounts::{Amounts, Resource};
use super::fit::Lacks;
use super::input::ModelNames;
use super::occupied::{Occupied, WhyNot};
use super::rules::Tenant;
use super::snapshot::Snapshot;
use super::wanted::Wanted;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was found for one of them.
#[derive(Clone, Debug)]
pub struct Found {
    /// What was wanted.
    pub wanted: Wanted,
    /// As which role.
    pub role: Arc<str>,
    /// How many fit.
    pub fit: i64,
    /// How many the totals promised, before any of them was placed.
    pub by_totals: i64,
    /// On how many machines each resource was the one that runs out first.
    pub lacks: BTreeMap<Lacks, usize>,
    /// Why one more does not fit, after all were placed.
    pub why: WhyNot,
}

impl Found {
    /// Whether as many fit as were wanted.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.wanted.count.is_none_or(|count| self.fit >= count)
    }
}

/// Puts all that is wanted on a cluster: as written, one after another; and where that leaves some
/// without a place, the large ones first. What is said of each is what the better of the two came
/// to. Those that name no role have this one.
///
/// # Errors
/// When constraints contradict those that an application has, or there are too many GPU models.
pub fn place_all(
    snapshot: &mut Snapshot,
    wanted: &[Wanted],
    role: &str,
    models: &mut ModelNames,
) -> Result<Vec<Found>, String> {
    let mut demands = Vec::new();
    for (number, wanted) in wanted.iter().enumerate() {
        let mut demand = wanted.demand(models, role)?;
        if !wanted.constraints.is_empty() {
            if demand.application.is_empty() {
                demand.application = Arc::from(format!("shape {}", number + 1));
            }
            let name = Arc::clone(&demand.application);
            let known = snapshot.constraints.entry(name);
            let known = known.or_insert_with(|| wanted.constraints.clone());
            if *known != wanted.constraints {
                return Err(format!(
                    "'{}' runs with other constraints; leave them out to keep those",
                    demand.application
                ));
            }
        }
        demands.push(demand);
    }
    let empty = Occupied::of(snapshot);
    let tenants: Vec<Tenant> = demands.iter().map(|demand| empty.tenant(demand)).collect();
    let as_written: Vec<usize> = (0..wanted.len()).collect();
    let mut placed = place_in_order(&empty, &tenants, wanted, &as_written);
    let all_fit = |counts: &[i64]| {
        let mut both = counts.iter().zip(wanted);
        both.all(|(fit, wanted)| wanted.count.is_none_or(|count| *fit >= count))
    };
    if !all_fit(&placed.0) && wanted.len() > 1 {
        let mut large_first = as_written;
        large_first.sort_by_key(|place| std::cmp::Reverse(size(&empty, &tenants[*place])));
        let other = place_in_order(&empty, &tenants, wanted, &large_first);
        if all_fit(&other.0) {
            placed = other;
        }
    }
    let (counts, full) = placed;
    let found = wanted.iter().zip(&demands).zip(tenants).zip(counts);
    let found = found.map(|(((wanted, demand), tenant), fit)| Found {
        wanted: wanted.clone(),
        role: Arc::clone(&demand.role),
        fit,
        by_totals: empty.by_totals(&tenant),
        lacks: empty.runs_out(&tenant),
        why: full.why_not(&tenant),
    });
    Ok(found.collect())
}

/// How many of each find a place, and the cluster then.
fn place_in_order(
    empty: &Occupied,
    tenants: &[Tenant],
    wanted: &[Wanted],
    order: &[usize],
) -> (Vec<i64>, Occupied) {
    let mut full = empty.clone();
    let mut counts = vec![0; wanted.len()];
    for place in order {
        let most = wanted[*place].count.unwrap_or(i64::MAX);
        counts[*place] = full.place(&tenants[*place], most);
    }
    (counts, full)
}

/// The largest part of all that is free that one task asks for, in millionths.
fn size(occupied: &Occupied, tenant: &Tenant) -> i64 {
    let mut free = Amounts::default();
    occupied
        .free()
        .iter()
        .for_each(|one| free += Amounts::of_free(one));
    let asked = Amounts::of_shape(tenant.shape());
    let part = |resource: Resource| {
        let part = i128::from(asked[resource]) * 1_000_000 / i128::from(free[resource].max(1));
        i64::try_from(part).unwrap_or(i64::MAX)
    };
    Resource::ALL.into_iter().map(part).max().unwrap_or(0)
}
