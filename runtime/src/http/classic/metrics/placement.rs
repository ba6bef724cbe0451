//! How fragmented a cluster is, what is stranded, and what still fits: by the code that orders
//! agents and plans capacity.
//!
//! Computed when asked for, out of what the node told, away from the node.

use super::{Seen, is_active};
use std::collections::BTreeMap;
use tepui_core::allocator::CLASSES_MAX;
use tepui_core::ids::AgentId;
use tepui_core::placement::{Amounts, Capacity, Free, Outlook, Shape};
use tepui_core::resources::Resources;

/// Tells all of it.
pub(super) fn tell(seen: &Seen, add: &mut impl FnMut(&str, f64)) {
    if !seen.elected {
        return;
    }
    let outlook = Outlook::of(&idle(seen), &seen.mix, CLASSES_MAX);
    let of_idle = |part: f64, idle: i64| if idle > 0 { part / idle as f64 } else { 0.0 };
    let fragments = outlook.fragment_milli();
    let idle = outlook.idle.gpu_milli;
    add("allocator/fragmentation/gpu_milli", fragments);
    add("allocator/fragmentation/gpu_milli_idle", idle as f64);
    add(
        "allocator/fragmentation/gpu_percent",
        of_idle(fragments, idle),
    );
    let (all, stranded) = (named(&outlook.idle), named(&outlook.stranded));
    for ((name, unit, idle), (_, _, stranded)) in all.into_iter().zip(stranded) {
        let at = format!("allocator/stranded/{name}");
        add(&at, stranded as f64 / unit);
        add(&format!("{at}_idle"), idle as f64 / unit);
        add(&format!("{at}_percent"), of_idle(stranded as f64, idle));
    }
    let mut full = 0;
    for room in &outlook.rooms {
        let at = format!("allocator/headroom/{}", path(&room.shape));
        add(&format!("{at}/fits"), room.fits as f64);
        add(&format!("{at}/tasks"), room.tasks as f64);
        full += u32::from(room.fits == 0);
    }
    add("allocator/headroom/shapes", outlook.rooms.len() as f64);
    add("allocator/headroom/shapes_full", f64::from(full));
    let least = outlook.rooms.iter().map(|room| room.fits).min();
    add("allocator/headroom/least_fits", least.unwrap_or(0) as f64);
}

/// What no task uses of each agent that takes some, offered or not.
fn idle(seen: &Seen) -> Vec<Free> {
    let mut offered: BTreeMap<&AgentId, Resources> = BTreeMap::new();
    for offer in &seen.offers {
        let sum = offered.entry(&offer.agent_id).or_default();
        // Two offers of one agent are parts of it, and always add up.
        if let Ok(both) = sum.checked_add(&offer.resources.unallocated()) {
            *sum = both;
        }
    }
    let active = seen.agents.iter().filter(|agent| is_active(seen, agent));
    let idle = active.map(|agent| {
        let all = match offered.get(&agent.id) {
            Some(offered) if agent.free.is_empty() => offered.clone(),
            Some(offered) => agent.free.checked_add(offered).unwrap_or_default(),
            None => agent.free.clone(),
        };
        let lasting = all.filter(|item| !item.kind.revocable && !item.kind.shared);
        Free::all_of(&Capacity::of(&lasting))
    });
    idle.collect()
}

/// Amounts by name, with how many make one as people count.
fn named(amounts: &Amounts) -> [(&'static str, f64, i64); 5] {
    [
        ("cpus", 1e3, amounts.cpu_milli),
        ("disk", 1.0, amounts.disk_mib),
        ("gpus", 1e3, amounts.gpu_milli),
        ("mem", 1.0, amounts.memory_mib),
        ("ports", 1.0, amounts.ports),
    ]
}

/// A shape as a part of a metric's name: `cpus_0.5_mem_128_gpus_1`.
fn path(shape: &Shape) -> String {
    let amounts = [
        ("cpus", shape.cpu_milli as f64 / 1e3),
        ("mem", shape.memory_mib as f64),
        ("disk", shape.disk_mib as f64),
        ("ports", shape.ports as f64),
        ("gpus", f64::from(shape.gpus)),
    ];
    let there = amounts.iter().filter(|(_, amount)| *amount > 0.0);
    let parts: Vec<String> = there
        .map(|(name, amount)| format!("{name}_{amount}"))
        .collect();
    if parts.is_empty() {
        return String::from("nothing");
    }
    parts.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_parts_of_paths() {
        let path = |text: &str| path(&Shape::of(&text.parse().unwrap()));
        assert_eq!(path("mem:128;cpus:0.5;gpus:1"), "cpus_0.5_mem_128_gpus_1");
        assert_eq!(path("disk:1;ports:[3-4]"), "disk_1_ports_2");
        assert_eq!(path("licences:1"), "nothing");
    }
}
