//! The node loop: the only place that calls `Machine::handle`.
//!
//! It has two halves. [`NodeLoop::handle`] is deterministic: a moment and an input go in, the
//! effects go to the ports in the order in which the machine meant them. [`NodeLoop::run`] feeds
//! it from a bounded queue, the disk's progress and one sleep. A test hands the first half what a
//! simulator recorded and compares the effects byte for byte.

use super::Clock;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tepui_core::machine::Machine;
use tepui_core::outbox::Outbox;
use tepui_core::time::{Now, Time};
use tokio::sync::{Notify, mpsc, oneshot};

/// How many inputs wait before those who bring them have to.
pub const INPUTS_MAX: usize = 8_192;

/// How many inputs are handled before the disk's progress and the deadline are looked at again.
const BATCH_MAX: usize = 64;

/// A machine that the loop can drive.
pub trait Driven: Machine {
    /// How many effects one input may cause.
    const EFFECTS_MAX: usize;

    /// The input that says that the deadline came.
    fn tick() -> Self::Input;
}

/// Why a node's loop ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop.
    Stopped,
    /// The machine has done its work and wants its process to end.
    Done,
    /// The node must not go on: what and why, for people.
    Failed(String),
}

/// Performs a machine's effects. Nothing here waits for another node: what cannot be sent is
/// dropped or its connection closed, as the machine's contract allows.
pub trait Ports<M: Machine> {
    /// Performs one effect. Effects come in the machine's order.
    fn perform(&mut self, now: Now, effect: M::Effect) -> ControlFlow<Ended>;

    /// All effects of one input were performed; a chance to hand over what was gathered.
    fn flush(&mut self) {}

    /// The disk's progress since the last call, as an input for the machine; asked for again
    /// until there is none.
    ///
    /// # Errors
    /// A failed write ends the node: it is never tried again and never reported as written.
    fn persisted(&mut self) -> Result<Option<M::Input>, Ended> {
        Ok(None)
    }

    /// An input before it is handled, for those who count them.
    fn heard(&mut self, _now: Now, _input: &M::Input) {}

    /// The machine's state after an input, for those who show or check it.
    fn observe(&mut self, _machine: &M) {}
}

/// What waits in a node's queue.
pub enum Event<M: Machine> {
    /// An input for the machine.
    Input(M::Input),
    /// Something that wants to read the machine's state.
    Inspect(Box<dyn FnOnce(&M) + Send>),
    /// End the loop, once all before it was handled.
    Stop,
}

impl<M: Machine> fmt::Debug for Event<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Event::Input(_) => "Input",
            Event::Inspect(_) => "Inspect",
            Event::Stop => "Stop",
        })
    }
}

/// Counts a question until it is read, or given up.
struct Question(Arc<AtomicUsize>);

impl Question {
    fn new(count: &Arc<AtomicUsize>) -> Question {
        count.fetch_add(1, Ordering::Relaxed);
        Question(Arc::clone(count))
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Brings inputs to a node and reads its state.
pub struct Handle<M: Machine> {
    queue: mpsc::Sender<Event<M>>,
    questions: Arc<AtomicUsize>,
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Handle {
            queue: self.queue.clone(),
            questions: self.questions.clone(),
        }
    }
}

impl<M: Machine> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl<M: Machine + 'static> Handle<M> {
    /// A queue and the handle that fills it.
    #[must_use]
    pub fn queue() -> (Handle<M>, mpsc::Receiver<Event<M>>) {
        let (queue, inputs) = mpsc::channel(INPUTS_MAX);
        let questions = Arc::default();
        (Handle { queue, questions }, inputs)
    }

    /// Hands in `input`, waiting while the queue is full. False when the node has ended.
    pub async fn input(&self, input: M::Input) -> bool {
        self.queue.send(Event::Input(input)).await.is_ok()
    }

    /// Hands in `input` from a thread outside of the runtime. False when the node has ended.
    pub fn input_blocking(&self, input: M::Input) -> bool {
        self.queue.blocking_send(Event::Input(input)).is_ok()
    }

    /// Reads the machine's state between two inputs. `None` when the node has ended.
    pub async fn inspect<T, F>(&self, read: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(&M) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let question = Question::new(&self.questions);
        let question = Event::Inspect(Box::new(move |machine| {
            drop(question);
            // Whoever asked may have gone away meanwhile.
            let _ = answer.send(read(machine));
        }));
        self.queue.send(question).await.ok()?;
        answered.await.ok()
    }

    /// How many inputs and questions wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// How many of those are questions.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }

    /// Ends the loop after what already waits.
    pub async fn stop(&self) {
        // An ended loop needs no telling.
        let _ = self.queue.send(Event::Stop).await;
    }
}

/// One machine with its ports.
#[derive(Debug)]
pub struct NodeLoop<M: Machine, P> {
    machine: M,
    ports: P,
    outbox: Outbox<M::Effect>,
    scratch: Vec<M::Effect>,
    last: Time,
}

impl<M: Driven, P: Ports<M>> NodeLoop<M, P> {
    /// Nothing is handled yet.
    pub fn new(machine: M, ports: P) -> NodeLoop<M, P> {
        NodeLoop::built(ports, |_| machine)
    }

    /// As [`NodeLoop::new`], for machines that act while they are built; what that causes is
    /// performed by [`NodeLoop::start`].
    pub fn built(ports: P, build: impl FnOnce(&mut Outbox<M::Effect>) -> M) -> NodeLoop<M, P> {
        let mut outbox = Outbox::new(M::EFFECTS_MAX);
        NodeLoop {
            machine: build(&mut outbox),
            ports,
            outbox,
            scratch: Vec::new(),
            last: Time::ZERO,
        }
    }

    /// Hands one input in and performs what it causes.
    pub fn handle(&mut self, now: Now, input: M::Input) -> ControlFlow<Ended> {
        assert!(now.mono >= self.last, "the monotonic clock went backwards");
        self.last = now.mono;
        self.ports.heard(now, &input);
        self.machine.handle(now, input, &mut self.outbox);
        self.perform(now)
    }

    /// Performs what building the machine caused.
    pub fn start(&mut self, now: Now) -> ControlFlow<Ended> {
        self.perform(now)
    }

    fn perform(&mut self, now: Now) -> ControlFlow<Ended> {
        self.outbox.swap_into(&mut self.scratch);
        let mut flow = ControlFlow::Continue(());
        for effect in self.scratch.drain(..) {
            if flow.is_continue() {
                flow = self.ports.perform(now, effect);
            }
        }
        self.ports.flush();
        self.ports.observe(&self.machine);
        flow
    }

    /// When the machine wants its next tick.
    pub fn deadline(&self) -> Option<Time> {
        self.machine.deadline()
    }

    /// The machine and the ports, for those who look at them after the end.
    pub fn into_parts(self) -> (M, P) {
        (self.machine, self.ports)
    }

    /// The machine.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The ports.
    pub fn ports(&self) -> &P {
        &self.ports
    }

    /// The ports, for those who take something out of them between two inputs.
    pub fn ports_mut(&mut self) -> &mut P {
        &mut self.ports
    }

    /// Runs until the node ends. `progress` is notified when [`Ports::persisted`] has something.
    pub async fn run(
        &mut self,
        clock: Clock,
        mut inputs: mpsc::Receiver<Event<M>>,
        progress: Arc<Notify>,
    ) -> Ended {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        if let ControlFlow::Break(ended) = self.start(clock.now()) {
            return ended;
        }
        loop {
            if let ControlFlow::Break(ended) = self.settle(&clock) {
                return ended;
            }
            let deadline = self.machine.deadline();
            let sleep = async {
                match deadline {
                    Some(deadline) => {
                        tokio::time::sleep_until(clock.instant(deadline).into()).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The disk first: what waits for it is older than what waits in the queue.
                biased;
                () = progress.notified() => {}
                count = inputs.recv_many(&mut batch, BATCH_MAX) => {
                    if count == 0 {
                        return Ended::Stopped;
                    }
                }
                () = sleep => {}
            }
            for event in batch.drain(..) {
                let flow = match event {
                    Event::Input(input) => self.handle(clock.now(), input),
                    Event::Inspect(read) => {
                        read(&self.machine);
                        ControlFlow::Continue(())
                    }
                    Event::Stop => ControlFlow::Break(Ended::Stopped),
                };
                if let ControlFlow::Break(ended) = flow {
                    return ended;
                }
            }
        }
    }

    /// Tells the machine of the disk's progress and of its deadline, if that came.
    fn settle(&mut self, clock: &Clock) -> ControlFlow<Ended> {
        loop {
            match self.ports.persisted() {
                Ok(Some(input)) => self.handle(clock.now(), input)?,
                Ok(None) => break,
                Err(ended) => return ControlFlow::Break(ended),
            }
        }
        let now = clock.now();
        match self.machine.deadline() {
            Some(deadline) if deadline <= now.mono => self.handle(now, M::tick()),
            _ => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests;
