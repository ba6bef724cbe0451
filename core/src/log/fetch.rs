//! Catch-up: what others learned is fetched in bounded pieces from any peer that has it; a
//! snapshot where they have truncated.

use super::ballot::Position;
use super::config::Config;
use super::effect::Notice;
use super::membership::Membership;
use super::message::{Message, SnapshotChunk};
use super::out::Out;
use super::write::Snapshot;
use crate::ids::MasterId;
use crate::time::Time;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A snapshot on its way here.
#[derive(Clone, Debug)]
struct Transfer {
    through: Position,
    total_bytes: u64,
    membership: Membership,
    bytes: Vec<u8>,
}

/// A question without an answer yet.
#[derive(Clone, Copy, Debug)]
struct Asked {
    peer: MasterId,
    until: Time,
}

/// What a learner lacks and whom it asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Fetch {
    known: BTreeMap<MasterId, Position>,
    target: Position,
    asked: Option<Asked>,
    /// The peer that did not answer last.
    silent: Option<MasterId>,
    transfer: Option<Transfer>,
    /// Whether anything was asked since the learner last had everything.
    active: bool,
}

impl Fetch {
    /// `peer` has learned up to `through`, and it matters to get there.
    pub fn want(&mut self, peer: MasterId, through: Position) {
        self.know(peer, through);
        self.target = self.target.max(through);
    }

    /// `peer` has learned up to `through`; nothing is asked for yet.
    pub fn know(&mut self, peer: MasterId, through: Position) {
        let known = self.known.entry(peer).or_default();
        *known = (*known).max(through);
    }

    /// Whether something is being fetched.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// When to ask somebody else.
    pub fn retry_at(&self) -> Option<Time> {
        self.asked.map(|asked| asked.until)
    }

    /// Asks for the next piece, unless nothing lacks or an answer is awaited.
    pub fn drive(&mut self, learned_through: Position, config: &Config, out: &mut Out<'_>) {
        if learned_through >= self.target {
            self.asked = None;
            self.transfer = None;
            if self.active {
                self.active = false;
                out.notice(Notice::CaughtUp {
                    through: learned_through,
                });
            }
            return;
        }
        if let Some(asked) = self.asked {
            if out.now < asked.until {
                return;
            }
            self.silent = Some(asked.peer);
            self.transfer = None;
        }
        let Some(peer) = self.choose(learned_through) else {
            self.asked = None;
            return;
        };
        self.active = true;
        let first = learned_through.next();
        self.ask(peer, Message::Fetch { first }, config, out);
    }

    fn ask(&mut self, peer: MasterId, message: Message, config: &Config, out: &mut Out<'_>) {
        assert_ne!(peer, out.me, "nobody learns from himself");
        let until = out.now + config.fetch_timeout;
        self.asked = Some(Asked { peer, until });
        out.send(peer, message);
    }

    /// The peer that has learned most; one that was silent only if there is no other.
    fn choose(&self, learned_through: Position) -> Option<MasterId> {
        let able = self.known.iter().filter(|(_, has)| **has > learned_through);
        able.max_by_key(|(peer, has)| (self.silent != Some(**peer), **has, **peer))
            .map(|(peer, _)| *peer)
    }

    /// An answer came from `from`, whatever it was; false if it was not awaited.
    pub fn on_answer(&mut self, from: MasterId, has: Position) -> bool {
        // A peer that lost its disk has less than it once said.
        self.known.insert(from, has);
        let most = self.known.values().copied().max();
        self.target = self.target.min(most.unwrap_or(Position::ZERO));
        if self.asked.is_none_or(|asked| asked.peer != from) {
            return false;
        }
        self.asked = None;
        if self.silent == Some(from) {
            self.silent = None;
        }
        true
    }

    /// A peer says that what is asked was truncated: its snapshot is fetched instead.
    pub fn on_truncated(
        &mut self,
        from: MasterId,
        through: Position,
        config: &Config,
        out: &mut Out<'_>,
    ) {
        let offset = 0;
        self.transfer = None;
        self.ask(
            from,
            Message::FetchSnapshot { through, offset },
            config,
            out,
        );
    }

    /// A piece of a snapshot. Returns the whole when it was the last.
    pub fn on_chunk(
        &mut self,
        from: MasterId,
        chunk: &SnapshotChunk,
        config: &Config,
        out: &mut Out<'_>,
    ) -> Option<Snapshot> {
        if self.asked.is_none_or(|asked| asked.peer != from) {
            return None;
        }
        if chunk.total_bytes > config.snapshot_bytes_max {
            self.silent = Some(from);
            return None;
        }
        if chunk.offset == 0 {
            self.transfer = Some(Transfer {
                through: chunk.through,
                total_bytes: chunk.total_bytes,
                membership: chunk.membership.clone(),
                bytes: Vec::new(),
            });
        }
        let transfer = self.transfer.as_mut()?;
        let through = transfer.through;
        let have = transfer.bytes.len() as u64;
        let fits = chunk.through == through
            && chunk.offset == have
            && chunk.total_bytes == transfer.total_bytes
            && have + chunk.bytes.len() as u64 <= transfer.total_bytes
            && (!chunk.bytes.is_empty() || chunk.total_bytes == 0);
        if !fits {
            return None;
        }
        transfer.bytes.extend_from_slice(&chunk.bytes);
        let offset = transfer.bytes.len() as u64;
        if offset < transfer.total_bytes {
            self.ask(
                from,
                Message::FetchSnapshot { through, offset },
                config,
                out,
            );
            return None;
        }
        self.asked = None;
        let transfer = self.transfer.take()?;
        Some(Snapshot {
            through: transfer.through,
            membership: transfer.membership,
            state: Arc::from(transfer.bytes),
        })
    }
}
