//! Schedulers of frameworks.

use super::{Delivery, Payload, World};
use crate::machine::SimNode;
use crate::node::NodeIndex;
use tepui_core::scheduler::{Effect, Input};

impl World {
    pub(super) fn step_framework(&mut self, index: NodeIndex, delivery: Delivery) {
        let input = match delivery {
            Delivery::Tick => Input::Tick,
            Delivery::Persisted { up_to, .. } => Input::Persisted { up_to },
            Delivery::Connected { peer } => Input::Connected { peer },
            Delivery::Disconnected { peer } => Input::Disconnected { peer },
            Delivery::Message {
                peer,
                payload: Payload::MasterToScheduler(message),
            } => {
                self.observer.on_scheduler_event(self.now, index, &message);
                Input::FromMaster { peer, message }
            }
            Delivery::Request { body } => Input::Request { body },
            Delivery::Stop { teardown } => Input::Stop { teardown },
            other => unreachable!("nobody sends {other:?} to a scheduler"),
        };
        let node = &mut self.nodes[index.slot()];
        let now = node.clock.read(self.now);
        let Some(SimNode::Framework(framework)) = &mut node.machine else {
            unreachable!("the caller looked");
        };
        self.recorder.input(index, now, &input);
        framework.handle(now, input, &mut self.framework_fx);
        let mut effects = std::mem::take(&mut self.framework_scratch);
        self.framework_fx.swap_into(&mut effects);
        for effect in effects.drain(..) {
            if self.nodes[index.slot()].machine.is_none() {
                // It ended itself: the rest was never done.
                break;
            }
            self.trace.value(&effect);
            self.recorder.effect(index, &effect);
            self.on_framework_effect(index, effect);
        }
        self.framework_scratch = effects;
    }

    fn on_framework_effect(&mut self, index: NodeIndex, effect: Effect) {
        match effect {
            Effect::Connect { peer, address } => self.dial(index, peer, &address),
            Effect::Close { peer } => self.close_stream(index, peer),
            Effect::ToMaster { peer, message } => {
                self.observer.on_scheduler_call(self.now, index, &message);
                self.send_stream(index, peer, Payload::SchedulerToMaster(message));
            }
            Effect::Persist { sequence, write } => {
                self.persist_framework(index, sequence, write);
            }
            Effect::Notice(notice) => {
                self.observer.on_framework_notice(self.now, index, &notice);
            }
            Effect::Exit(exit) => {
                let text = format!("exits with status {}: {}", exit.code, exit.message);
                self.leave(index, &text);
            }
        }
    }
}
