//! Masters and nothing but their logs; every message and every write waits for a command.
//!
//! - `cluster N`: masters 1 to N start on new disks and initialise themselves.
//! - `tick M`: the clock of M moves to its deadline. `broken M WITH`: its connection broke.
//! - `deliver FROM TO KIND ..`: the oldest messages of these kinds arrive, one after another.
//!   `late FROM TO KIND`: a second copy of the newest arrives later, with `replay FROM TO`.
//! - `drop FROM TO`: everything between them is lost; `-` stands for all.
//! - `sync M ..`: what these wrote is durable.
//! - `settle M ..`: all between these arrives and is durable, until nothing more is said.
//! - `starve M`: time passes until M is demoted; its heartbeats are answered, and all else that
//!   it says is lost.
//! - `append M TEXT`, `crash M`, `restart M`, `wipe M`, `show M ..`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use tepui_core::durable::WriteSequence;
use tepui_core::ids::MasterId;
use tepui_core::log::{
    Action, Config, Effect, Incarnation, Input, Lane, Message, Node, Notice, Position, Recovered,
    Snapshot, Status, Write,
};
use tepui_core::machine::Machine;
use tepui_core::model::MasterInfo;
use tepui_core::outbox::Outbox;
use tepui_core::rng::Rng;
use tepui_core::time::{Now, Time, Wall};

#[test]
fn dialogues_of_the_log() {
    crate::run("log", World::default, World::say);
}

#[derive(Default)]
struct Host {
    node: Option<Node>,
    now: Time,
    log: Vec<Write>,
    pending: VecDeque<(WriteSequence, Write)>,
    snapshot: Option<Snapshot>,
    runs: u64,
}

#[derive(Default)]
struct World {
    hosts: BTreeMap<u32, Host>,
    letters: BTreeMap<(u32, u32), VecDeque<Message>>,
    late: BTreeMap<(u32, u32), Message>,
    lives: Vec<Incarnation>,
    said: String,
}

impl World {
    fn say(&mut self, words: &[&str]) -> String {
        self.said.clear();
        let (verb, rest) = words.split_first().expect("a command");
        let number = |word: &str| word.parse::<u32>().expect("the number of a master");
        match (*verb, rest) {
            ("cluster", [count]) => self.cluster(number(count)),
            ("tick", [id]) => self.tick(number(id)),
            ("broken", [id, with]) => {
                let with = MasterId(number(with));
                self.input(number(id), Input::LinkBroken { with });
            }
            ("deliver", [from, to, kinds @ ..]) => {
                for kind in kinds {
                    self.deliver(number(from), number(to), kind);
                }
            }
            ("late", [from, to, kind]) => self.keep_for_later(number(from), number(to), kind),
            ("replay", [from, to]) => {
                let (from, to) = (number(from), number(to));
                let message = self.late.remove(&(from, to)).expect("kept by `late`");
                self.receive(from, to, message);
            }
            ("drop", [from, to]) => self.drop(from, to),
            ("sync", ids) => ids.iter().for_each(|id| self.sync(number(id))),
            ("settle", ids) => {
                let ids: Vec<u32> = ids.iter().map(|id| number(id)).collect();
                self.settle(&ids);
            }
            ("starve", [id]) => self.starve(number(id)),
            ("append", [id, text]) => {
                let value = Arc::from(text.as_bytes());
                self.input(number(id), Input::Append { token: 1, value });
            }
            ("crash", [id]) => self.crash(number(id)),
            ("restart", [id]) => self.start(number(id)),
            ("wipe", [id]) => {
                self.crash(number(id));
                let host = self.hosts.get_mut(&number(id)).expect("a master");
                host.log.clear();
                host.snapshot = None;
            }
            ("show", ids) => ids.iter().for_each(|id| self.show(number(id))),
            _ => panic!("no such command: {words:?}"),
        }
        if self.said.is_empty() {
            self.said.push_str("nothing\n");
        }
        self.said.clone()
    }

    fn cluster(&mut self, count: u32) {
        let ids: Vec<u32> = (1..=count).collect();
        for id in &ids {
            self.hosts.insert(*id, Host::default());
        }
        ids.iter().for_each(|id| self.start(*id));
        let voting = |host: &Host| {
            host.node
                .as_ref()
                .is_some_and(|n| n.status() == Status::Voting)
        };
        while !self.hosts.values().all(voting) {
            for id in &ids {
                if !voting(&self.hosts[id]) {
                    self.tick(*id);
                }
            }
            self.settle(&ids);
        }
        self.letters.clear();
        self.said.clear();
        ids.iter().for_each(|id| self.show(*id));
    }

    fn start(&mut self, id: u32) {
        let count = self.hosts.len() as u32;
        let masters = (1..=count).map(|id| MasterInfo {
            id: MasterId(id),
            address: format!("10.0.0.{id}:5050"),
        });
        let config = Config::new(MasterId(id), masters.collect()).expect("a valid list");
        let host = self.hosts.get_mut(&id).expect("a master");
        host.runs += 1;
        let rng = Rng::from_seed(host.runs, &format!("dialogue {id}"));
        let recovered = Recovered {
            writes: host.log.clone(),
            snapshot: host.snapshot.clone(),
            damage: None,
        };
        let now = Now {
            mono: host.now,
            wall: Wall(0),
        };
        let mut fx = Outbox::new(1 << 16);
        host.node = Some(Node::recover(config, rng, recovered, now, &mut fx));
        self.effects(id, &mut fx);
    }

    fn crash(&mut self, id: u32) {
        let host = self.hosts.get_mut(&id).expect("a master");
        host.node = None;
        host.pending.clear();
        self.letters.retain(|(_, to), _| *to != id);
    }

    fn input(&mut self, id: u32, input: Input) {
        let host = self.hosts.get_mut(&id).expect("a master");
        let Some(node) = &mut host.node else {
            return;
        };
        let now = Now {
            mono: host.now,
            wall: Wall(0),
        };
        let mut fx = Outbox::new(1 << 16);
        node.handle(now, input, &mut fx);
        self.effects(id, &mut fx);
    }

    fn tick(&mut self, id: u32) {
        let host = self.hosts.get_mut(&id).expect("a master");
        if let Some(node) = &host.node {
            host.now = node.deadline().unwrap_or(host.now).max(host.now);
            self.input(id, Input::Tick);
        }
    }

    fn effects(&mut self, id: u32, fx: &mut Outbox<Effect>) {
        let effects: Vec<Effect> = fx.drain().collect();
        for effect in effects {
            self.tell(id, &effect);
            match effect {
                Effect::Send { to, message } => {
                    let letters = self.letters.entry((id, to.0)).or_default();
                    letters.push_back(message);
                }
                Effect::Persist {
                    lane: Lane::Log,
                    sequence,
                    write,
                } => {
                    let host = self.hosts.get_mut(&id).expect("a master");
                    host.pending.push_back((sequence, write));
                }
                _ => {}
            }
        }
    }

    fn sync(&mut self, id: u32) {
        let host = self.hosts.get_mut(&id).expect("a master");
        let Some((up_to, _)) = host.pending.back() else {
            return;
        };
        let up_to = *up_to;
        host.log
            .extend(host.pending.drain(..).map(|(_, write)| write));
        let lane = Lane::Log;
        self.input(id, Input::Persisted { lane, up_to });
    }

    fn receive(&mut self, from: u32, to: u32, message: Message) {
        // Clocks of different masters have nothing to do with each other; only order counts.
        let letter = self.letter(&message);
        let _ = writeln!(self.said, "{from} > {to}: {letter}");
        let from = MasterId(from);
        self.input(to, Input::Received { from, message });
    }

    fn position_of(&self, from: u32, to: u32, kind: &str) -> Option<usize> {
        let letters = self.letters.get(&(from, to))?;
        let is = |message: &Message| format!("{message:?}").to_lowercase().starts_with(kind);
        letters.iter().position(is)
    }

    fn deliver(&mut self, from: u32, to: u32, kind: &str) {
        let Some(at) = self.position_of(from, to, kind) else {
            panic!("no {kind} waits from {from} to {to}");
        };
        let letters = self.letters.get_mut(&(from, to)).expect("found just now");
        let message = letters.remove(at).expect("found just now");
        self.receive(from, to, message);
    }

    fn keep_for_later(&mut self, from: u32, to: u32, kind: &str) {
        let at = self.position_of(from, to, kind).expect("it waits");
        let message = self.letters[&(from, to)][at].clone();
        let letter = self.letter(&message);
        let _ = writeln!(self.said, "{from} > {to}, later: {letter}");
        self.late.insert((from, to), message);
    }

    fn drop(&mut self, from: &str, to: &str) {
        let meant = |word: &str, id: u32| word == "-" || word == id.to_string();
        self.letters
            .retain(|(a, b), _| !(meant(from, *a) && meant(to, *b)));
    }

    /// Delivers and syncs among `ids` until nothing is left. What is said to others waits.
    fn settle(&mut self, ids: &[u32]) {
        for _ in 0..200 {
            ids.iter().for_each(|id| self.sync(*id));
            let among = |(from, to): &(u32, u32)| ids.contains(from) && ids.contains(to);
            let next = self
                .letters
                .iter()
                .find(|(pair, l)| among(pair) && !l.is_empty());
            let Some((&(from, to), _)) = next else {
                return;
            };
            let letters = self.letters.get_mut(&(from, to)).expect("found just now");
            if let Some(message) = letters.pop_front() {
                self.receive(from, to, message);
            }
        }
        panic!("they never stop talking");
    }

    fn starve(&mut self, id: u32) {
        for _ in 0..5000 {
            self.said.clear();
            self.tick(id);
            if self.said.contains("DEMOTED") {
                return;
            }
            let others: Vec<u32> = self.hosts.keys().copied().filter(|o| *o != id).collect();
            for other in others {
                while self.position_of(id, other, "heartbeat").is_some() {
                    self.deliver(id, other, "heartbeat");
                    self.deliver(other, id, "heartbeat");
                }
                self.letters.remove(&(id, other));
            }
        }
        panic!("nobody steps down");
    }

    fn show(&mut self, id: u32) {
        let line = match &self.hosts[&id].node {
            None => String::from("down"),
            Some(node) => format!(
                "{:?}, {}, promised {}, learned {}, end {}{}",
                node.status(),
                life(&mut self.lives, node.incarnation()),
                node.promised(),
                node.learned_through(),
                node.end(),
                match node.acting() {
                    Some((ballot, _)) => format!(", leads {ballot}"),
                    None => String::new(),
                }
            ),
        };
        let _ = writeln!(self.said, "{id}: {line}");
    }

    /// One line for an effect that tells something.
    fn tell(&mut self, id: u32, effect: &Effect) {
        let line = match effect {
            Effect::Send { .. } | Effect::LeaderChanged { .. } => return,
            Effect::Persist { write, .. } => format!("writes {}", self.record(write)),
            Effect::Apply { position, action } => format!("applies {position}: {}", text(action)),
            Effect::Elected { ballot, through } => {
                format!("ELECTED at {ballot}, applied through {through}")
            }
            Effect::Demoted { ballot, why } => format!("DEMOTED from {ballot}: {why:?}"),
            Effect::Appended { position, .. } => format!("APPENDED at {position}"),
            Effect::Rejected { why, .. } => format!("REJECTED: {why:?}"),
            Effect::Notice(Notice::StatusChanged { status }) => format!("is {status:?}"),
            Effect::Notice(Notice::Joining { incarnation, why }) => {
                format!("joins as {}: {why}", life(&mut self.lives, *incarnation))
            }
            Effect::Notice(Notice::Fenced { joiner, .. }) => format!("has fenced in {joiner}"),
            Effect::Notice(Notice::FollowingLeader { .. }) => return,
            Effect::Notice(notice) => format!("{notice:?}"),
            other => format!("{other:?}"),
        };
        let _ = writeln!(self.said, "    {id} {line}");
    }

    fn record(&mut self, write: &Write) -> String {
        match write {
            Write::Standing { status, .. } => format!("{status:?}"),
            Write::Promise { ballot } => format!("promise {ballot}"),
            Write::Accept {
                ballot,
                first,
                actions,
                ..
            } => format!("accept {ballot} {}", texts(*first, actions)),
            Write::Learn { first, actions } => format!("learn {}", texts(*first, actions)),
            Write::Learned { through } => format!("learned {through}"),
            Write::Fence {
                ballot,
                joiner,
                life: of,
            } => {
                let of = life(&mut self.lives, of.incarnation);
                format!("fence {ballot}: {joiner} is {of}")
            }
            Write::Joined { ballot, .. } => format!("joined, promise {ballot}"),
            Write::Checkpoint(_) => String::from("checkpoint"),
            Write::Snapshot(snapshot) => format!("snapshot through {}", snapshot.through),
        }
    }

    fn letter(&mut self, message: &Message) -> String {
        let lives = &mut self.lives;
        match message {
            Message::Heartbeat {
                ballot,
                learned_through,
                ..
            } => format!("heartbeat {ballot}, learned {learned_through}"),
            Message::HeartbeatAck { ballot, .. } => format!("heard {ballot}"),
            Message::PreVote { .. } => String::from("pre-vote?"),
            Message::PreVoteReply { granted: true, .. } => String::from("pre-vote granted"),
            Message::PreVoteReply { leader, .. } => format!("pre-vote refused, leader {leader:?}"),
            Message::Prepare { ballot, first } => format!("prepare {ballot} from {first}"),
            Message::Promise(promise) => {
                let entries = promise.entries.iter().map(|entry| {
                    let what = text(&entry.action);
                    format!(" {}={what}@{}", entry.position, entry.ballot)
                });
                let of = life(lives, promise.incarnation);
                let entries: String = entries.collect();
                let void = if promise.lives.is_empty() {
                    ""
                } else {
                    ", knows of new lives"
                };
                format!("promise {} by {of}:{entries}{void}", promise.ballot)
            }
            Message::Accept {
                ballot,
                first,
                actions,
                ..
            } => format!("accept {ballot} {}", texts(*first, actions)),
            Message::Accepted {
                ballot,
                first,
                count,
                incarnation,
            } => {
                let of = life(lives, *incarnation);
                format!("accepted {ballot} {first}+{count} by {of}")
            }
            Message::Nack { ballot, promised } => format!("no {ballot}: promised {promised}"),
            Message::Learned { through, .. } => format!("learned {through}"),
            Message::Fetch { first } => format!("fetch from {first}"),
            Message::Fetched { first, actions, .. } => {
                format!("fetched {}", texts(*first, actions))
            }
            Message::StatusRequest { .. } => String::from("status?"),
            Message::StatusReply { status, .. } => format!("status {status:?}"),
            Message::Join { incarnation } => format!("join as {}", life(lives, *incarnation)),
            Message::Fence { ballot, joiner, .. } => format!("fence {ballot} for {joiner}"),
            Message::Fenced(fenced) => format!("fenced {}", fenced.joiner),
            Message::Grant(grant) => format!("grant {}, end {}", grant.ballot, grant.end),
            Message::Superseded { .. } => String::from("superseded"),
            other => format!("{other:?}"),
        }
    }
}

/// Lives are named in the order in which they are met.
fn life(lives: &mut Vec<Incarnation>, incarnation: Incarnation) -> String {
    let at = lives.iter().position(|known| *known == incarnation);
    let at = at.unwrap_or_else(|| {
        lives.push(incarnation);
        lives.len() - 1
    });
    format!("life {}", char::from(b'a' + at as u8))
}

fn text(action: &Action) -> String {
    match action {
        Action::Nop => String::from("nop"),
        Action::Append(value) => String::from_utf8_lossy(value).into_owned(),
        Action::Membership(membership) => format!("masters#{}", membership.epoch()),
    }
}

fn texts(first: Position, actions: &[Action]) -> String {
    let all = actions.iter().enumerate();
    let all = all.map(|(i, action)| format!("{}={}", first.after(i as u64), text(action)));
    all.collect::<Vec<_>>().join(" ")
}
