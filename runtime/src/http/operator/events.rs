//! What happens in a cluster, told to those who listen.
//!
//! The node's thread does as little as it can: while nobody listens, nothing; else it takes down
//! what a notice names, as references, and hands that over. Messages are made and written by a
//! task of their own, once for each codec, and every listener has a bounded queue: whoever reads
//! too slowly is cut off and delays nobody.

use super::lists;
use crate::http::classic::tasks::Task;
use crate::http::cluster::{Cluster, Held};
use crate::mesos::convert::{framework, ids, status, task};
use crate::mesos::media::Codec;
use crate::mesos::recordio;
use crate::mesos::v1;
use crate::mesos::v1::master::{Event, event};
use hyper::body::Bytes;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tepui_core::ids::{AgentId, FrameworkId, TaskId};
use tepui_core::master::leading::{AgentPart, FrameworkPart, KnownTask, Leading, Notice as Of};
use tepui_core::master::{MasterNode, Notice};
use tepui_core::model::{FrameworkInfo, Reason, Source, TaskState, TaskStatus};
use tepui_core::registry::OperatorState;
use tepui_core::time::Wall;
use tokio::sync::{Notify, mpsc};

/// How many happenings wait to be written before all listeners are cut off: they have missed
/// something.
const WAITING_MAX: usize = 1 << 16;

/// How many listen at most, as in Mesos.
pub const LISTENERS_MAX: usize = 1_000;

/// How many records wait for one listener before it is cut off.
pub const RECORDS_MAX: usize = 1 << 14;

/// Those who listen, and what they are to hear.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    listeners: AtomicUsize,
    writer: Mutex<Option<mpsc::Sender<Item>>>,
    /// Notices of the input that is being handled.
    noticed: Mutex<Vec<Of>>,
}

/// What the task that writes is handed, in the order in which it came to pass.
#[derive(Debug)]
enum Item {
    Joined(Listener),
    Happened(Box<Happened>),
}

/// Somebody who listens.
#[derive(Debug)]
pub struct Listener {
    /// How its records are written.
    pub codec: Codec,
    /// Its queue.
    pub records: mpsc::Sender<Bytes>,
    /// Notified when its queue ran over and it hears no more.
    pub cut: Arc<Notify>,
    /// Counts it while it is there.
    pub place: Place,
}

/// A place among those who listen.
#[derive(Debug)]
pub struct Place(Events);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.listeners.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What happened, as references to what the leader knew at that moment.
#[derive(Debug)]
enum Happened {
    TaskAdded(FrameworkId, KnownTask),
    /// Whose, what was said, and the state that it is in.
    TaskUpdated(FrameworkId, TaskStatus, TaskState),
    FrameworkAdded(FrameworkPart),
    FrameworkUpdated(FrameworkPart),
    FrameworkRemoved(Arc<FrameworkInfo>),
    AgentAdded(AgentPart, OperatorState),
    AgentRemoved(AgentId),
}

impl Events {
    /// How many listen.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.0.listeners.load(Ordering::Acquire)
    }

    /// A place for one more. `None` when there are too many.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let taken = self.0.listeners.fetch_add(1, Ordering::AcqRel);
        // Given back at once if there was none left.
        let place = Place(self.clone());
        (taken < LISTENERS_MAX).then_some(place)
    }

    /// From now on `listener` hears what happens. Called between two inputs of the node, so that
    /// a view of that moment and the events after it fit together.
    pub fn join(&self, listener: Listener) {
        self.hand_over(Item::Joined(listener));
    }

    /// A notice passes.
    pub fn noticed(&self, notice: &Notice) {
        if let Notice::Cluster(notice) = notice
            && self.listeners() > 0
            && is_told(notice)
        {
            let mut noticed = self
                .0
                .noticed
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            noticed.push(notice.clone());
        }
    }

    /// The input that caused those notices is handled.
    pub fn observe(&self, node: &MasterNode) {
        if self.listeners() == 0 {
            return;
        }
        let mut noticed = self
            .0
            .noticed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(leading) = node.leading() else {
            // Whoever listened to this leader is told nothing of the next one's doings.
            noticed.clear();
            self.close();
            return;
        };
        let mut noticed = noticed.drain(..).peekable();
        while let Some(notice) = noticed.next() {
            if is_taken_over(&notice, noticed.peek()) {
                continue;
            }
            if let Some(happened) = happened(leading, node, notice) {
                self.hand_over(Item::Happened(Box::new(happened)));
            }
        }
    }

    /// Ends all streams.
    fn close(&self) {
        *self.0.writer.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn hand_over(&self, item: Item) {
        let mut writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let usable = writer.as_ref().filter(|writer| !writer.is_closed());
        let sender = match usable {
            Some(sender) => sender.clone(),
            None => {
                let (sender, items) = mpsc::channel(WAITING_MAX);
                tokio::spawn(write(items));
                *writer = Some(sender.clone());
                sender
            }
        };
        if let Err(mpsc::error::TrySendError::Full(_)) = sender.try_send(item) {
            tracing::warn!("too much happens for those who listen: cut them off");
            *writer = None;
        }
    }
}

/// Whether listeners hear of such things.
fn is_told(notice: &Of) -> bool {
    matches!(
        notice,
        Of::AgentAdmitted { .. }
            | Of::AgentReregistered { .. }
            | Of::AgentUnreachable { .. }
            | Of::AgentGone { .. }
            | Of::AgentRemoved { .. }
            | Of::FrameworkSubscribed { .. }
            | Of::FrameworkRecovered { .. }
            | Of::FrameworkFailedOver { .. }
            | Of::FrameworkChanged { .. }
            | Of::FrameworkRemoved { .. }
            | Of::TaskState { .. }
    )
}

/// A framework that was there before is changed, not added, when another scheduler takes it over.
fn is_taken_over(notice: &Of, next: Option<&Of>) -> bool {
    let Of::FrameworkSubscribed { framework_id, .. } = notice else {
        return false;
    };
    matches!(next, Some(Of::FrameworkFailedOver { framework_id: old }) if old == framework_id)
}

fn happened(leading: &Leading, node: &MasterNode, notice: Of) -> Option<Happened> {
    Some(match notice {
        Of::AgentAdmitted { agent_id, .. } | Of::AgentReregistered { agent_id, .. } => {
            let mut settings = OperatorState::default();
            let marks = &node.registry().operator().marks;
            let mark = marks.get(&agent_id).copied();
            settings
                .marks
                .extend(mark.map(|mark| (agent_id.clone(), mark)));
            Happened::AgentAdded(leading.known_agent(&agent_id)?, settings)
        }
        Of::AgentUnreachable { agent_id, .. }
        | Of::AgentGone { agent_id }
        | Of::AgentRemoved { agent_id } => Happened::AgentRemoved(agent_id),
        Of::FrameworkSubscribed { framework_id, .. } | Of::FrameworkRecovered { framework_id } => {
            Happened::FrameworkAdded(leading.known_framework(&framework_id)?)
        }
        Of::FrameworkFailedOver { framework_id } | Of::FrameworkChanged { framework_id } => {
            Happened::FrameworkUpdated(leading.known_framework(&framework_id)?)
        }
        Of::FrameworkRemoved { framework_id, .. } => {
            Happened::FrameworkRemoved(leading.framework_info(&framework_id)?)
        }
        Of::TaskState {
            framework_id,
            task_id,
            agent_id,
            from,
            to,
            reason,
        } => {
            let known = leading.known_task(&framework_id, &task_id);
            match (from, known) {
                (None, Some(known)) => Happened::TaskAdded(framework_id, known),
                (None, None) => return None,
                (Some(_), known) => {
                    let status = said(known.as_ref(), to, reason);
                    let status = status.unwrap_or_else(|| made_up(task_id, agent_id, to, reason));
                    Happened::TaskUpdated(framework_id, status, to)
                }
            }
        }
        _ => return None,
    })
}

/// The newest word that said so. Where there is none, and no reason of the master's own, an agent
/// named the state beside an earlier one, whose acknowledgement it waits for: then that one.
fn said(known: Option<&KnownTask>, state: TaskState, reason: Option<Reason>) -> Option<TaskStatus> {
    let statuses = known?.statuses();
    let mut newest_first = statuses.iter().rev();
    let so = newest_first.find(|status| status.state == state);
    let status = so.or_else(|| statuses.last().filter(|_| reason.is_none()))?;
    Some(TaskStatus::clone(status))
}

/// What nobody said, because the master decided it.
fn made_up(
    task_id: TaskId,
    agent_id: AgentId,
    state: TaskState,
    reason: Option<Reason>,
) -> TaskStatus {
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default();
    TaskStatus {
        task_id,
        state,
        source: Source::Master,
        reason,
        message: String::new(),
        agent_id: Some(agent_id),
        executor_id: None,
        timestamp: Wall(i64::try_from(now.as_millis()).unwrap_or(i64::MAX)),
        update_id: None,
        healthy: None,
        data: Arc::default(),
        unreachable_at: None,
        verbatim: Arc::default(),
    }
}

/// Writes what happens until nobody hands over any more, or nobody listens.
async fn write(mut items: mpsc::Receiver<Item>) {
    let mut listeners: Vec<Listener> = Vec::new();
    while let Some(item) = items.recv().await {
        match item {
            Item::Joined(listener) => listeners.push(listener),
            Item::Happened(happened) => tell(&mut listeners, &to_v1(*happened)),
        }
    }
}

fn tell(listeners: &mut Vec<Listener>, event: &Event) {
    let mut written: [Option<Bytes>; 2] = [None, None];
    listeners.retain(|listener| {
        let place = usize::from(listener.codec == Codec::Protobuf);
        let record = written[place].get_or_insert_with(|| record(listener.codec, event));
        match listener.records.try_send(record.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                tracing::info!("cut off a listener that reads too slowly");
                listener.cut.notify_one();
                false
            }
        }
    });
}

/// An event as it stands in a stream.
#[must_use]
pub fn record(codec: Codec, event: &Event) -> Bytes {
    Bytes::from(recordio::encode(&codec.encode(event)))
}

fn to_v1(happened: Happened) -> Event {
    let mut out = Event::default();
    out.r#type = Some(match happened {
        Happened::TaskAdded(framework_id, known) => {
            let shown = Task {
                framework_id: &framework_id,
                info: &known.info,
                state: TaskState::Staging,
                statuses: known.statuses(),
            };
            let task = Some(lists::task_to_v1(&shown));
            out.task_added = Some(event::TaskAdded { task });
            event::Type::TaskAdded
        }
        Happened::TaskUpdated(framework_id, said, state) => {
            out.task_updated = Some(event::TaskUpdated {
                framework_id: Some(ids::framework_id_to_v1(&framework_id)),
                state: Some(task::state_to_v1(state)),
                status: Some(status::to_v1(&said)),
            });
            event::Type::TaskUpdated
        }
        Happened::FrameworkAdded(part) => {
            let framework = Some(framework_event(&part));
            out.framework_added = Some(event::FrameworkAdded { framework });
            event::Type::FrameworkAdded
        }
        Happened::FrameworkUpdated(part) => {
            let framework = Some(framework_event(&part));
            out.framework_updated = Some(event::FrameworkUpdated { framework });
            event::Type::FrameworkUpdated
        }
        Happened::FrameworkRemoved(info) => {
            let framework_info = Some(framework::to_v1(&info));
            out.framework_removed = Some(event::FrameworkRemoved { framework_info });
            event::Type::FrameworkRemoved
        }
        Happened::AgentAdded(part, settings) => {
            out.agent_added = Some(event::AgentAdded {
                agent: Some(agent_event(part, settings)),
            });
            event::Type::AgentAdded
        }
        Happened::AgentRemoved(id) => {
            let agent_id = Some(ids::agent_id_to_v1(&id));
            out.agent_removed = Some(event::AgentRemoved { agent_id });
            event::Type::AgentRemoved
        }
    });
    out
}

/// A framework as events have it: what it has is told by other events.
fn framework_event(part: &FrameworkPart) -> v1::master::response::get_frameworks::Framework {
    let mut framework = lists::framework_to_v1(part, &Held::default());
    framework.unregistered_time = Some(v1::TimeInfo {
        nanoseconds: Some(0),
    });
    framework.offer_constraints = None;
    framework
}

fn agent_event(
    part: AgentPart,
    settings: OperatorState,
) -> v1::master::response::get_agents::Agent {
    let cluster = Cluster::of_agent(part, settings);
    lists::agent_to_v1(&cluster, &cluster.snapshot.agents[0], &cluster.agents[0])
}
