use super::*;
use crate::ids::{AgentId, ContainerId, ExecutorId, FrameworkId, Peer, TaskId, UpdateId};
use crate::machine::Machine;
use crate::message::executor::{Call, Event};
use crate::model::{
    AgentInfo, Capabilities, CommandInfo, ExecutorInfo, FrameworkInfo, TaskInfo, TaskState,
    TaskStatus,
};
use crate::outbox::Outbox;
use crate::resources::{Attributes, Resources, Role};
use crate::rng::Rng;
use crate::time::{Now, Time, Wall};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

mod watch;

fn identity() -> Identity {
    Identity {
        framework_id: FrameworkId::new("f").unwrap(),
        executor_id: ExecutorId::new("e").unwrap(),
        container_id: ContainerId::new("c").unwrap(),
    }
}

fn task(name: &str) -> Arc<TaskInfo> {
    Arc::new(TaskInfo {
        task_id: TaskId::new(name).unwrap(),
        name: String::from(name),
        agent_id: AgentId::new("S1").unwrap(),
        resources: Resources::default(),
        executor: None,
        command: Some(CommandInfo::shell("true")),
        data: Arc::from([]),
        labels: vec![],
        kill_grace: None,
        verbatim: Arc::default(),
    })
}

fn subscribed(killing: bool) -> Event {
    let command = CommandInfo::shell("true");
    Event::Subscribed {
        executor: Arc::new(ExecutorInfo {
            executor_id: identity().executor_id,
            framework_id: identity().framework_id,
            command,
            resources: Resources::default(),
            name: String::new(),
            data: Arc::from([]),
            shutdown_grace: None,
            verbatim: Arc::default(),
        }),
        framework: Arc::new(FrameworkInfo {
            id: Some(identity().framework_id),
            user: String::new(),
            name: String::new(),
            roles: vec![Role::any()],
            failover_timeout: Duration::ZERO,
            checkpoint: true,
            capabilities: Capabilities {
                task_killing_state: killing,
                ..Capabilities::default()
            },
            principal: None,
            hostname: String::new(),
            webui_url: None,
            verbatim: Arc::default(),
        }),
        agent: Arc::new(AgentInfo {
            id: Some(AgentId::new("S1").unwrap()),
            hostname: String::from("host"),
            ip: String::new(),
            port: 5051,
            resources: Resources::default(),
            attributes: Attributes::default(),
            domain: None,
        }),
        container_id: identity().container_id,
    }
}

struct Bench {
    node: CommandExecutor,
    now: Now,
    peer: Peer,
    fx: Outbox<Effect>,
}

impl Bench {
    fn new(mode: Mode) -> Bench {
        let now = Now {
            mono: Time::ZERO,
            wall: Wall(0),
        };
        let rng = Rng::from_seed(1, "executor");
        Bench {
            node: CommandExecutor::new(Config::default(), identity(), mode, &rng, now),
            now,
            peer: Peer::Outbound(0),
            fx: Outbox::new(1000),
        }
    }

    /// Subscribed already; `killing` says whether the framework knows of KILLING.
    fn subscribed(mode: Mode, killing: bool) -> Bench {
        let mut bench = Bench::new(mode);
        bench.connect();
        bench.event(subscribed(killing));
        bench
    }

    fn input(&mut self, input: Input) -> Vec<Effect> {
        self.node.handle(self.now, input, &mut self.fx);
        self.fx.drain().collect()
    }

    /// Waits for the next attempt and opens the connection; returns the subscription.
    fn connect(&mut self) -> Call {
        for _ in 0..10 {
            let at = self.node.deadline().expect("it tries");
            self.now.mono = self.now.mono.max(at);
            if let [Effect::Connect { peer }] = self.input(Input::Tick)[..] {
                self.peer = peer;
                let said = self.input(Input::Connected { peer });
                let [Effect::ToAgent { message, .. }] = &said[..] else {
                    panic!("{said:?}");
                };
                return message.call.clone();
            }
        }
        panic!("no attempt");
    }

    fn event(&mut self, event: Event) -> Vec<Effect> {
        let peer = self.peer;
        self.input(Input::FromAgent { peer, event })
    }

    fn breaks(&mut self) -> Vec<Effect> {
        let peer = self.peer;
        self.input(Input::Disconnected { peer })
    }

    fn started(&mut self, name: &str) -> Vec<Effect> {
        let task_id = TaskId::new(name).unwrap();
        self.input(Input::ProcessStarted { task_id, pid: 7 })
    }

    fn exited(&mut self, name: &str, status: Option<i32>) -> Vec<Effect> {
        self.input(Input::ProcessExited {
            task_id: TaskId::new(name).unwrap(),
            status,
            message: String::from("no such user"),
        })
    }

    fn kill(&mut self, name: &str, grace: Option<Duration>) -> Vec<Effect> {
        let task_id = TaskId::new(name).unwrap();
        self.event(Event::Kill { task_id, grace })
    }

    fn acknowledge(&mut self, status: &TaskStatus) -> Vec<Effect> {
        self.event(Event::Acknowledged {
            task_id: status.task_id.clone(),
            update_id: status.update_id.unwrap(),
        })
    }

    fn advance(&mut self, duration: Duration) -> Vec<Effect> {
        let end = self.now.mono + duration;
        let mut said = vec![];
        while let Some(at) = self.node.deadline().filter(|at| *at <= end) {
            self.now.mono = self.now.mono.max(at);
            said.extend(self.input(Input::Tick));
        }
        self.now.mono = end;
        said
    }

    /// A running task.
    fn running(mode: Mode, killing: bool) -> Bench {
        let mut bench = Bench::subscribed(mode, killing);
        let mut said = bench.event(Event::Launch { task: task("t") });
        said.extend(bench.started("t"));
        for status in updates(&said) {
            bench.acknowledge(&status);
        }
        bench
    }
}

fn updates(said: &[Effect]) -> Vec<Arc<TaskStatus>> {
    said.iter()
        .filter_map(|effect| match effect {
            Effect::ToAgent { message, .. } => match &message.call {
                Call::Update { status } => Some(Arc::clone(status)),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

fn states(said: &[Effect]) -> Vec<TaskState> {
    updates(said).iter().map(|status| status.state).collect()
}

fn signal(force: bool) -> Effect {
    let task_id = TaskId::new("t").unwrap();
    Effect::Signal { task_id, force }
}

#[test]
fn a_command_starts_runs_and_ends_and_so_does_its_executor() {
    let mut bench = Bench::subscribed(Mode::Single, false);
    let said = bench.event(Event::Launch { task: task("t") });
    let starting = updates(&said);
    assert_eq!(states(&said), [TaskState::Starting]);
    assert_eq!(said[1], Effect::Start { task: task("t") });
    let said = bench.started("t");
    let running = updates(&said);
    assert_eq!(states(&said), [TaskState::Running]);
    let said = bench.exited("t", Some(0));
    let finished = updates(&said);
    assert_eq!(finished[0].state, TaskState::Finished);
    assert_eq!(finished[0].message, "Command exited with status 0");
    assert_eq!(bench.acknowledge(&starting[0]), []);
    assert_eq!(bench.acknowledge(&running[0]), []);
    assert_eq!(bench.acknowledge(&finished[0]), [Effect::Exit]);
    assert_eq!(bench.advance(Duration::from_secs(3600)), []);
}

#[test]
fn a_command_that_fails_says_how() {
    for (status, message) in [
        (Some(3), "Command exited with status 3"),
        (
            Some(139),
            "Command terminated with signal Segmentation fault",
        ),
        (Some(160), "Command terminated with signal 32"),
        (None, "no such user"),
    ] {
        let mut bench = Bench::running(Mode::Single, false);
        let said = updates(&bench.exited("t", status));
        assert_eq!(said[0].state, TaskState::Failed);
        assert_eq!(said[0].message, message);
        assert_eq!(bench.exited("t", Some(0)), [], "terminal is final");
    }
}

#[test]
fn a_command_that_cannot_be_started_says_why() {
    let mut bench = Bench::subscribed(Mode::Single, false);
    bench.event(Event::Launch { task: task("t") });
    let said = updates(&bench.exited("t", None));
    assert_eq!(said[0].state, TaskState::Failed);
    let message = "the command could not be started: no such user";
    assert_eq!(said[0].message, message);
}

#[test]
fn a_kill_asks_first_and_forces_then() {
    let mut bench = Bench::running(Mode::Single, true);
    let said = bench.kill("t", None);
    assert_eq!(states(&said), [TaskState::Killing]);
    assert_eq!(said[1], signal(false));
    assert_eq!(bench.kill("t", None), [], "once is enough");
    assert_eq!(bench.advance(Duration::from_millis(2900)), []);
    assert_eq!(bench.advance(Duration::from_millis(200)), [signal(true)]);
    let said = updates(&bench.exited("t", Some(137)));
    assert_eq!(said[0].state, TaskState::Killed);
    assert_eq!(said[0].message, "Command terminated with signal Killed");
}

#[test]
fn killing_is_told_only_to_those_who_know_it() {
    let mut bench = Bench::running(Mode::Single, false);
    assert_eq!(bench.kill("t", None), [signal(false)]);
}

#[test]
fn a_second_kill_may_hasten_the_end_but_not_put_it_off() {
    let mut bench = Bench::running(Mode::Single, false);
    bench.kill("t", Some(Duration::from_secs(10)));
    bench.kill("t", Some(Duration::from_secs(2)));
    bench.kill("t", Some(Duration::from_secs(60)));
    assert_eq!(bench.advance(Duration::from_millis(1900)), []);
    assert_eq!(bench.advance(Duration::from_millis(200)), [signal(true)]);
}

#[test]
fn a_kill_before_the_process_is_there_is_not_lost() {
    let mut bench = Bench::subscribed(Mode::Single, false);
    bench.event(Event::Launch { task: task("t") });
    assert_eq!(bench.kill("t", None), [], "there is nothing to signal yet");
    let said = bench.started("t");
    assert_eq!(said, [signal(false)], "and RUNNING is not claimed");
    assert_eq!(states(&bench.exited("t", Some(143))), [TaskState::Killed]);
}

#[test]
fn a_task_that_ends_well_during_its_kill_is_killed() {
    let mut bench = Bench::running(Mode::Single, true);
    bench.kill("t", None);
    assert_eq!(states(&bench.exited("t", Some(0))), [TaskState::Killed]);
}

#[test]
fn unacknowledged_updates_are_said_again_after_a_reconnection() {
    let mut bench = Bench::subscribed(Mode::Single, false);
    let mut said = bench.event(Event::Launch { task: task("t") });
    said.extend(bench.started("t"));
    let waiting = updates(&said);
    assert_eq!(bench.breaks(), []);
    let subscription = bench.connect();
    assert_eq!(
        subscription,
        Call::Subscribe {
            unacknowledged_tasks: vec![task("t")],
            unacknowledged_updates: waiting.clone(),
        }
    );
    bench.event(subscribed(false));
    bench.acknowledge(&waiting[0]);
    bench.breaks();
    // What is said while nobody listens waits as well.
    assert_eq!(bench.exited("t", Some(0)), []);
    let Call::Subscribe {
        unacknowledged_tasks,
        unacknowledged_updates,
    } = bench.connect()
    else {
        panic!("not a subscription");
    };
    assert_eq!(unacknowledged_tasks, []);
    let said: Vec<_> = unacknowledged_updates.iter().map(|s| s.state).collect();
    assert_eq!(said, [TaskState::Running, TaskState::Finished]);
}

#[test]
fn what_is_said_while_it_subscribes_is_not_overtaken() {
    let mut bench = Bench::subscribed(Mode::Single, false);
    bench.event(Event::Launch { task: task("t") });
    bench.breaks();
    bench.connect();
    assert_eq!(bench.started("t"), []);
    assert_eq!(
        states(&bench.event(subscribed(false))),
        [TaskState::Running]
    );
    assert_eq!(states(&bench.exited("t", Some(0))), [TaskState::Finished]);
}

#[test]
fn an_update_is_said_again_on_a_connection_that_stays() {
    let mut bench = Bench::subscribed(Mode::Single, false);
    bench.event(Event::Launch { task: task("t") });
    let said = bench.advance(Duration::from_secs(10));
    assert_eq!(states(&said), [TaskState::Starting]);
}

#[test]
fn an_agent_that_stays_away_too_long_ends_its_executors() {
    let mut bench = Bench::running(Mode::Single, false);
    bench.breaks();
    let mut said = vec![];
    for _ in 0..15 * 60 {
        said.extend(bench.advance(Duration::from_secs(1)));
        if let Some(Effect::Connect { peer }) = said.last() {
            let peer = *peer;
            said.extend(bench.input(Input::Disconnected { peer }));
        }
        said.retain(|effect| !matches!(effect, Effect::Connect { .. } | Effect::Close { .. }));
    }
    said.extend(bench.advance(Duration::from_secs(1)));
    said.retain(|effect| !matches!(effect, Effect::Connect { .. } | Effect::Close { .. }));
    assert_eq!(said, [signal(true), Effect::Exit]);
    assert!(bench.node.is_over());
}

#[test]
fn an_agent_that_returns_in_time_does_not() {
    let mut bench = Bench::running(Mode::Single, false);
    for _ in 0..3 {
        bench.breaks();
        bench.advance(Duration::from_secs(14 * 60));
        // Whatever was tried meanwhile has timed out; the next attempt is answered.
        bench.connect();
        bench.event(subscribed(false));
    }
    assert!(!bench.node.is_over());
    assert_eq!(states(&bench.exited("t", Some(0))), [TaskState::Finished]);
}

#[test]
fn an_executor_that_is_refused_ends() {
    let mut bench = Bench::running(Mode::Single, false);
    bench.breaks();
    bench.connect();
    let message = String::from("who are you?");
    let said = bench.event(Event::Error { message });
    assert_eq!(said, [signal(true), Effect::Exit]);
}

#[test]
fn what_an_old_connection_says_is_not_heard() {
    let mut bench = Bench::running(Mode::Single, false);
    let old = bench.peer;
    bench.breaks();
    bench.connect();
    let event = Event::Shutdown;
    assert_eq!(bench.input(Input::FromAgent { peer: old, event }), []);
}

#[test]
fn a_shared_executor_stays_until_it_is_told_to_end() {
    let mut bench = Bench::running(Mode::Shared, false);
    let last = updates(&bench.exited("t", Some(0)));
    assert_eq!(bench.acknowledge(&last[0]), []);
    let said = bench.event(Event::Launch { task: task("u") });
    assert_eq!(states(&said), [TaskState::Starting]);
    let mut unheard = updates(&said);
    unheard.extend(updates(&bench.started("u")));
    let said = bench.event(Event::Shutdown);
    assert!(matches!(said[..], [Effect::Signal { force: false, .. }]));
    let said = bench.event(Event::Launch { task: task("v") });
    assert_eq!(states(&said), [TaskState::Failed]);
    unheard.extend(updates(&said));
    unheard.extend(updates(&bench.exited("u", Some(143))));
    let last = unheard.pop().unwrap();
    assert_eq!(last.state, TaskState::Killed);
    for status in unheard {
        assert_eq!(bench.acknowledge(&status), []);
    }
    assert_eq!(bench.acknowledge(&last), [Effect::Exit]);
}

#[test]
fn a_shutdown_does_not_wait_for_ever() {
    let mut bench = Bench::running(Mode::Shared, false);
    bench.event(Event::Shutdown);
    let said = bench.advance(Duration::from_secs(5));
    assert_eq!(said.last(), Some(&Effect::Exit));
    assert!(said.contains(&signal(true)));
}

#[test]
fn a_group_ends_together() {
    let mut bench = Bench::subscribed(Mode::Shared, false);
    let tasks = vec![task("t"), task("u"), task("v")];
    bench.event(Event::LaunchGroup { tasks });
    for name in ["t", "u", "v"] {
        bench.started(name);
    }
    assert_eq!(states(&bench.exited("u", Some(0))), [TaskState::Finished]);
    let said = bench.exited("v", Some(1));
    assert_eq!(states(&said), [TaskState::Failed]);
    assert_eq!(said.last(), Some(&signal(false)));
    assert_eq!(states(&bench.exited("t", Some(143))), [TaskState::Killed]);
}

#[test]
fn a_launch_said_twice_starts_once() {
    let mut bench = Bench::running(Mode::Shared, false);
    assert_eq!(bench.event(Event::Launch { task: task("t") }), []);
}

#[test]
fn a_foreign_acknowledgement_changes_nothing() {
    let mut bench = Bench::running(Mode::Single, false);
    let last = updates(&bench.exited("t", Some(0)));
    let mut foreign = TaskStatus::clone(&last[0]);
    foreign.update_id = Some(UpdateId([9; 16]));
    assert_eq!(bench.acknowledge(&foreign), []);
    assert!(!bench.node.is_over());
}
