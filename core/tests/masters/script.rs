//! What scripted agents and schedulers say.

use crate::cluster::{Cluster, shared};
use std::time::Duration;
use tepui_core::ids::{AgentId, MasterId, Peer};
use tepui_core::message::agent::{AgentRun, Reregistration, ToAgent, ToMaster};
use tepui_core::message::scheduler::{self, Call, CallId};
use tepui_core::model::{AgentInfo, Capabilities, FrameworkInfo};
use tepui_core::resources::{Attributes, Resources, Role};

pub fn info(nonce: u64) -> AgentInfo {
    AgentInfo {
        id: None,
        hostname: format!("host-{nonce}"),
        ip: String::new(),
        port: 5051,
        resources: "cpus:4;mem:4096".parse::<Resources>().unwrap(),
        attributes: Attributes::default(),
        domain: None,
    }
}

pub fn register(nonce: u64) -> ToMaster {
    ToMaster::Register {
        info: shared(info(nonce)),
        run: AgentRun(1),
        nonce,
        kept: Resources::EMPTY,
    }
}

pub fn reregister(nonce: u64, id: &AgentId) -> ToMaster {
    let mut info = info(nonce);
    info.id = Some(id.clone());
    ToMaster::Reregister(shared(Reregistration {
        info: shared(info),
        run: AgentRun(1),
        tasks: Vec::new(),
        executors: Vec::new(),
        frameworks: Vec::new(),
        kept: Resources::EMPTY,
        operations: Vec::new(),
    }))
}

pub fn subscribe(id: u64) -> scheduler::ToMaster {
    scheduler::ToMaster {
        id: CallId(id),
        framework_id: None,
        call: Call::Subscribe {
            framework: shared(FrameworkInfo {
                id: None,
                user: "nobody".into(),
                name: "script".into(),
                roles: vec![Role::new("*").unwrap()],
                failover_timeout: Duration::from_secs(60),
                checkpoint: true,
                capabilities: Capabilities::default(),
                principal: None,
                hostname: "scheduler".into(),
                webui_url: None,
                verbatim: std::sync::Arc::default(),
            }),
            suppressed_roles: Vec::new(),
        },
    }
}

/// The id that an agent was given on this connection.
pub fn given_id(cluster: &Cluster, peer: Peer) -> Option<AgentId> {
    let said = cluster.to_agent(peer);
    said.into_iter().rev().find_map(|message| match message {
        ToAgent::Registered { agent_id, .. } => Some(agent_id.clone()),
        _ => None,
    })
}

/// Registers a new agent at `master` and waits for its id.
pub fn admit(cluster: &mut Cluster, master: MasterId, nonce: u64) -> (Peer, AgentId) {
    let peer = cluster.connect();
    cluster.agent_says(master, peer, register(nonce));
    cluster.run_until(Duration::from_secs(5), |c| given_id(c, peer).is_some());
    let id = given_id(cluster, peer).unwrap();
    (peer, id)
}

pub fn was_reregistered(cluster: &Cluster, peer: Peer) -> bool {
    let mut said = cluster.to_agent(peer).into_iter();
    said.any(|message| matches!(message, ToAgent::Reregistered { .. }))
}
