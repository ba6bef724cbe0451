//! Masters of whole clusters.

use super::log_node::{lane_number, lane_of};
use super::{Delivery, Payload, World};
use crate::machine::SimNode;
use crate::node::NodeIndex;
use tepui_core::machine::Machine as _;
use tepui_core::master::{Effect, Input, Notice};
use tepui_core::message::operator::{Answer, Refusal, RequestId};

impl World {
    pub(super) fn step_master(&mut self, index: NodeIndex, delivery: Delivery) {
        let input = match delivery {
            Delivery::Tick => Input::Tick,
            Delivery::Datagram { from, message } => Input::FromMaster { from, message },
            Delivery::LinkBroken { with } => Input::LinkBroken { with },
            Delivery::Persisted { lane, up_to } => Input::Persisted {
                lane: lane_of(lane),
                up_to,
            },
            Delivery::Disconnected { peer } => Input::Disconnected { peer },
            Delivery::Operator { id, request } => {
                self.observer.on_operator_request(id, &request);
                Input::Operator { id, request }
            }
            Delivery::Message { peer, payload } => match payload {
                Payload::AgentToMaster(message) => Input::FromAgent { peer, message },
                Payload::SchedulerToMaster(message) => Input::FromScheduler { peer, message },
                other => unreachable!("nobody sends {other:?} to a master"),
            },
            other => unreachable!("nobody sends {other:?} to a master"),
        };
        let node = &mut self.nodes[index.slot()];
        let now = node.clock.read(self.now);
        let Some(SimNode::Master(master)) = &mut node.machine else {
            unreachable!("the caller looked");
        };
        self.recorder.input(index, now, &input);
        master.handle(now, input, &mut self.master_fx);
        self.settle_master(index);
    }

    /// Does what a master wants done.
    pub(super) fn settle_master(&mut self, index: NodeIndex) {
        let mut effects = std::mem::take(&mut self.master_scratch);
        self.master_fx.swap_into(&mut effects);
        for effect in effects.drain(..) {
            if self.nodes[index.slot()].machine.is_none() {
                // It ended itself: the rest was never done.
                break;
            }
            self.trace.value(&effect);
            self.recorder.effect(index, &effect);
            self.on_master_effect(index, effect);
        }
        self.master_scratch = effects;
        if let Some(SimNode::Master(master)) = &self.nodes[index.slot()].machine {
            self.observer.on_replica(self.now, index, master.log());
            self.observer.on_registry(self.now, index, master);
        }
    }

    /// What an operator is told, for the timeline.
    fn on_operator_answer(
        &mut self,
        index: NodeIndex,
        id: RequestId,
        answer: &Result<Answer, Refusal>,
    ) {
        let told = match answer {
            Ok(_) => format!("{id} is done"),
            Err(refusal) => format!("{id} is refused: {refusal}"),
        };
        self.observer
            .on_operator_answer(self.now, index, id, answer, &told);
    }

    fn on_master_effect(&mut self, index: NodeIndex, effect: Effect) {
        match effect {
            Effect::ToMaster { to, message } => {
                let learned = match &self.nodes[index.slot()].machine {
                    Some(SimNode::Master(master)) => master.log().learned_through(),
                    _ => unreachable!("only masters speak to masters"),
                };
                self.observer
                    .on_log_message(self.now, index, learned, &message);
                self.send_datagram(index, to, message);
            }
            Effect::ToAgent { peer, message } => {
                self.observer.on_master_to_agent(self.now, index, &message);
                self.send_stream(index, peer, Payload::MasterToAgent(message));
            }
            Effect::ToScheduler { peer, message } => {
                self.observer
                    .on_master_to_scheduler(self.now, index, &message);
                self.send_stream(index, peer, Payload::MasterToScheduler(message));
            }
            Effect::Close { peer } => self.close_stream(index, peer),
            Effect::Persist {
                lane,
                sequence,
                write,
            } => self.persist_master(index, lane_number(lane), sequence, write),
            Effect::Membership(_) => {}
            Effect::Notice(Notice::Log(notice)) => {
                self.observer.on_log_notice(self.now, index, &notice);
            }
            Effect::Notice(notice) => self.observer.on_master_notice(self.now, index, &notice),
            Effect::ToOperator { id, answer } => self.on_operator_answer(index, id, &answer),
            Effect::Halt(fatal) => self.halt(index, &format!("{fatal:?}")),
        }
    }
}
