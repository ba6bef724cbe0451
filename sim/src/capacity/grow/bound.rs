//! What the cheapest mix must cost at least.
//!
//! Each [`Scale`] gives a condition that a mix must meet: what its machines weigh is at least what
//! has no room on those that are there. The cheapest mix of fractions of machines that meets all of
//! them is a linear program; its dual program's variables, whatever they are, prove a bound, which
//! is computed from them in integers. Machines are whole: where a fraction of a type is best, the
//! programs with fewer and with more of it are looked at separately (branch and bound), as far as
//! the number of programs allows.

use super::linear::maximise;
use crate::capacity::bounds::Scale;
use std::fmt;

/// How many programs are solved.
const PROGRAMS_MAX: usize = 120;

/// One, in the integers in which proofs are checked.
const ONE: i128 = 1 << 24;

/// What a mix must have: the sum of `each` times the number of machines of that type is at least
/// `least`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) each: Vec<i64>,
    pub(super) least: i64,
    pub(super) because: Because,
}

/// Why a mix must meet a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// All tasks must find a place.
    Tasks(Scale),
    /// So much must stay free.
    Headroom(&'static str),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Tasks(scale) => scale.fmt(f),
            Because::Headroom(resource) => write!(f, "{resource} that must be left"),
        }
    }
}

/// What can be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) price_milli: i64,
    pub(super) most: Option<usize>,
}

/// What a mix costs at least.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LowerBound {
    pub(super) price_milli: i64,
    /// The condition that proves the most by itself.
    pub(super) because: Option<Because>,
    /// The best mix of fractions of machines.
    pub(super) fractions: Vec<f64>,
}

/// Between which numbers of machines of each type a mix is looked for.
#[derive(Clone, Debug)]
struct Branch {
    from: Vec<i64>,
    to: Vec<Option<i64>>,
}

/// A branch, what it costs at least, and the best fractions in it.
struct Leaf {
    branch: Branch,
    least: i64,
    fractions: Vec<f64>,
}

/// The bound. `None` if even all that can be bought is not enough.
pub(super) fn lower_bound(conditions: &[Condition], offers: &[Offer]) -> Option<LowerBound> {
    let conditions = strongest(conditions);
    let root = Branch {
        from: vec![0; offers.len()],
        to: offers
            .iter()
            .map(|offer| offer.most.map(|most| most as i64))
            .collect(),
    };
    let step = offers
        .iter()
        .fold(0, |step, offer| common_divisor(step, offer.price_milli))
        .max(1);
    let solve = |branch: Branch| {
        let (least, fractions) = solve(&conditions, offers, &branch)?;
        // All prices are multiples of this, so the sum is.
        let least = (least + step - 1).div_euclid(step) * step;
        Some(Leaf {
            branch,
            least,
            fractions,
        })
    };
    let first = solve(root)?;
    let fractions = first.fractions.clone();
    let mut leaves = vec![first];
    for _ in 0..PROGRAMS_MAX / 2 {
        let (index, _) = leaves
            .iter()
            .enumerate()
            .min_by_key(|(_, leaf)| leaf.least)?;
        let Some(split) = fraction_of(&leaves[index]) else {
            break;
        };
        let leaf = leaves.swap_remove(index);
        let floor = leaf.fractions[split].floor() as i64;
        let (mut fewer, mut more) = (leaf.branch.clone(), leaf.branch);
        fewer.to[split] = Some(floor);
        more.from[split] = floor + 1;
        // What is bounded in a branch is bounded in its parts.
        for branch in [fewer, more] {
            leaves.extend(solve(branch).map(|part| Leaf {
                least: part.least.max(leaf.least),
                ..part
            }));
        }
    }
    let least = leaves.iter().map(|leaf| leaf.least).min()?;
    let proves = |condition: &Condition| {
        let alone = proven(
            std::slice::from_ref(condition),
            offers,
            &[1.0],
            &Branch {
                from: vec![0; offers.len()],
                to: vec![None; offers.len()],
            },
        );
        alone.unwrap_or(0)
    };
    let best = conditions
        .iter()
        .rev()
        .max_by_key(|condition| proves(condition));
    Some(LowerBound {
        price_milli: least.max(0),
        because: best.map(|condition| condition.because),
        fractions,
    })
}

fn common_divisor(left: i64, right: i64) -> i64 {
    if right == 0 {
        left
    } else {
        common_divisor(right, left % right)
    }
}

/// The type of which a leaf has the least whole number, if any is not whole.
fn fraction_of(leaf: &Leaf) -> Option<usize> {
    let parts = leaf.fractions.iter().enumerate();
    let off = |part: f64| (part - part.round()).abs();
    let parts = parts.filter(|(_, part)| off(**part) > 1e-6);
    parts
        .max_by(|(_, left), (_, right)| off(**left).total_cmp(&off(**right)))
        .map(|(index, _)| index)
}

/// Conditions that ask for something, each once.
fn strongest(conditions: &[Condition]) -> Vec<Condition> {
    let mut kept: Vec<Condition> = Vec::new();
    for condition in conditions.iter().filter(|condition| condition.least > 0) {
        let same =
            |other: &Condition| other.each == condition.each && other.least >= condition.least;
        if !kept.iter().any(same) {
            kept.push(condition.clone());
        }
    }
    kept
}

/// What mixes of a branch cost at least, and the best fractions. `None` if there are none.
fn solve(conditions: &[Condition], offers: &[Offer], branch: &Branch) -> Option<(i64, Vec<f64>)> {
    let types = offers.len();
    let empty = branch
        .from
        .iter()
        .zip(&branch.to)
        .any(|(from, to)| to.is_some_and(|to| to < *from));
    if empty {
        return None;
    }
    // What is bought in any case costs, and meets a part of each condition.
    let rest = |condition: &Condition| {
        let bought = condition.each.iter().zip(&branch.from);
        let bought: i128 = bought
            .map(|(each, from)| i128::from(*each) * i128::from(*from))
            .sum();
        i128::from(condition.least) - bought
    };
    let scale =
        |condition: &Condition| condition.each.iter().copied().max().unwrap_or(0).max(1) as f64;
    let limited: Vec<usize> = (0..types)
        .filter(|kind| branch.to[*kind].is_some())
        .collect();
    let mut gain: Vec<f64> = conditions
        .iter()
        .map(|one| rest(one) as f64 / scale(one))
        .collect();
    for kind in &limited {
        gain.push(-((branch.to[*kind].unwrap_or(0) - branch.from[*kind]) as f64));
    }
    let constraints: Vec<(Vec<f64>, f64)> = (0..types)
        .map(|kind| {
            let factors = conditions
                .iter()
                .map(|one| one.each[kind] as f64 / scale(one));
            let limits = limited
                .iter()
                .map(|other| if *other == kind { -1.0 } else { 0.0 });
            (
                factors.chain(limits).collect(),
                offers[kind].price_milli as f64,
            )
        })
        .collect();
    let Some(solved) = maximise(&gain, &constraints) else {
        return unsolved(conditions, offers, branch);
    };
    let weights = &solved.variables[..conditions.len()];
    let least = proven(conditions, offers, weights, branch)?;
    let more = solved.prices.iter().zip(&branch.from);
    Some((
        least,
        more.map(|(more, from)| more + *from as f64).collect(),
    ))
}

/// What is known where the program has no end: there is no such mix, if numbers that were rounded
/// can be trusted. Only what can be seen without them counts.
fn unsolved(
    conditions: &[Condition],
    offers: &[Offer],
    branch: &Branch,
) -> Option<(i64, Vec<f64>)> {
    let too_few = |one: &Condition| {
        let each = one.each.iter().zip(&branch.to);
        let most = each.map(|(each, to)| match (each, to) {
            (0, _) => Some(0),
            (each, to) => to.map(|to| i128::from(*each) * i128::from(to)),
        });
        let most: Option<i128> = most.sum();
        most.is_some_and(|most| most < i128::from(one.least))
    };
    if conditions.iter().any(too_few) {
        return None;
    }
    let bought = offers.iter().zip(&branch.from);
    let bought = bought.map(|(offer, from)| offer.price_milli * from).sum();
    let whole = branch.from.iter().map(|from| *from as f64).collect();
    Some((bought, whole))
}

/// What a mix of a branch must cost if each condition counts so much: in integers, with nothing
/// that was rounded in its favour.
fn proven(
    conditions: &[Condition],
    offers: &[Offer],
    weights: &[f64],
    branch: &Branch,
) -> Option<i64> {
    let largest = |condition: &Condition| {
        i128::from(condition.each.iter().copied().max().unwrap_or(0).max(1))
    };
    let price_max = offers
        .iter()
        .map(|offer| offer.price_milli)
        .max()
        .unwrap_or(0) as f64;
    let whole = |weight: &f64| (weight.clamp(0.0, 4.0 * price_max + 1.0) * ONE as f64) as i128;
    let mut weights: Vec<i128> = weights.iter().map(whole).collect();
    // What one machine of a type would count for, rounded up.
    let counts = |weights: &[i128], kind: usize| {
        let parts = conditions.iter().zip(weights);
        let parts = parts.map(|(one, weight)| {
            (weight * i128::from(one.each[kind]) + largest(one) - 1) / largest(one)
        });
        parts.sum::<i128>()
    };
    // Where any number may be bought, a machine may not count for more than its price.
    for (kind, offer) in offers.iter().enumerate() {
        let price = i128::from(offer.price_milli) * ONE;
        if branch.to[kind].is_some() {
            continue;
        }
        for _ in 0..3 {
            let counted = counts(&weights, kind);
            if counted > price {
                // Once more if rounding up still makes it too much.
                let factor = price.max(0) as f64 / counted as f64 * (1.0 - 1e-9);
                let shrink = |weight: &i128| (*weight as f64 * factor).max(0.0) as i128;
                weights = weights.iter().map(shrink).collect();
            }
        }
        if counts(&weights, kind) > price {
            weights.fill(0);
        }
    }
    let mut total = 0;
    for (kind, offer) in offers.iter().enumerate() {
        let price = i128::from(offer.price_milli) * ONE;
        let from = i128::from(branch.from[kind]);
        total += price * from;
        if let Some(to) = branch.to[kind] {
            let too_much = (counts(&weights, kind) - price).max(0);
            total -= too_much * (i128::from(to) - from);
        }
    }
    for (one, weight) in conditions.iter().zip(&weights) {
        let bought = one.each.iter().zip(&branch.from);
        let bought: i128 = bought
            .map(|(each, from)| i128::from(*each) * i128::from(*from))
            .sum();
        let rest = i128::from(one.least) - bought;
        total += (weight * rest).div_euclid(largest(one));
    }
    i64::try_from(total.div_euclid(ONE) + i128::from(total.rem_euclid(ONE) > 0)).ok()
}
