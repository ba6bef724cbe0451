//! What operators ask for.

use super::harness::{
    Harness, agent_id, agent_info, framework_info, peer, reregistration, resources, role, status,
};
use crate::ids::AgentId;
use crate::master::leading::{Config, Effect};
use crate::message::agent::{AgentRun, ToAgent, ToMaster};
use crate::message::operator::{Amount, Answer, QuotaConfig, Refusal, Request, WeightConfig};
use crate::message::scheduler::{Call, Event, ToScheduler};
use crate::model::{
    DrainConfig, DrainState, Filters, InverseOfferAnswer, MachineId, TaskState, Unavailability,
    Window,
};
use crate::resources::Scalar;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

pub(super) const DONE: Option<Result<Answer, Refusal>> = Some(Ok(Answer::Done));

fn amounts(text: &str) -> Vec<Amount> {
    let all = resources(text);
    all.quantities()
        .iter()
        .map(|(name, milli)| Amount {
            name: name.to_string(),
            value: milli as f64 / 1000.0,
        })
        .collect()
}

pub(super) fn quota(role: &str, guarantees: &str, limits: &str) -> QuotaConfig {
    QuotaConfig {
        role: role.to_string(),
        guarantees: amounts(guarantees),
        limits: amounts(limits),
    }
}

pub(super) fn update(configs: &[QuotaConfig], force: bool) -> Request {
    Request::UpdateQuota {
        configs: configs.to_vec(),
        force,
    }
}

pub(super) fn drain(agent_id: &AgentId, mark_gone: bool) -> Request {
    Request::DrainAgent {
        agent_id: agent_id.clone(),
        config: DrainConfig {
            max_grace_period: Some(Duration::from_secs(5)),
            mark_gone,
        },
    }
}

pub(super) fn machine(hostname: &str) -> MachineId {
    MachineId {
        hostname: hostname.to_string(),
        ip: alloc::string::String::new(),
    }
}

pub(super) fn schedule(hostname: &str) -> Request {
    Request::UpdateMaintenanceSchedule {
        windows: vec![Window {
            machines: vec![machine(hostname)],
            unavailability: Unavailability {
                start_nanos: 7,
                duration_nanos: None,
            },
        }],
    }
}

pub(super) fn reregister(harness: &mut Harness, from: u64, id: &AgentId) {
    let report = Arc::new(reregistration(id.as_str(), 1, Vec::new()));
    harness.agent(from, ToMaster::Reregister(report));
    harness.agent(from, ToMaster::Pong);
}

/// Status and reason of a refusal.
fn refused(harness: &mut Harness, request: Request) -> (u16, alloc::string::String) {
    let refusal = harness.operator(request).unwrap().unwrap_err();
    (refusal.status(), refusal.to_string())
}

pub(super) fn offered(harness: &mut Harness) -> Vec<alloc::string::String> {
    harness.wait(Duration::from_secs(2));
    let offers = harness.leading.standing_offers();
    offers
        .map(|(_, offer)| offer.resources.to_string())
        .collect()
}

#[test]
fn refusals_say_what_mesos_says() {
    let mut harness = Harness::new(&Config::default());
    let stranger = agent_id("nope");
    let nowhere = || MachineId {
        hostname: "x".to_string(),
        ip: "1.2.3.4".to_string(),
    };
    for (request, status, why) in [
        (drain(&stranger, false), 400, "Unknown agent"),
        (
            Request::MarkAgentGone {
                agent_id: stranger.clone(),
            },
            404,
            "Agent 'nope' not found",
        ),
        (
            Request::ReactivateAgent { agent_id: stranger },
            400,
            "Agent is not deactivated",
        ),
        (
            Request::Teardown {
                framework_id: super::harness::framework_id("nope"),
            },
            400,
            "No framework found with specified ID",
        ),
        (
            Request::StartMaintenance {
                machines: vec![nowhere()],
            },
            400,
            "Machine '{\"hostname\":\"x\",\"ip\":\"1.2.3.4\"}' is not part of a maintenance \
             schedule",
        ),
        (
            Request::UpdateMaintenanceSchedule {
                windows: vec![Window::default()],
            },
            400,
            "List of machines in the maintenance window is empty",
        ),
    ] {
        assert_eq!(refused(&mut harness, request), (status, why.to_string()));
    }
    assert!(harness.stores.is_empty(), "what is refused is not stored");
}

#[test]
fn bad_weights_and_quotas_are_refused_in_mesos_words() {
    let mut harness = Harness::new(&Config::default());
    let weight = |weight| Request::UpdateWeights {
        weights: vec![WeightConfig {
            role: "r1".to_string(),
            weight,
        }],
    };
    for (request, status, why) in [
        (
            weight(-1.0),
            400,
            "Failed to validate update weights request JSON for role 'r1': Invalid weight '-1': \
             Weights must be positive",
        ),
        (
            Request::SetQuota {
                role: "r".to_string(),
                guarantee: Vec::new(),
                force: false,
            },
            400,
            "Failed to validate set quota request: QuotaInfo with empty 'guarantee'",
        ),
        (
            Request::RemoveQuota {
                role: "r2".to_string(),
                path: Some("/master/quota/r2".to_string()),
            },
            400,
            "Failed to remove quota for path '/master/quota/r2': Role 'r2' has no quota set",
        ),
    ] {
        assert_eq!(refused(&mut harness, request), (status, why.to_string()));
    }
}

#[test]
fn quota_is_checked_against_capacity_and_use_unless_it_is_forced() {
    let mut harness = Harness::new(&Config::default());
    harness.register(1);
    let large = [quota("web", "cpus:5", "")];
    let (code, why) = refused(&mut harness, update(&large, false));
    assert_eq!(code, 400);
    assert!(
        why.contains("exceed cluster capacity 'cpus:4; disk:1000; mem:4096'"),
        "{why}"
    );
    assert_eq!(harness.operator(update(&large, true)), DONE);
    assert_eq!(
        refused(&mut harness, update(&[quota("a/b", "", "")], true)).0,
        400
    );
    let both = [quota("web", "cpus:3", "cpus:2")];
    assert!(
        refused(&mut harness, update(&both, true))
            .1
            .contains("not contained")
    );
    let again = Request::SetQuota {
        role: "web".to_string(),
        guarantee: amounts("cpus:1"),
        force: false,
    };
    let (_, why) = refused(&mut harness, again);
    assert!(
        why.ends_with("for role 'web' which already has quota"),
        "{why}"
    );
    assert_eq!(harness.leading.operator_state().quotas.len(), 1);
    let path = None;
    let role = "web".to_string();
    assert_eq!(harness.operator(Request::RemoveQuota { role, path }), DONE);
    assert!(harness.leading.operator_state().quotas.is_empty());
}

#[test]
fn an_answer_comes_when_it_is_stored_and_requests_wait_for_each_other() {
    let mut harness = Harness::new(&Config::default());
    harness.prompt = false;
    let set = |cpus: &str| update(&[quota("web", "", cpus)], true);
    assert_eq!(harness.operator(set("cpus:1")), None);
    assert_eq!(harness.operator(set("cpus:2")), None);
    assert_eq!((harness.stores.len(), harness.leading.requests()), (1, 2));
    harness.refuse_store();
    assert_eq!(
        harness.answers[0].1.as_ref().map_err(Refusal::status),
        Err(503)
    );
    harness.store();
    assert_eq!(harness.answers[1].1, Ok(Answer::Done));
    let web = &harness.leading.operator_state().quotas[&role("web")];
    assert_eq!(web.limits.milli("cpus"), Some(2_000));
    assert_eq!(harness.leading.requests(), 0);
}

#[test]
fn offers_are_cut_to_limits_and_leave_what_others_are_sure_to_get() {
    let mut harness = Harness::new(&Config::default());
    harness.register(1);
    harness.subscribe(11, framework_info(None));
    assert_eq!(offered(&mut harness), ["cpus:4;disk:1000;mem:4096"]);
    let limit = update(&[quota("web", "", "cpus:1")], false);
    assert_eq!(harness.operator(limit), DONE);
    assert_eq!(offered(&mut harness), ["cpus:1;disk:1000;mem:4096"]);
    let guarantee = update(
        &[quota("web", "", ""), quota("db", "cpus:3;mem:1024", "")],
        false,
    );
    assert_eq!(harness.operator(guarantee), DONE);
    assert_eq!(offered(&mut harness), ["cpus:1;disk:1000;mem:3072"]);
    let roles = harness.leading.roles();
    let db = roles.iter().find(|view| view.role == role("db")).unwrap();
    assert_eq!(db.quota.guarantees.milli("cpus"), 3_000);
}

#[test]
fn with_quota_a_new_leader_waits_for_agents_before_it_offers() {
    let mut harness = Harness::new(&Config::default());
    let agents: Vec<AgentId> = (1..=2).map(|from| harness.register(from)).collect();
    assert_eq!(
        harness.operator(update(&[quota("web", "cpus:1", "")], false)),
        DONE
    );
    let mut harness = harness.fail_over();
    harness.subscribe(11, framework_info(None));
    reregister(&mut harness, 1, &agents[0]);
    assert!(
        !offered(&mut harness).is_empty(),
        "one of two is enough: 1.6 is 1"
    );
    let mut harness = Harness::over(
        &Config {
            quota_recovery_agents_percent: 100,
            quota_recovery_timeout: Duration::from_secs(60),
            ..Config::default()
        },
        harness.registry,
        9,
    );
    harness.subscribe(11, framework_info(None));
    reregister(&mut harness, 1, &agents[0]);
    assert!(offered(&mut harness).is_empty());
    harness.wait(Duration::from_secs(60));
    assert!(!offered(&mut harness).is_empty());
}

#[test]
fn a_drained_agent_is_told_marked_and_stays_so_over_failover() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    harness.subscribe(11, framework_info(None));
    assert!(!offered(&mut harness).is_empty());
    harness.take();
    assert_eq!(harness.operator(drain(&id, false)), DONE);
    let told = harness.take();
    let drained = told.iter().any(|effect| {
        matches!(effect, Effect::ToAgent { message: ToAgent::Drain { config }, .. }
            if config.max_grace_period == Some(Duration::from_secs(5)))
    });
    assert!(drained, "{told:?}");
    assert!(offered(&mut harness).is_empty());
    let state = |harness: &Harness| {
        let mark = harness.leading.operator_state().marks.get(&id).copied();
        mark.and_then(|mark| mark.drain).map(|drain| drain.state)
    };
    assert_eq!(
        state(&harness),
        Some(DrainState::Drained),
        "nothing ran there"
    );
    let mut harness = harness.fail_over();
    reregister(&mut harness, 1, &id);
    harness.subscribe(11, framework_info(None));
    assert!(offered(&mut harness).is_empty());
    let agent_id = id.clone();
    assert_eq!(
        harness.operator(Request::ReactivateAgent { agent_id }),
        DONE
    );
    assert!(!offered(&mut harness).is_empty());
}

#[test]
fn an_agent_with_tasks_is_draining_until_they_are_over() {
    let (mut harness, id, framework_id) = Harness::with_running_task(&Config::default());
    assert_eq!(harness.operator(drain(&id, true)), DONE);
    let agent_id = id.clone();
    let (code, why) = refused(&mut harness, Request::ReactivateAgent { agent_id });
    assert_eq!((code, &*why), (400, "Agent is still in the DRAINING state"));
    let killed = status("t", &id, TaskState::Killed, Some(2));
    harness.update(1, &framework_id, killed);
    assert!(
        harness.registry.gone().is_empty(),
        "its end is not acknowledged yet"
    );
    harness.acknowledge(2, &id, "t", 2);
    assert!(
        harness.registry.gone().contains_key(&id),
        "marked gone once it is empty"
    );
    assert!(harness.leading.operator_state().marks.is_empty());
}

#[test]
fn machines_go_down_with_their_agents_and_come_up_again() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    assert_eq!(harness.operator(schedule("HOST")), DONE);
    assert_eq!(refused(&mut harness, drain(&id, false)).0, 400);
    let machines = vec![machine("host")];
    let up = Request::StopMaintenance {
        machines: machines.clone(),
    };
    assert!(
        refused(&mut harness, up.clone())
            .1
            .contains("not in DOWN mode")
    );
    assert_eq!(
        harness.operator(Request::StartMaintenance { machines }),
        DONE
    );
    assert!(
        harness.registry.admitted().is_empty(),
        "its agent is removed"
    );
    harness.take();
    let mut info = agent_info(None);
    info.hostname = "Host".to_string();
    let register = ToMaster::Register {
        info: Arc::new(info),
        run: AgentRun(1),
        nonce: 99,
        kept: crate::resources::Resources::EMPTY,
    };
    harness.agent(2, register.clone());
    let told = harness.take();
    let shut_down = |effect: &Effect| {
        matches!(effect, Effect::ToAgent { peer: at, message: ToAgent::Shutdown { .. } }
            if *at == peer(2))
    };
    assert!(told.iter().any(shut_down), "{told:?}");
    let windows = Vec::new();
    let off = Request::UpdateMaintenanceSchedule { windows };
    assert!(
        refused(&mut harness, off)
            .1
            .contains("cannot be removed from the schedule")
    );
    assert_eq!(harness.leading.maintenance_status().down, [machine("host")]);
    assert_eq!(harness.operator(up), DONE);
    harness.agent(3, register);
    assert_eq!(harness.registry.admitted().len(), 1);
    assert!(harness.leading.operator_state().schedule.is_empty());
}

#[test]
fn frameworks_are_asked_to_leave_machines_of_the_schedule() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.register(1);
    let framework_id = harness.subscribe(11, framework_info(None));
    assert!(!offered(&mut harness).is_empty());
    harness.take();
    assert_eq!(harness.operator(schedule("host")), DONE);
    harness.wait(Duration::from_secs(2));
    let asked = inverse_offers(&harness.take());
    assert_eq!(asked.len(), 1, "one, until it is answered");
    assert_eq!(
        (&asked[0].agent_id, &asked[0].framework_id),
        (&id, &framework_id)
    );
    let (offer_ids, filters) = (vec![asked[0].id.clone()], Filters::DEFAULT);
    harness.call(11, Call::DeclineInverseOffers { offer_ids, filters });
    harness.wait(Duration::from_secs(3));
    assert!(inverse_offers(&harness.take()).is_empty(), "filtered");
    let draining = harness.leading.maintenance_status().draining;
    assert_eq!(draining[0].1[0].answer, InverseOfferAnswer::Declined);
    harness.wait(Duration::from_secs(4));
    assert_eq!(inverse_offers(&harness.take()).len(), 1, "asked again");
    let windows = Vec::new();
    assert_eq!(
        harness.operator(Request::UpdateMaintenanceSchedule { windows }),
        DONE
    );
    let rescinded = harness.take().iter().any(|effect| {
        let told = |message: &ToScheduler| {
            matches!(
                message,
                ToScheduler::Event(Event::RescindInverseOffer { .. })
            )
        };
        matches!(effect, Effect::ToScheduler { message, .. } if told(message))
    });
    assert!(rescinded);
    assert!(harness.leading.operator_state().machines.is_empty());
}

fn inverse_offers(said: &[Effect]) -> Vec<Arc<crate::model::InverseOffer>> {
    let events = said.iter().filter_map(|effect| match effect {
        Effect::ToScheduler {
            message: ToScheduler::Event(Event::InverseOffers(offers)),
            ..
        } => Some(offers.clone()),
        _ => None,
    });
    events.flatten().collect()
}

#[test]
fn weights_take_effect_at_once_and_outlive_the_leader() {
    let mut harness = Harness::new(&Config::default());
    let weights = vec![WeightConfig {
        role: "web".to_string(),
        weight: 2.5,
    }];
    assert_eq!(harness.operator(Request::UpdateWeights { weights }), DONE);
    let harness = harness.fail_over();
    let weight = harness.leading.operator_state().weights[&role("web")];
    assert_eq!(weight, Scalar::from_milli(2_500).unwrap());
}
