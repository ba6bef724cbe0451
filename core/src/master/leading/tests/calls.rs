//! The checks of each call, with the outcomes of Mesos' master.

use super::harness::{
    Harness, agent_id, event, framework_id, framework_info, multi_role, peer, role, status,
    task_id, told, told_operations, update_id,
};
use crate::ids::{ExecutorId, OfferId, OperationId};
use crate::master::leading::{Config, Effect};
use crate::message::Reject;
use crate::message::scheduler::{Call, Event, ToScheduler};
use crate::model::{Filters, FrameworkInfo, OperationState, Reason, TaskState};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

fn subscribe(info: FrameworkInfo, suppressed: &[&str]) -> Call {
    Call::Subscribe {
        framework: Arc::new(info),
        suppressed_roles: suppressed.iter().map(|text| role(text)).collect(),
    }
}

fn refused(why: &str) -> Result<(), Reject> {
    Err(Reject::Refused(why.to_string()))
}

fn invalid(why: &str) -> Result<(), Reject> {
    Err(Reject::Invalid(why.to_string()))
}

fn dropped(why: &str) -> Result<(), Reject> {
    Err(Reject::Dropped(why.to_string()))
}

#[test]
fn a_refused_subscription_is_told_so_on_its_stream_which_ends() {
    let mut harness = Harness::new(&Config::default());
    harness.call(2, subscribe(multi_role(&["a", "b", "a"]), &[]));
    let message = "'FrameworkInfo.roles' contains duplicate items: { a }".to_string();
    let close = Effect::Close { peer: peer(2) };
    assert_eq!(harness.take(), [event(2, Event::Error { message }), close]);
    assert_eq!(harness.leading.summary().frameworks, 0);
}

#[test]
fn subscriptions_are_refused_in_the_words_of_mesos() {
    let mut harness = Harness::new(&Config::default());
    let mut two = framework_info(None);
    two.roles.push(role("db"));
    let why = "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable";
    assert_eq!(harness.ask(2, subscribe(two, &[])), refused(why));
    let call = subscribe(framework_info(None), &["db", "a"]);
    let why = "Suppressed roles { a, db } are not contained in the set of roles";
    assert_eq!(harness.ask(2, call), refused(why));
    let id = harness.subscribe(2, framework_info(None));
    let mut other = framework_info(Some(id.as_str()));
    other.principal = Some("mallory".to_string());
    let why = "Changing framework's principal is not allowed.";
    assert_eq!(harness.ask(3, subscribe(other, &[])), refused(why));
    assert_eq!(harness.leading.framework(&id).unwrap().info.principal, None);
}

#[test]
fn a_framework_of_many_roles_may_have_none_yet() {
    let mut harness = Harness::new(&Config::default());
    harness.register(1);
    harness.subscribe(2, multi_role(&[]));
    assert_eq!(harness.offers().len(), 0);
    assert_eq!(harness.ask(2, Call::Suppress { roles: [].into() }), Ok(()));
    assert_eq!(harness.ask(2, Call::Revive { roles: [].into() }), Ok(()));
    assert_eq!(harness.offers().len(), 0);
}

#[test]
fn who_subscribes_again_keeps_what_never_changes() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.subscribe(2, framework_info(None));
    let mut info = framework_info(Some(id.as_str()));
    info.user = "root".to_string();
    info.checkpoint = false;
    info.name = "new".to_string();
    assert_eq!(harness.ask(3, subscribe(info, &[])), Ok(()));
    let info = harness.leading.framework(&id).unwrap().info;
    assert_eq!(
        (&*info.user, info.checkpoint, &*info.name),
        ("nobody", true, "new")
    );
}

#[test]
fn an_update_of_what_never_changes_is_refused() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.subscribe(2, framework_info(None));
    let update = |change: fn(&mut FrameworkInfo), suppressed: &[&str]| {
        let mut info = framework_info(Some(id.as_str()));
        change(&mut info);
        Call::UpdateFramework {
            framework: Arc::new(info),
            suppressed_roles: suppressed.iter().map(|text| role(text)).collect(),
        }
    };
    let user = update(|info| info.user = "root".to_string(), &[]);
    let why = "FrameworkInfo update is not valid: Updating 'FrameworkInfo.user' is unsupported; \
               attempted to update from 'nobody' to 'root'";
    assert_eq!(harness.ask(2, user), invalid(why));
    let checkpoint = update(|info| info.checkpoint = false, &[]);
    let why = "FrameworkInfo update is not valid: Updating 'FrameworkInfo.checkpoint' is \
               unsupported; attempted to update from 'true' to 'false'";
    assert_eq!(harness.ask(2, checkpoint), invalid(why));
    let principal = update(|info| info.principal = Some(String::new()), &[]);
    assert!(harness.ask(2, principal).is_err());
    let roles = update(|info| info.roles = [role("a"), role("b")].into(), &[]);
    assert!(harness.ask(2, roles).is_err());
    let suppressed = update(|_| {}, &["db"]);
    let why = "'UpdateFramework' call is not valid: Suppressed roles { db } are not contained in \
               the set of roles";
    assert_eq!(harness.ask(2, suppressed), invalid(why));
    let id = update(|info| info.id = Some(framework_id("other")), &[]);
    assert!(harness.ask(2, id).is_err());
    let fine = update(|info| info.name = "new".to_string(), &["web"]);
    assert_eq!(harness.ask(2, fine), Ok(()));
    harness.register(1);
    assert_eq!(harness.offers().len(), 0, "its only role is suppressed");
}

#[test]
fn calls_of_nobody_and_of_whoever_is_away_are_told_apart() {
    let mut harness = Harness::new(&Config::default());
    let id = harness.subscribe(2, framework_info(None));
    harness.disconnect(2);
    let message = |named: &str| crate::message::scheduler::ToMaster {
        id: crate::message::scheduler::CallId(1),
        framework_id: Some(framework_id(named)),
        call: Call::Request,
    };
    let mut answers = Vec::new();
    for named in ["nope", id.as_str()] {
        let mut fx = crate::outbox::Outbox::new(10);
        let now = harness.at();
        harness
            .leading
            .on_scheduler(now, peer(3), message(named), &mut fx);
        answers.extend(fx.drain());
    }
    let reply = |result| Effect::ToScheduler {
        peer: peer(3),
        message: ToScheduler::Reply {
            id: crate::message::scheduler::CallId(1),
            result: Err(result),
        },
    };
    let unknown = Reject::NoSuchFramework("Framework cannot be found".to_string());
    let away = Reject::NotSubscribed("Framework is not subscribed".to_string());
    assert_eq!(answers, [reply(unknown), reply(away)]);
}

#[test]
fn a_role_of_others_voids_the_whole_call() {
    let mut harness = Harness::new(&Config::default());
    harness.subscribe(2, multi_role(&["a", "b"]));
    let call = Call::Suppress {
        roles: [role("a"), role("c")].into(),
    };
    let why = "suppression role 'c' is not one of the frameworks's subscribed roles";
    assert_eq!(harness.ask(2, call), dropped(why));
    harness.register(1);
    assert_eq!(harness.offers()[0].role, role("a"));
    let call = Call::Revive {
        roles: [role("c")].into(),
    };
    let why = "revive role 'c' is not one of the frameworks's subscribed roles";
    assert_eq!(harness.ask(2, call), dropped(why));
}

#[test]
fn one_role_is_suppressed_and_revived_without_the_others() {
    let mut harness = Harness::new(&Config::default());
    harness.subscribe(2, multi_role(&["a", "b"]));
    harness.call(
        2,
        Call::Suppress {
            roles: [role("a")].into(),
        },
    );
    harness.register(1);
    let offers = harness.offers();
    assert_eq!((offers.len(), &offers[0].role), (1, &role("b")));
    harness.call(
        2,
        Call::Suppress {
            roles: [role("b")].into(),
        },
    );
    harness.call(
        2,
        Call::Revive {
            roles: [role("a")].into(),
        },
    );
    let offer_ids = [offers[0].id.clone()].into();
    let filters = Filters::NONE;
    harness.call(2, Call::Decline { offer_ids, filters });
    assert_eq!(harness.offers()[0].role, role("a"));
}

#[test]
fn operations_nobody_knows_are_answered_by_what_is_known_of_their_agent() {
    let (mut harness, _) = Harness::with_offer();
    let agent = harness.leading.view().agents[0].info.id.clone().unwrap();
    let id = OperationId::new("op").unwrap();
    let ask = [None, Some(agent), Some(agent_id("S9"))];
    let asked = ask.iter().map(|agent| (id.clone(), agent.clone()));
    harness.take();
    let operations_asked = asked.collect();
    let call = Call::ReconcileOperations {
        operations: operations_asked,
    };
    assert_eq!(harness.ask(2, call), Ok(()));
    let said = told_operations(&harness.take());
    assert!(
        said.iter()
            .all(|status| status.state == OperationState::Unknown)
    );
    let messages: Vec<&str> = said.iter().map(|status| &*status.message).collect();
    let expected = [
        "Reconciliation: Operation is unknown and no 'agent_id' was provided",
        "Reconciliation: Operation is unknown",
        "Reconciliation: Both operation and agent are unknown",
    ];
    assert_eq!(messages, expected);
    let call = Call::AcknowledgeOperationStatus {
        agent_id: agent_id("S9"),
        operation_id: id,
        update_id: update_id(1),
    };
    assert!(matches!(harness.ask(2, call), Err(Reject::Dropped(_))));
}

#[test]
fn what_there_is_nothing_to_do_for_is_taken_and_dropped() {
    let (mut harness, _) = Harness::with_offer();
    let executor_id = ExecutorId::new("e").unwrap();
    let nowhere = agent_id("S9");
    let shutdown = Call::Shutdown {
        executor_id: executor_id.clone(),
        agent_id: nowhere.clone(),
    };
    assert_eq!(
        harness.ask(2, shutdown),
        dropped("agent S9 is not connected")
    );
    let message = Call::Message {
        agent_id: nowhere.clone(),
        executor_id,
        data: Arc::from([1]),
    };
    assert_eq!(
        harness.ask(2, message),
        dropped("agent S9 is not connected")
    );
    let acknowledge = Call::Acknowledge {
        agent_id: nowhere,
        task_id: task_id("t"),
        update_id: update_id(1),
    };
    assert_eq!(harness.ask(2, acknowledge), Ok(()));
    let offer_ids = [OfferId::new("none").unwrap()].to_vec();
    let filters = Filters::DEFAULT;
    let decline = Call::Decline {
        offer_ids: offer_ids.clone(),
        filters,
    };
    assert_eq!(harness.ask(2, decline), Ok(()));
    let decline = Call::DeclineInverseOffers { offer_ids, filters };
    assert_eq!(harness.ask(2, decline), Ok(()));
    assert_eq!(harness.ask(2, Call::Request), Ok(()));
}

#[test]
fn a_kill_of_an_unknown_task_is_answered_as_a_question() {
    let (mut harness, _) = Harness::with_offer();
    let call = Call::Kill {
        task_id: task_id("nosuch"),
        agent_id: None,
        grace: None,
    };
    assert_eq!(harness.ask(2, call), Ok(()));
    let said = told(&harness.take());
    let status = &said[0];
    assert_eq!(
        (status.state, status.reason),
        (TaskState::Unknown, Some(Reason::Reconciliation))
    );
    assert_eq!(status.message, "Reconciliation: Task is unknown");
}

#[test]
fn an_answer_repeats_what_was_said_of_the_container_and_the_record_keeps_all() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let mut healthy = status("t", &agent, TaskState::Running, Some(2));
    healthy.verbatim = Arc::from([7, 8]);
    healthy.data = Arc::from([1]);
    healthy.healthy = Some(true);
    harness.update(1, &framework, healthy);
    harness.take();
    harness.call(2, Call::Reconcile { tasks: [].into() });
    let said = told(&harness.take());
    assert_eq!((&*said[0].verbatim, &*said[0].data), (&[7, 8][..], &[][..]));
    assert_eq!(said[0].message, "Reconciliation: Latest task state");
    let view = harness.leading.task(&framework, &task_id("t")).unwrap();
    assert_eq!(view.statuses.len(), 1, "the newest word on each state");
    assert_eq!(
        (view.statuses[0].healthy, view.statuses[0].data.len()),
        (Some(true), 0)
    );
    harness.disconnect(1);
    harness.wait(Duration::from_secs(80));
    let view = harness.leading.task(&framework, &task_id("t")).unwrap();
    let states: Vec<_> = view.statuses.iter().map(|status| status.state).collect();
    assert_eq!(states, [TaskState::Running, TaskState::Unreachable]);
}
