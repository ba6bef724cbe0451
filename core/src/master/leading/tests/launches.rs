//! What is launched out of offers, and what is not, with the outcomes of Mesos' master.

use super::harness::{
    Harness, agent_id, event, framework_id, framework_info, multi_role, resources, role, task,
    told, told_operations, told_states,
};
use crate::ids::{AgentId, ExecutorId, OfferId, OperationId};
use crate::master::leading::{Config, Effect};
use crate::message::agent::ToAgent;
use crate::message::scheduler::{Call, Event, ToScheduler};
use crate::model::{
    CommandInfo, ExecutorInfo, Filters, MalformedTask, OfferOperation, OperationState, Reason,
    ResourceOperation, TaskInfo, TaskState,
};
use crate::resources::Resources;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

fn accept(offers: &[&OfferId], operation: OfferOperation) -> Call {
    Call::Accept {
        offer_ids: offers.iter().map(|id| (*id).clone()).collect(),
        operations: [operation].into(),
        filters: Filters::NONE,
    }
}

fn launch(tasks: &[TaskInfo]) -> OfferOperation {
    OfferOperation::Launch(tasks.iter().cloned().map(Arc::new).collect())
}

fn messages(said: &[Effect]) -> Vec<String> {
    told(said)
        .into_iter()
        .map(|status| status.message)
        .collect()
}

#[test]
fn an_accept_with_bad_offers_says_why() {
    let (mut harness, offer) = Harness::with_offer();
    let agent = harness.leading.view().agents[0].info.id.clone().unwrap();
    let say = |harness: &mut Harness, from: u64, offers: &[&OfferId]| {
        harness.take();
        harness.call(from, accept(offers, launch(&[task("t", &agent)])));
        let said = harness.take();
        assert_eq!(told_states(&said), [TaskState::Dropped]);
        assert_eq!(told(&said)[0].reason, Some(Reason::InvalidOffers));
        messages(&said).remove(0)
    };
    let stale = OfferId::new("1.1-O9").unwrap();
    let because = "Task launched with invalid offers: ";
    assert_eq!(
        say(&mut harness, 2, &[&stale]),
        alloc::format!("{because}Offer 1.1-O9 is no longer valid")
    );
    assert_eq!(
        say(&mut harness, 2, &[]),
        alloc::format!("{because}No offers specified")
    );
    harness.subscribe(3, framework_info(None));
    let expected = alloc::format!(
        "{because}Offer {offer} has invalid framework 1.1-0000 while framework 1.1-0001 is expected"
    );
    assert_eq!(say(&mut harness, 3, &[&offer]), expected);
    assert_eq!(
        harness.leading.summary().offers,
        1,
        "it is another's to use"
    );
    let expected = alloc::format!("{because}Duplicate offer {offer} in offer list");
    assert_eq!(say(&mut harness, 2, &[&offer, &offer]), expected);
    assert_eq!(harness.leading.summary().offers, 0);
}

#[test]
fn offers_of_different_agents_or_roles_are_not_used_together() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.register(4);
    harness.subscribe(2, multi_role(&["a", "b"]));
    let offers = harness.offers();
    assert_eq!(offers.len(), 2);
    let together = accept(
        &[&offers[0].id, &offers[1].id],
        launch(&[task("t", &agent)]),
    );
    harness.call(2, together);
    let said = harness.take();
    assert_eq!(told_states(&said), [TaskState::Dropped]);
    // The roles take turns, and roles are looked at first.
    assert!(messages(&said)[0].contains("must be allocated to the same role"));
    harness.call(
        2,
        Call::Suppress {
            roles: [role("b")].into(),
        },
    );
    let offers = harness.offers();
    assert_eq!(offers.len(), 2);
    harness.call(
        2,
        accept(
            &[&offers[0].id, &offers[1].id],
            launch(&[task("t", &agent)]),
        ),
    );
    let said = harness.take();
    assert!(messages(&said)[0].contains("must belong to one single agent"));
}

#[test]
fn a_task_is_refused_in_the_words_of_mesos() {
    let (mut harness, agent, _) = Harness::with_running_task(&Config::default());
    harness.wait(Duration::from_secs(6));
    let standing = harness.leading.standing_offers().next();
    let offer = standing.map(|(id, _)| id.clone()).unwrap();
    harness.take();
    let uses = |name: &str, text: &str| TaskInfo {
        resources: resources(text),
        ..task(name, &agent)
    };
    let nothing = TaskInfo {
        command: None,
        ..task("nothing", &agent)
    };
    let elsewhere = task("elsewhere", &agent_id("S9"));
    let foreign = TaskInfo {
        resources: resources("cpus:1").allocated_to(&role("db")),
        ..task("foreign", &agent)
    };
    let tasks = [
        task("t", &agent),
        elsewhere,
        uses("empty", ""),
        nothing,
        uses("large", "cpus:1000;mem:32"),
        foreign,
    ];
    harness.call(2, accept(&[&offer], launch(&tasks)));
    let said = harness.take();
    assert_eq!(told_states(&said), [TaskState::Error; 6]);
    let expected = [
        "Task has duplicate ID: t".to_string(),
        alloc::format!("Task uses invalid agent S9 while agent {agent} is expected"),
        "Task uses no resources".to_string(),
        "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present"
            .to_string(),
        "Total resources cpus(allocated: web):1000;mem(allocated: web):32 required by task and \
         its executor is more than available cpus(allocated: web):3;disk(allocated: web):1000;\
         mem(allocated: web):3968"
            .to_string(),
        "Invalid task resources: the resources are allocated to role 'db', but were offered to \
         role 'web'"
            .to_string(),
    ];
    assert_eq!(messages(&said), expected);
    assert!(
        told(&said)
            .iter()
            .all(|s| s.reason == Some(Reason::TaskInvalid))
    );
}

#[test]
fn revocable_and_other_resources_of_one_name_do_not_mix() {
    let mut info = framework_info(None);
    info.capabilities.revocable_resources = true;
    let (mut harness, offer) = Harness::with_offer();
    let agent = harness.leading.view().agents[0].info.id.clone().unwrap();
    let mut items: Vec<_> = resources("cpus:1").iter().cloned().collect();
    items[0].kind.revocable = true;
    items.extend(resources("cpus:1;mem:32").iter().cloned());
    let mixed = TaskInfo {
        resources: Resources::new(items).unwrap(),
        ..task("mixed", &agent)
    };
    harness.call(2, accept(&[&offer], launch(&[mixed])));
    let why = "Invalid task resources: Cannot use both revocable and non-revocable 'cpus' at the \
               same time";
    assert_eq!(messages(&harness.take()), [why]);
}

#[test]
fn an_id_of_a_task_out_of_reach_is_not_used_again() {
    let (mut harness, _, _) = Harness::with_running_task(&Config::default());
    harness.disconnect(1);
    harness.wait(Duration::from_secs(80));
    let other = harness.register(5);
    let offer = harness.offers()[0].id.clone();
    harness.call(2, accept(&[&offer], launch(&[task("t", &other)])));
    let why = "Task reuses the ID of an unreachable task: t";
    assert_eq!(messages(&harness.take()), [why]);
}

fn executor(name: &str, text: &str) -> Arc<ExecutorInfo> {
    Arc::new(ExecutorInfo {
        executor_id: ExecutorId::new(name).unwrap(),
        framework_id: framework_id("1.1-0000"),
        command: CommandInfo::default(),
        resources: resources(text),
        name: String::new(),
        data: Arc::default(),
        shutdown_grace: None,
        verbatim: Arc::default(),
    })
}

/// Enough for the executor of a group.
const FINE: &str = "cpus:0.1;mem:32;disk:32";

fn group(executor: Arc<ExecutorInfo>, tasks: &[TaskInfo]) -> OfferOperation {
    OfferOperation::LaunchGroup {
        executor,
        tasks: tasks.iter().cloned().map(Arc::new).collect(),
    }
}

/// Groups that are refused, and why.
fn group_cases(agent: &AgentId) -> Vec<(OfferOperation, &'static str)> {
    let pair = [task("a", agent), task("b", agent)];
    let twice = [task("a", agent), task("a", agent)];
    let mut owned = pair.clone();
    owned[1].executor = Some(executor("other", FINE));
    let large = [TaskInfo {
        resources: resources("cpus:4"),
        ..task("a", agent)
    }];
    [
        (
            group(executor("e", "cpus:0.1;mem:32"), &pair),
            "Executor 'e' uses no disk",
        ),
        (
            group(executor("e", "mem:32;disk:1"), &pair),
            "Executor 'e' uses less CPUs (0) than the minimum required (0.01)",
        ),
        (
            group(executor("e", "cpus:1;mem:31;disk:1"), &pair),
            "Executor 'e' uses less memory (31) than the minimum required (32MB)",
        ),
        (
            group(executor("e", FINE), &twice),
            "Task 'a' is invalid: Task has duplicate ID: a",
        ),
        (
            group(executor("e", FINE), &owned),
            "The `ExecutorInfo` of task 'b' is different from executor 'e'",
        ),
        (
            group(executor("e", FINE), &large),
            "Total resources cpus(allocated: web):4.1;disk(allocated: web):32;\
             mem(allocated: web):32 required by task group and its executor are more than \
             available cpus(allocated: web):4;disk(allocated: web):1000;mem(allocated: web):4096",
        ),
    ]
    .into()
}

#[test]
fn a_group_is_refused_whole_in_the_words_of_mesos() {
    let (mut harness, first) = Harness::with_offer();
    let agent = harness.leading.view().agents[0].info.id.clone().unwrap();
    let pair = [task("a", &agent), task("b", &agent)];
    let cases = group_cases(&agent);
    let mut offer = first;
    for (operation, why) in cases {
        let count = operation.tasks().len();
        harness.call(2, accept(&[&offer], operation));
        let said = harness.take();
        assert_eq!(told_states(&said), alloc::vec![TaskState::Error; count]);
        assert!(
            told(&said)
                .iter()
                .all(|s| s.reason == Some(Reason::TaskGroupInvalid))
        );
        assert!(
            messages(&said).iter().all(|message| message == why),
            "{said:?}"
        );
        offer = harness.offers()[0].id.clone();
    }
    harness.call(2, accept(&[&offer], group(executor("e", FINE), &pair)));
    let said = harness.take();
    assert!(matches!(
        &said[..],
        [Effect::ToAgent {
            message: ToAgent::Run { tasks, group: true, .. },
            ..
        }] if tasks.len() == 2
    ));
}

#[test]
fn what_is_no_description_is_answered_by_the_name_that_it_gave() {
    let (mut harness, offer) = Harness::with_offer();
    let malformed = |id: &str| MalformedTask {
        task_id: id.to_string(),
        agent_id: "S1".to_string(),
        why: "'..' is no id".to_string(),
    };
    let operation = |group| OfferOperation::Malformed {
        tasks: [malformed("a/b"), malformed("fine")].into(),
        group,
    };
    harness.call(2, accept(&[&offer], operation(true)));
    let said = harness.take();
    let bad = Event::Malformed {
        task: malformed("a/b"),
        state: TaskState::Error,
        reason: Reason::TaskGroupInvalid,
    };
    assert_eq!(said[0], event(2, bad));
    let status = &told(&said)[0];
    assert_eq!(
        (status.task_id.as_str(), status.state),
        ("fine", TaskState::Error)
    );
    assert_eq!(status.message, "'..' is no id");
    // Bad offers come before bad tasks.
    harness.call(2, accept(&[&offer], operation(false)));
    let said = harness.take();
    assert_eq!(told_states(&said), [TaskState::Dropped]);
    assert!(matches!(
        &said[0],
        Effect::ToScheduler {
            message: ToScheduler::Event(Event::Malformed {
                state: TaskState::Dropped,
                reason: Reason::InvalidOffers,
                ..
            }),
            ..
        }
    ));
}

#[test]
fn an_operation_on_bad_offers_or_no_resources_is_an_error_for_whoever_named_it() {
    let (mut harness, offer) = Harness::with_offer();
    let named = || Some(OperationId::new("op").unwrap());
    let reserve = |id| OfferOperation::Resources {
        id,
        operation: ResourceOperation::Reserve {
            source: Resources::EMPTY,
            resources: resources("cpus(web):1"),
        },
    };
    let none = OfferId::new("none").unwrap();
    harness.call(2, accept(&[&none], reserve(None)));
    assert_eq!(harness.take(), []);
    harness.call(2, accept(&[&none], reserve(named())));
    let why = "Operation attempted with invalid offers: Offer none is no longer valid";
    let said = told_operations(&harness.take());
    assert_eq!(
        (said[0].state, &*said[0].message),
        (OperationState::Error, why)
    );
    assert_eq!((&said[0].operation_id, said[0].update_id), (&named(), None));
    let why = "negative".to_string();
    harness.call(
        2,
        accept(
            &[&offer],
            OfferOperation::MalformedResources { id: named(), why },
        ),
    );
    let said = told_operations(&harness.take());
    assert_eq!(
        said[0].message,
        "Operation attempted with invalid resources: negative"
    );
}
