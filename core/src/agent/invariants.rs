//! What is true of an agent after every input.

use super::executors::ExecutorState;
use super::node::{AgentNode, Stage, Timer};
use super::updates::PENDING_MAX;
use crate::invariant::{Cost, Invariant};
use alloc::format;
use alloc::string::{String, ToString};

/// An agent's promises.
pub const INVARIANTS: &[Invariant<AgentNode>] = &[
    Invariant {
        id: "agent.updates-only-to-a-leader",
        why: "No status update is in flight while no leader has taken the agent.",
        cost: Cost::Constant,
        holds: |agent| {
            let idle = agent.registration.registered().is_none();
            if idle && !agent.flights.is_empty() {
                return Err(format!("{} updates in flight", agent.flights.len()));
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.reports-only-when-recovered",
        why: "A master is asked only once it is known which tasks survived a restart.",
        cost: Cost::Constant,
        holds: |agent| {
            let early = matches!(agent.stage, Stage::Starting | Stage::Recovering);
            if early && agent.timers.at(&Timer::Registration).is_some() {
                return Err(String::from("looks for a master before it has recovered"));
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.only-the-head-in-flight",
        why: "Of a task's updates only the oldest unacknowledged one is in flight, so that they \
              arrive in order; what was acknowledged is never sent again.",
        cost: Cost::Linear,
        holds: |agent| {
            for ((framework_id, task_id), (update_id, _)) in &agent.flights {
                let task = agent.checkpoint.task(framework_id, task_id);
                let head = task.and_then(|task| task.updates.head()?.update_id);
                if head != Some(*update_id) {
                    return Err(format!(
                        "{framework_id}/{task_id}: {update_id} is not the head"
                    ));
                }
            }
            if agent.registration.registered().is_some() {
                for (framework_id, task_id, task) in agent.checkpoint.tasks() {
                    let key = (framework_id.clone(), task_id.clone());
                    let timer = Timer::Update(key.0.clone(), key.1.clone());
                    if task.updates.head().is_some()
                        && (!agent.flights.contains_key(&key) || agent.timers.at(&timer).is_none())
                    {
                        return Err(format!("{framework_id}/{task_id}: the head is forgotten"));
                    }
                }
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.terminal-is-final",
        why: "A task has one terminal update, and it is the last.",
        cost: Cost::Linear,
        holds: |agent| {
            for (framework_id, task_id, task) in agent.checkpoint.tasks() {
                let updates = &task.updates;
                let terminal = updates.pending().filter(|s| s.state.is_terminal()).count();
                let last = updates.pending().next_back().map(|s| s.state);
                let latest = updates.latest();
                let wrong = terminal > usize::from(latest.is_terminal())
                    || last.is_some_and(|last| last != latest)
                    || updates.pending().count() > PENDING_MAX + 1;
                if wrong {
                    return Err(format!("{framework_id}/{task_id}: {updates:?}"));
                }
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.live-task-has-its-executor",
        why: "Every task that is not over has an executor, of which exactly one run is there.",
        cost: Cost::Linear,
        holds: |agent| {
            if matches!(agent.stage, Stage::Starting | Stage::Ended) {
                return Ok(());
            }
            for (framework_id, task_id, task) in agent.checkpoint.tasks() {
                let launched = task.launched.as_ref();
                let executor =
                    launched.and_then(|l| agent.checkpoint.executor(framework_id, &l.executor_id));
                if task.is_live() && executor.is_none() {
                    return Err(format!("nothing runs {framework_id}/{task_id}"));
                }
            }
            for (framework_id, executor_id, executor) in agent.checkpoint.executors() {
                let run = agent.runs.get(&executor.container_id);
                let ours = run.is_some_and(|run| {
                    run.framework_id == *framework_id && run.executor_id == *executor_id
                });
                if !ours {
                    return Err(format!("{framework_id}/{executor_id} has no run"));
                }
            }
            let records = agent.checkpoint.executors().count();
            if records != agent.runs.len() {
                return Err(format!("{} runs of {records} executors", agent.runs.len()));
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.executor-connections-are-mutual",
        why: "Every executor has at most one connection, and every connection its executor.",
        cost: Cost::Linear,
        holds: |agent| {
            for (peer, container_id) in &agent.executor_peers {
                let run = agent.runs.get(container_id);
                if run.and_then(|run| run.peer) != Some(*peer) {
                    return Err(format!("{peer:?} is not {container_id}'s"));
                }
            }
            let connected = agent.runs.values().filter(|run| run.peer.is_some()).count();
            if connected != agent.executor_peers.len() {
                return Err(format!("{connected} executors think they are connected"));
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.ends-are-timed",
        why: "An executor that registers or ends is given a bounded time.",
        cost: Cost::Linear,
        holds: |agent| {
            for (container_id, run) in &agent.runs {
                let timer = Timer::Executor(container_id.clone());
                let timed = matches!(
                    run.state,
                    ExecutorState::Registering | ExecutorState::Terminating
                );
                if timed && agent.timers.at(&timer).is_none() {
                    return Err(format!("{container_id} may take for ever"));
                }
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.torn-down-has-no-tasks",
        why: "Nothing is kept of a framework that was torn down but its executors' ends.",
        cost: Cost::Linear,
        holds: |agent| {
            for (framework_id, framework) in &agent.checkpoint.frameworks {
                if framework.torn_down && !framework.tasks.is_empty() {
                    return Err(format!("{framework_id} still has tasks"));
                }
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.used-within-total",
        why: "Tasks that are not over and executors that are not ending use no more than the \
              agent has.",
        cost: Cost::Linear,
        holds: |agent| {
            if matches!(agent.stage, Stage::Starting | Stage::Ended) {
                return Ok(());
            }
            let used = agent.used().map_err(|error| error.to_string())?;
            if !agent.total.contains_single(&used) {
                return Err(format!("{used} of {}", agent.total));
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.operations-keep-quantities",
        why: "What an agent has is what its flags say, with the reservations and volumes that its \
              journal remembers made of it: operations change what resources are, never how much \
              there is.",
        cost: Cost::Linear,
        holds: |agent| {
            if matches!(agent.stage, Stage::Starting | Stage::Ended) {
                return Ok(());
            }
            let base = agent.info.resources.unallocated();
            let remade = base.remade(&agent.checkpoint.kept);
            let remade = remade.map_err(|error| error.to_string())?;
            if remade != agent.total || remade.quantities() != base.quantities() {
                return Err(format!("{} of {base}, remembered as {remade}", agent.total));
            }
            Ok(())
        },
    },
    Invariant {
        id: "agent.outcomes-are-told",
        why: "While a leader has taken the agent, every operation's outcome is in flight to it \
              until that is acknowledged, and is sent again in time.",
        cost: Cost::Linear,
        holds: |agent| {
            let registered = agent.registration.registered().is_some();
            if !registered && !agent.operation_flights.is_empty() {
                return Err(String::from("outcomes are in flight to nobody"));
            }
            for uuid in agent.checkpoint.operations.keys() {
                let timed = agent.timers.at(&Timer::Operation(*uuid)).is_some();
                if registered && !(timed && agent.operation_flights.contains_key(uuid)) {
                    return Err(format!("the outcome of {uuid} is forgotten"));
                }
            }
            Ok(())
        },
    },
];
