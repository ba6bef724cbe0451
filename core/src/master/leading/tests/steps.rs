//! What may happen in a random conversation.

use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

/// One thing that happens; numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Register {
        peer: u64,
        nonce: u64,
        run: u64,
    },
    Reregister {
        peer: u64,
        agent: usize,
        run: u64,
        tasks: Vec<(usize, usize, usize)>,
        small: bool,
    },
    Pong {
        peer: u64,
    },
    Update {
        peer: u64,
        framework: usize,
        task: usize,
        state: usize,
        latest: usize,
        id: Option<u8>,
    },
    Exited {
        peer: u64,
        framework: usize,
    },
    Unregister {
        peer: u64,
    },
    Subscribe {
        peer: u64,
        framework: Option<usize>,
        aware: bool,
        two: bool,
    },
    Teardown {
        peer: u64,
    },
    Accept {
        peer: u64,
        offer: usize,
        tasks: Vec<(usize, bool)>,
        group: bool,
    },
    Decline {
        peer: u64,
        offer: usize,
    },
    Suppress {
        peer: u64,
        revive: bool,
    },
    Kill {
        peer: u64,
        task: usize,
        agent: Option<usize>,
    },
    Acknowledge {
        peer: u64,
        agent: usize,
        task: usize,
        id: u8,
    },
    Reconcile {
        peer: u64,
        task: usize,
        agent: Option<usize>,
        all: bool,
    },
    Gone {
        agent: usize,
    },
    Disconnect {
        peer: u64,
    },
    Store,
    RefuseStore,
    Wait {
        millis: u64,
    },
    FailOver,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let agent_peer = 0..4_u64;
    let scheduler_peer = 4..8_u64;
    let any_peer = 0..8_u64;
    let reports = prop::collection::vec((0..3_usize, 0..4_usize, 0..14_usize), 0..4);
    prop_oneof![
        6 => (agent_peer.clone(), 0..4_u64, 1..3_u64)
            .prop_map(|(peer, nonce, run)| Step::Register { peer, nonce, run }),
        6 => (agent_peer.clone(), 0..4_usize, 1..3_u64, reports, any::<bool>()).prop_map(
            |(peer, agent, run, tasks, small)| Step::Reregister { peer, agent, run, tasks, small }
        ),
        4 => any_peer.clone().prop_map(|peer| Step::Pong { peer }),
        10 => (agent_peer.clone(), 0..3_usize, 0..4_usize, 0..14_usize, 0..14_usize,
            prop::option::of(0..3_u8))
            .prop_map(|(peer, framework, task, state, latest, id)| Step::Update {
                peer, framework, task, state, latest, id
            }),
        1 => (agent_peer.clone(), 0..3_usize)
            .prop_map(|(peer, framework)| Step::Exited { peer, framework }),
        1 => agent_peer.prop_map(|peer| Step::Unregister { peer }),
        6 => (scheduler_peer.clone(), prop::option::of(0..3_usize), any::<bool>(), any::<bool>())
            .prop_map(|(peer, framework, aware, two)| Step::Subscribe {
                peer, framework, aware, two
            }),
        1 => scheduler_peer.clone().prop_map(|peer| Step::Teardown { peer }),
        12 => (scheduler_peer.clone(), 0..6_usize,
            prop::collection::vec((0..4_usize, any::<bool>()), 0..3), any::<bool>())
            .prop_map(|(peer, offer, tasks, group)| Step::Accept { peer, offer, tasks, group }),
        3 => (scheduler_peer.clone(), 0..6_usize)
            .prop_map(|(peer, offer)| Step::Decline { peer, offer }),
        1 => (scheduler_peer.clone(), any::<bool>())
            .prop_map(|(peer, revive)| Step::Suppress { peer, revive }),
        2 => (scheduler_peer.clone(), 0..4_usize, prop::option::of(0..4_usize))
            .prop_map(|(peer, task, agent)| Step::Kill { peer, task, agent }),
        4 => (scheduler_peer.clone(), 0..4_usize, 0..4_usize, 0..3_u8)
            .prop_map(|(peer, agent, task, id)| Step::Acknowledge { peer, agent, task, id }),
        2 => (scheduler_peer, 0..4_usize, prop::option::of(0..4_usize), any::<bool>())
            .prop_map(|(peer, task, agent, all)| Step::Reconcile { peer, task, agent, all }),
        1 => (0..4_usize).prop_map(|agent| Step::Gone { agent }),
        4 => any_peer.prop_map(|peer| Step::Disconnect { peer }),
        14 => Just(Step::Store),
        1 => Just(Step::RefuseStore),
        10 => (0..40_000_u64).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::FailOver),
    ]
}
