use super::*;
use std::time::Duration;

/// Counts to three, one tick a millisecond, then is done; echoes what it is told.
#[derive(Debug, Default)]
struct Counter {
    ticks: u32,
    next: Option<Time>,
}

#[derive(Debug, PartialEq)]
enum Input {
    Tick,
    Say(&'static str),
    Persisted(u64),
}

#[derive(Debug, PartialEq)]
enum Effect {
    Said(&'static str),
    Ticked(u32),
    Durable(u64),
    Done,
}

impl Machine for Counter {
    type Input = Input;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input, fx: &mut Outbox<Effect>) {
        match input {
            Input::Say(what) => {
                fx.push(Effect::Said(what));
                self.next = Some(now.mono + Duration::from_millis(1));
            }
            Input::Persisted(up_to) => fx.push(Effect::Durable(up_to)),
            Input::Tick => {
                if self.next.is_none_or(|next| now.mono < next) {
                    return;
                }
                self.ticks += 1;
                fx.push(Effect::Ticked(self.ticks));
                self.next = Some(now.mono + Duration::from_millis(1));
                if self.ticks == 3 {
                    self.next = None;
                    fx.push(Effect::Done);
                }
            }
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.next
    }
}

impl Driven for Counter {
    const EFFECTS_MAX: usize = 16;

    fn tick() -> Input {
        Input::Tick
    }
}

#[derive(Debug, Default)]
struct Recorder {
    effects: Vec<Effect>,
    durable: Option<u64>,
    broken: bool,
}

impl Ports<Counter> for Recorder {
    fn perform(&mut self, _now: Now, effect: Effect) -> ControlFlow<Ended> {
        let done = effect == Effect::Done;
        self.effects.push(effect);
        if done {
            return ControlFlow::Break(Ended::Done);
        }
        ControlFlow::Continue(())
    }

    fn persisted(&mut self) -> Result<Option<Input>, Ended> {
        if self.broken {
            return Err(Ended::Failed(String::from("fdatasync")));
        }
        Ok(self.durable.take().map(Input::Persisted))
    }
}

fn at(ms: u64) -> Now {
    Now {
        mono: Time::from_nanos(ms * 1_000_000),
        ..Now::default()
    }
}

#[test]
fn effects_reach_the_ports_in_order() {
    let mut node = NodeLoop::new(Counter::default(), Recorder::default());
    assert!(node.handle(at(0), Input::Say("a")).is_continue());
    assert!(node.handle(at(0), Input::Tick).is_continue());
    assert!(node.handle(at(1), Input::Tick).is_continue());
    assert_eq!(
        node.ports().effects,
        [Effect::Said("a"), Effect::Ticked(1)],
        "an early tick does nothing"
    );
}

#[test]
#[should_panic(expected = "went backwards")]
fn a_clock_that_goes_backwards_is_a_bug() {
    let mut node = NodeLoop::new(Counter::default(), Recorder::default());
    let _ = node.handle(at(5), Input::Tick);
    let _ = node.handle(at(4), Input::Tick);
}

#[tokio::test]
async fn the_loop_ticks_at_the_deadline_and_ends_when_the_machine_is_done() {
    let (handle, inputs) = Handle::queue();
    let mut node = NodeLoop::new(Counter::default(), Recorder::default());
    handle.input(Input::Say("go")).await;
    let ended = node
        .run(Clock::start(), inputs, Arc::new(Notify::new()))
        .await;
    assert_eq!(ended, Ended::Done);
    let (machine, ports) = node.into_parts();
    assert_eq!(machine.ticks, 3);
    assert_eq!(ports.effects.len(), 5);
}

#[tokio::test]
async fn the_disk_is_heard_before_the_queue_and_its_failure_ends_the_node() {
    let (handle, inputs) = Handle::queue();
    let ports = Recorder {
        durable: Some(7),
        ..Recorder::default()
    };
    let mut node = NodeLoop::new(Counter::default(), ports);
    handle.input(Input::Say("later")).await;
    handle.stop().await;
    let progress = Arc::new(Notify::new());
    let ended = node.run(Clock::start(), inputs, progress.clone()).await;
    assert_eq!(ended, Ended::Stopped);
    assert_eq!(
        node.ports().effects[..2],
        [Effect::Durable(7), Effect::Said("later")]
    );

    let (_handle, inputs) = Handle::queue();
    node.ports.broken = true;
    let ended = node.run(Clock::start(), inputs, progress).await;
    assert_eq!(ended, Ended::Failed(String::from("fdatasync")));
}

#[tokio::test]
async fn the_state_is_read_between_inputs() {
    let (handle, inputs) = Handle::<Counter>::queue();
    let mut node = NodeLoop::new(Counter::default(), Recorder::default());
    let asked = tokio::spawn(async move {
        let ticks = handle.inspect(|machine| machine.ticks).await;
        handle.stop().await;
        ticks
    });
    node.run(Clock::start(), inputs, Arc::new(Notify::new()))
        .await;
    assert_eq!(asked.await.unwrap(), Some(0));
}
