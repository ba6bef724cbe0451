//! What only a leader knows: its allocator, its frameworks, operations on resources.

use super::Seen;
use crate::http::master::MasterHttp;
use crate::node::counters::Book;
use crate::node::counters::frameworks::OPERATIONS;
use std::collections::BTreeMap;
use tepui_core::model::OperationState;
use tepui_core::resources::Quantities;

/// Tells all of it.
pub(super) fn tell(master: &MasterHttp, seen: &Seen, add: &mut impl FnMut(&str, f64)) {
    // Nobody writes it while it is read; a copy lets the node go on at once.
    let book = master.counters.book().clone();
    of_times(&book, add);
    if !seen.elected {
        return;
    }
    let cancelled = master.counters.value("master/slave_unreachable_canceled");
    let completed = master.counters.value("master/slave_unreachable_completed");
    let scheduled = cancelled + completed + seen.removals_waiting as u64;
    add("master/slave_unreachable_scheduled", scheduled as f64);
    of_allocator(seen, add);
    of_quota(seen, add);
    of_operations(&book, seen, add);
    if master.about.per_framework_metrics {
        of_frameworks(&book, seen, add);
    }
}

fn of_times(book: &Book, add: &mut impl FnMut(&str, f64)) {
    let named = [
        ("allocator/mesos/allocation_run_ms", &book.allocation_run),
        (
            "allocator/mesos/allocation_run_latency_ms",
            &book.allocation_latency,
        ),
        ("registrar/state_store_ms", &book.state_store),
        ("registrar/state_fetch_ms", &book.state_fetch),
    ];
    for (name, timings) in named {
        timings.tell(name, add);
    }
}

fn of_allocator(seen: &Seen, add: &mut impl FnMut(&str, f64)) {
    let figures = &seen.allocator;
    add("allocator/mesos/allocation_runs", figures.runs as f64);
    // The root of all roles has no name.
    let mut whole = Quantities::ZERO;
    for figures in &figures.roles {
        let role = &figures.role;
        add(
            &format!("allocator/mesos/roles/{role}/shares/dominant"),
            figures.share,
        );
        let filters = format!("allocator/mesos/offer_filters/roles/{role}/active");
        add(&filters, figures.filters as f64);
        amounts(&role.to_string(), "consumed", &figures.consumed, add);
        if role.parent().is_none() {
            whole.add(&figures.consumed);
        }
    }
    amounts("", "consumed", &whole, add);
}

fn amounts(role: &str, kind: &str, amounts: &Quantities, add: &mut impl FnMut(&str, f64)) {
    for (name, milli) in amounts.iter() {
        let name = format!("allocator/mesos/quota/roles/{role}/resources/{name}/{kind}");
        add(&name, milli as f64 / 1e3);
    }
}

fn of_quota(seen: &Seen, add: &mut impl FnMut(&str, f64)) {
    for (role, quota) in &seen.quotas {
        amounts(role.as_str(), "guarantee", &quota.guarantees, add);
        let at = |name: &str, kind: &str| {
            format!("allocator/mesos/quota/roles/{role}/resources/{name}/{kind}")
        };
        for (name, limit) in quota.limits.iter() {
            add(&at(name, "limit"), limit.to_f64());
        }
        let figures = seen
            .allocator
            .roles
            .iter()
            .find(|known| known.role == *role);
        let held = |name: &str| figures.map_or(0, |figures| figures.held.milli(name));
        let guaranteed = quota.guarantees.iter().map(|(name, _)| name);
        let limited = quota.limits.iter().map(|(name, _)| name);
        for name in guaranteed.chain(limited) {
            let held = held(name) as f64 / 1e3;
            add(&at(name, "offered_or_allocated"), held);
        }
    }
}

/// Operations that frameworks or operators can ask for; launches are counted as tasks.
fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS
        .iter()
        .copied()
        .filter(|name| !name.starts_with("launch"))
}

fn of_operations(book: &Book, seen: &Seen, add: &mut impl FnMut(&str, f64)) {
    use OperationState as S;
    const NOW: [(&str, S); 3] = [
        ("pending", S::Pending),
        ("recovering", S::Recovering),
        ("unreachable", S::Unreachable),
    ];
    const ENDED: [(&str, S); 5] = [
        ("finished", S::Finished),
        ("failed", S::Failed),
        ("error", S::Error),
        ("dropped", S::Dropped),
        ("gone_by_operator", S::GoneByOperator),
    ];
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for name in names() {
        let known = seen.operations.iter();
        let known = known.filter(|((known, _), _)| known.eq_ignore_ascii_case(name));
        let mut total = 0;
        for ((_, state), count) in known {
            total += *count as u64;
            if let Some((now, _)) = NOW.iter().find(|(_, known)| known == state) {
                *counts.entry((name, now)).or_default() += *count as u64;
            }
        }
        counts.insert((name, "total"), total);
        for (ended, state) in ENDED {
            let key = (name.to_owned(), state);
            let count = book.operations_ended.get(&key).copied().unwrap_or_default();
            counts.insert((name, ended), count);
        }
    }
    let states = NOW.iter().chain(&ENDED).map(|(state, _)| *state);
    for state in states.chain(["total"]) {
        let mut sum = 0;
        for name in names() {
            let count = counts.get(&(name, state)).copied().unwrap_or_default();
            add(&format!("master/operations/{name}/{state}"), count as f64);
            sum += count;
        }
        add(&format!("master/operations/{state}"), sum as f64);
    }
}

fn of_frameworks(book: &Book, seen: &Seen, add: &mut impl FnMut(&str, f64)) {
    for framework in &seen.frameworks {
        let Some(id) = &framework.info.id else {
            continue;
        };
        let name = encoded(&framework.info.name);
        let prefix = format!("master/frameworks/{name}/{id}/");
        let subscribed = f64::from(u8::from(framework.subscribed));
        add(&format!("{prefix}subscribed"), subscribed);
        for role in &framework.info.roles {
            let suppressed = f64::from(u8::from(framework.suppressed.contains(role)));
            add(&format!("{prefix}roles/{role}/suppressed"), suppressed);
        }
        if let Some(counts) = book.frameworks.get(id) {
            counts.tell(&prefix, add);
        }
    }
}

/// A name as a part of a path.
fn encoded(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parts_of_paths() {
        assert_eq!(
            encoded("mesos-execute instance"),
            "mesos-execute%20instance"
        );
        assert_eq!(encoded("a/b_c.d~é"), "a%2Fb_c.d~%C3%A9");
    }

    #[test]
    fn every_operation_is_told_in_every_state() {
        let mut all = BTreeMap::new();
        let mut seen = Seen::default();
        let finished = ("GROW_VOLUME", OperationState::Finished);
        seen.operations.insert(finished, 2);
        let mut book = Book::default();
        let key = ("grow_volume".to_owned(), OperationState::Finished);
        book.operations_ended.insert(key, 5);
        of_operations(&book, &seen, &mut |name: &str, value| {
            all.insert(name.to_owned(), value);
        });
        assert_eq!(all.len(), 9 * 9);
        assert_eq!(all["master/operations/grow_volume/total"], 2.0);
        assert_eq!(all["master/operations/finished"], 5.0);
        assert_eq!(all["master/operations/pending"], 0.0);
    }
}
