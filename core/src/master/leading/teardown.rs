//! The end of a framework, whether it asked for it or stayed away too long.

use super::arena::Index;
use super::frameworks::{EndedFramework, Framework};
use super::notice::Notice;
use super::tasks::made_up;
use super::{Effect, Leading, Timer};
use crate::message::agent::ToAgent;
use crate::model::{Reason, TaskState};
use crate::outbox::Outbox;
use crate::time::Now;
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Leading {
    /// Ends a framework for ever: its offers are void, its tasks and executors are ended by their
    /// agents, now or when these return.
    pub(super) fn end_framework(
        &mut self,
        now: Now,
        index: Index<Framework>,
        timed_out: bool,
        fx: &mut Outbox<Effect>,
    ) {
        self.withdraw_framework(index);
        let framework_id = self.frameworks.arena[index].id.clone();
        for agent in self.frameworks.arena[index].presence.clone().into_keys() {
            if let Some(peer) = self.agents.arena[agent].peer {
                let framework_id = framework_id.clone();
                let message = ToAgent::ShutdownFramework { framework_id };
                fx.push(Effect::ToAgent { peer, message });
            }
            let executors = self.agents.arena[agent].executors.keys();
            let own: Vec<_> = executors.filter(|key| key.0 == index).cloned().collect();
            for (framework, executor) in own {
                self.remove_executor(agent, framework, &executor);
            }
        }
        let tasks: Vec<_> = self.frameworks.arena[index]
            .tasks
            .values()
            .copied()
            .collect();
        let message = alloc::format!("Framework {framework_id} removed");
        for task in tasks {
            if self.tasks[task]
                .state
                .may_become_at_master(TaskState::Killed)
            {
                let reason = Reason::FrameworkRemoved;
                let id = self.tasks[task].info.task_id.clone();
                let mut status = made_up(now, id, TaskState::Killed, reason, &message);
                status.agent_id = Some(self.tasks[task].info.agent_id.clone());
                self.tasks[task].history.note(&Arc::new(status));
                self.set_state(now, task, TaskState::Killed, Some(reason), fx);
            }
            self.remove_task(now, task);
        }
        self.forget_framework(now, index, fx);
        fx.push(Effect::Notice(Notice::FrameworkRemoved {
            framework_id,
            timed_out,
        }));
    }

    fn forget_framework(&mut self, now: Now, index: Index<Framework>, fx: &mut Outbox<Effect>) {
        self.allocation.remove_framework(index);
        self.timers.cancel(&Timer::Failover(index));
        self.timers.cancel(&Timer::Heartbeat(index));
        let framework = self.frameworks.arena.remove(index);
        let framework = framework.expect("whoever ends it knows it");
        assert!(
            framework.tasks.is_empty() && framework.presence.is_empty(),
            "nothing is left of a framework that ended"
        );
        self.frameworks.by_id.remove(&framework.id);
        self.forget_answers(&framework.id);
        self.frameworks.remember_removed(framework.id);
        if let Some(peer) = framework.peer {
            self.peers.remove(&peer);
            fx.push(Effect::Close { peer });
        }
        let ended = EndedFramework {
            info: framework.info,
            completed: framework.completed,
            registered_at: framework.registered_at,
            subscribed_at: framework.subscribed_at,
            ended_at: now.wall,
        };
        self.frameworks.keep_completed(ended, &self.config);
    }
}
