//! Reservations and volumes: made, offered, lost, reported, and told of.

mod asked;
mod volumes;

use super::harness::*;
use crate::ids::{AgentId, FrameworkId, OperationId, OperationUuid};
use crate::master::leading::Notice;
use crate::master::leading::{Config, Effect, OperateError, Probe};
use crate::message::agent::{AgentRun, OperationReport, Reregistration, ToAgent, ToMaster};
use crate::message::scheduler::{Call, Event, ToScheduler};
use crate::model::{
    Filters, FrameworkInfo, Offer, OfferOperation, OperationState, OperationStatus,
    ResourceOperation, TaskInfo, TaskState,
};
use crate::resources::{Disk, Reservation, ReservationType, ResourceKind, Resources, Volume};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

const HAS: &str = "cpus:4;mem:4096;disk:1000";

fn changed(text: &str, change: impl Fn(&mut ResourceKind)) -> Resources {
    let all = resources(text);
    Resources::new(all.iter().map(|item| {
        let mut item = item.clone();
        change(&mut item.kind);
        item
    }))
    .unwrap()
}

fn reserved(text: &str, role_name: &str) -> Resources {
    changed(text, |kind| {
        kind.reservations.push(Reservation {
            kind: ReservationType::Dynamic,
            role: role(role_name),
            principal: None,
            labels: Vec::new(),
        });
    })
}

fn volume(size: u32, id: &str, shared: bool) -> Resources {
    let space = reserved(&alloc::format!("disk:{size}"), "web");
    Resources::new(space.iter().map(|item| {
        let mut item = item.clone();
        item.kind.shared = shared;
        item.kind.disk = Some(Disk {
            volume: Some(Volume::new(id, "data")),
            source: None,
        });
        item
    }))
    .unwrap()
}

fn reserve(resources: &Resources) -> ResourceOperation {
    ResourceOperation::Reserve {
        source: Resources::EMPTY,
        resources: resources.clone(),
    }
}

fn create(volumes: &Resources) -> ResourceOperation {
    let volumes = volumes.clone();
    ResourceOperation::Create { volumes }
}

fn destroy(volumes: &Resources) -> ResourceOperation {
    let volumes = volumes.clone();
    ResourceOperation::Destroy { volumes }
}

fn unnamed(operation: ResourceOperation) -> OfferOperation {
    OfferOperation::Resources {
        id: None,
        operation,
    }
}

fn named(id: &str, operation: ResourceOperation) -> OfferOperation {
    OfferOperation::Resources {
        id: Some(operation_id(id)),
        operation,
    }
}

fn operation_id(id: &str) -> OperationId {
    OperationId::new(id).unwrap()
}

fn launch(tasks: &[TaskInfo]) -> OfferOperation {
    OfferOperation::Launch(tasks.iter().cloned().map(Arc::new).collect())
}

fn using(id: &str, agent: &AgentId, used: &Resources) -> TaskInfo {
    let mut info = task(id, agent);
    info.resources = used.clone();
    info
}

fn info() -> FrameworkInfo {
    let mut info = framework_info(None);
    info.capabilities.shared_resources = true;
    info
}

/// An agent with a disk at connection 1, a framework at connection 2, and what it was offered.
fn begun() -> (Harness, AgentId, FrameworkId, Arc<Offer>) {
    let mut harness = Harness::new(&Config::default());
    let mut described = agent_info(None);
    described.resources = resources(HAS);
    let agent = register(&mut harness, described);
    let framework = harness.subscribe(2, info());
    let offers = harness.offers();
    (harness, agent, framework, offers[0].clone())
}

fn register(harness: &mut Harness, described: crate::model::AgentInfo) -> AgentId {
    let message = ToMaster::Register {
        info: Arc::new(described),
        run: AgentRun(1),
        nonce: 1,
        kept: Resources::EMPTY,
    };
    harness.agent(1, message);
    let told = harness.take().into_iter().find_map(|effect| match effect {
        Effect::ToAgent {
            message: ToAgent::Registered { agent_id, .. },
            ..
        } => Some(agent_id),
        _ => None,
    });
    told.unwrap()
}

fn accept(harness: &mut Harness, from: u64, offer: &Offer, operations: Vec<OfferOperation>) {
    let call = Call::Accept {
        offer_ids: [offer.id.clone()].into(),
        operations,
        filters: Filters::DEFAULT,
    };
    harness.call(from, call);
}

/// What an agent was told to do with its resources.
fn asked(effects: &[Effect]) -> Vec<(OperationUuid, Arc<ResourceOperation>)> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::ToAgent {
            message: ToAgent::Operate {
                uuid, operation, ..
            },
            ..
        } => Some((*uuid, operation.clone())),
        _ => None,
    });
    asked.collect()
}

fn heard(effects: &[Effect]) -> Vec<OperationStatus> {
    let heard = effects.iter().filter_map(|effect| match effect {
        Effect::ToScheduler {
            message: ToScheduler::Event(Event::UpdateOperationStatus { status }),
            ..
        } => Some((**status).clone()),
        _ => None,
    });
    heard.collect()
}

fn states(effects: &[Effect]) -> Vec<OperationState> {
    heard(effects).iter().map(|status| status.state).collect()
}

fn outcome(
    harness: &Harness,
    uuid: OperationUuid,
    state: OperationState,
    update: u8,
) -> Arc<OperationReport> {
    let all = harness.leading.operations();
    let mut report = all
        .iter()
        .find(|report| report.uuid == uuid)
        .unwrap()
        .clone();
    report.status.state = state;
    report.status.update_id = Some(update_id(update));
    Arc::new(report)
}

fn returned(agent: &AgentId, kept: &Resources, run: u64) -> Reregistration {
    let mut report = reregistration(agent.as_str(), run, Vec::new());
    let mut described = agent_info(Some(agent.as_str()));
    described.resources = resources(HAS);
    report.info = Arc::new(described);
    report.kept = kept.clone();
    report
}

fn total(harness: &Harness, agent: &AgentId) -> Resources {
    harness.leading.agent(agent).unwrap().total
}
