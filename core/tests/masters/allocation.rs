//! What masters do most often allocates nothing: a heartbeat, its answer, a ping's answer.
#![allow(unsafe_code)]

use crate::cluster::Cluster;
use crate::script::admit;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tepui_core::ids::MasterId;
use tepui_core::log::Message;
use tepui_core::machine::Machine;
use tepui_core::master::{Effect, Input, MasterNode};
use tepui_core::message::agent::ToMaster;
use tepui_core::outbox::Outbox;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts what each thread asks for.
struct Counting;

// SAFETY: everything is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more, and nothing to count.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

/// How often `master` allocates while it handles `input`, once its buffers are warm.
fn allocations(cluster: &Cluster, master: MasterId, input: &Input) -> (u64, Vec<Effect>) {
    let mut node = cluster.node(master).clone();
    let now = cluster.moment_after(Duration::ZERO);
    let mut fx = Outbox::new(MasterNode::EFFECTS_MAX);
    for _ in 0..3 {
        node.handle(now, input.clone(), &mut fx);
        fx.drain().for_each(drop);
    }
    let again = input.clone();
    let before = ALLOCATIONS.get();
    node.handle(now, again, &mut fx);
    let counted = ALLOCATIONS.get() - before;
    (counted, fx.drain().collect())
}

#[test]
fn the_counter_counts() {
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(Box::new(1)));
    assert!(ALLOCATIONS.get() > before);
}

#[test]
fn heartbeats_and_their_answers_allocate_nothing() {
    let mut cluster = Cluster::start(3, 1);
    let leader = cluster.elect();
    cluster.run_for(Duration::from_secs(1));
    let heard: Rc<RefCell<Vec<(MasterId, MasterId, Message)>>> = Rc::default();
    let tap = heard.clone();
    cluster.lose(move |from, to, message| {
        tap.borrow_mut().push((from, to, message.clone()));
        false
    });
    cluster.run_for(Duration::from_millis(120));
    let mut kinds = [0; 2];
    for (from, to, message) in heard.borrow().iter() {
        let kind = match message {
            Message::Heartbeat { .. } => 0,
            Message::HeartbeatAck { .. } => 1,
            _ => continue,
        };
        let (from, message) = (*from, message.clone());
        let input = Input::FromMaster { from, message };
        let (counted, effects) = allocations(&cluster, *to, &input);
        assert_eq!(counted, 0, "{input:?} at {to}");
        if kind == 0 {
            assert_eq!(effects.len(), 1, "a heartbeat is answered: {effects:?}");
        }
        kinds[kind] += 1;
    }
    assert!(kinds[0] >= 2 && kinds[1] >= 2, "{kinds:?}");
    assert_eq!(cluster.serving(), [leader]);
}

#[test]
fn a_pings_answer_allocates_nothing() {
    let mut cluster = Cluster::start(1, 1);
    let leader = cluster.elect();
    let (peer, _) = admit(&mut cluster, leader, 1);
    let message = ToMaster::Pong;
    let input = Input::FromAgent { peer, message };
    let (counted, _) = allocations(&cluster, leader, &input);
    assert_eq!(counted, 0);
}
