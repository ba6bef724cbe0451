//! What masters' logs do, as the watcher sees it.

use super::{Observer, Occurrence};
use crate::checker::Broken;
use crate::node::NodeIndex;
use crate::time::SimTime;
use tepui_core::log::{self, Action, Ballot, Demotion, Notice, Position};

impl Observer {
    pub(super) fn judge(&mut self, at: SimTime, node: NodeIndex, result: Result<(), Broken>) {
        if let Err(broken) = result {
            self.violate(at, node, broken.invariant, broken.found);
        }
    }

    /// A process starts.
    pub fn on_start(&mut self, at: SimTime, node: NodeIndex, first: bool) {
        if !first {
            self.note(at, node, "started again");
        }
    }

    /// A process died.
    pub fn on_death(&mut self, at: SimTime, node: NodeIndex) {
        self.log.on_death(node.slot());
        self.on_pause(node);
        if self.leading.is_some_and(|(leader, _)| leader == node) {
            self.leading = None;
            self.note(at, node, "the leader is dead");
        }
    }

    /// A master's disk was replaced.
    pub fn on_wipe(&mut self, at: SimTime, node: NodeIndex) {
        self.log.on_wipe(node.slot());
        self.volumes.on_wipe(node.slot());
        self.note(at, node, "starts with an empty disk");
    }

    /// A record rotted on a master's disk: what it stood for is rightly forgotten.
    pub fn on_rot(&mut self, at: SimTime, node: NodeIndex) {
        self.log.on_wipe(node.slot());
        self.rotten.insert(node);
        self.note(at, node, "a record on its disk cannot be read any more");
    }

    /// What a restart found on disk.
    pub fn on_recovered(&mut self, at: SimTime, node: NodeIndex) {
        let result = self.log.on_recovered(node.slot());
        self.judge(at, node, result);
    }

    /// A replica sends something.
    pub fn on_log_message(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        learned: Position,
        message: &log::Message,
    ) {
        let result = self.log.on_message(node.slot(), learned, message);
        self.judge(at, node, result);
    }

    /// A replica hands a write to its disk.
    pub fn on_log_write(&mut self, at: SimTime, node: NodeIndex, write: &log::Write) {
        let result = self.log.on_write(node.slot(), write);
        self.judge(at, node, result);
    }

    /// A replica's write is durable.
    pub fn on_log_durable(&mut self, at: SimTime, node: NodeIndex, write: &log::Write) {
        self.rotten.remove(&node);
        let result = self.log.on_durable(node.slot(), write);
        self.judge(at, node, result);
    }

    /// A replica handled an input.
    pub fn on_replica(&mut self, at: SimTime, node: NodeIndex, replica: &log::Node) {
        self.on_acting(at, node, replica.acting().map(|(ballot, _)| ballot));
        let result = self.log.on_replica(node.slot(), replica);
        self.judge(at, node, result);
    }

    /// Whether a master acts as the leader, by its own lights.
    fn on_acting(&mut self, at: SimTime, node: NodeIndex, ballot: Option<Ballot>) {
        let known = self.acting.iter().position(|(acting, _)| *acting == node);
        match (known, ballot) {
            (None, Some(ballot)) => {
                self.acting.push((node, ballot));
                if self.one_acting_leader && self.acting.len() > 1 {
                    let found = format!("acts with {ballot} while {:?} act", self.acting);
                    self.violate(at, node, "masters.one-acting-leader", found);
                }
            }
            (Some(place), None) => {
                self.acting.swap_remove(place);
            }
            (Some(place), Some(ballot)) => self.acting[place].1 = ballot,
            (None, None) => {}
        }
    }

    /// A process is stopped: until it wakes it does nothing, whatever it believes.
    pub fn on_pause(&mut self, node: NodeIndex) {
        self.acting.retain(|(acting, _)| *acting != node);
    }

    /// A replica applied an entry; `digest` is a fold over everything up to there.
    pub fn on_applied(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        position: Position,
        _action: &Action,
        digest: u64,
    ) {
        let result = self.log.on_applied(position, digest);
        self.judge(at, node, result);
    }

    /// A replica took a peer's snapshot.
    pub fn on_installed(&mut self, at: SimTime, node: NodeIndex, through: Position, digest: u64) {
        self.probe("log.snapshot-installed");
        let result = self.log.on_applied(through, digest);
        self.judge(at, node, result);
    }

    /// A master won an election.
    pub fn on_elected(&mut self, at: SimTime, node: NodeIndex, ballot: Ballot, through: Position) {
        let result = self.log.on_elected(node.slot(), ballot, through);
        self.judge(at, node, result);
        self.tallies.elections += 1;
        if self.last_leader != Some(node) {
            self.tallies.leader_changes += u64::from(self.last_leader.is_some());
            self.last_leader = Some(node);
        }
        if self.leading.is_none_or(|(_, known)| known < ballot) {
            self.leading = Some((node, ballot));
        }
        if self.timeline.enabled() {
            let text = format!("elected leader with ballot {ballot}, log through {through}");
            self.note(at, node, &text);
        }
        self.occur(Occurrence::LeaderElected { node });
    }

    /// A master of a whole cluster was elected; its log was through with everything that is in
    /// its registry.
    pub(super) fn on_master_elected(&mut self, at: SimTime, node: NodeIndex, ballot: Ballot) {
        let through = self.log.acknowledged();
        self.on_elected(at, node, ballot, through);
    }

    /// A master stopped leading.
    pub fn on_demoted(&mut self, at: SimTime, node: NodeIndex, ballot: Ballot, why: Demotion) {
        if self.leading == Some((node, ballot)) {
            self.leading = None;
        }
        self.probe(match why {
            Demotion::Superseded { .. } => "log.demoted-superseded",
            Demotion::LeaseExpired => "log.demoted-lease-expired",
            Demotion::StoreTimeout => "log.demoted-store-timeout",
            _ => "log.demoted-otherwise",
        });
        if self.timeline.enabled() {
            self.note(at, node, &format!("leads no more ({ballot}): {why}"));
        }
        self.occur(Occurrence::LeaderDemoted { node });
    }

    /// Everything else that a bare replica says.
    pub fn on_log_event(&mut self, at: SimTime, node: NodeIndex, effect: &log::Effect) {
        match effect {
            log::Effect::Elected { ballot, through } => {
                self.on_elected(at, node, *ballot, *through);
            }
            log::Effect::Demoted { ballot, why } => self.on_demoted(at, node, *ballot, *why),
            log::Effect::Appended { token, position } => {
                self.tallies.appends += 1;
                let result = self.log.on_appended(node.slot(), *token, *position);
                self.judge(at, node, result);
                self.occur(Occurrence::Appended {
                    node,
                    token: *token,
                });
            }
            log::Effect::Rejected { why, .. } => self.probe(match why {
                log::Reject::NotLeading { .. } => "log.append-refused",
                log::Reject::Unknown => "log.append-unknown",
                _ => "log.append-overloaded",
            }),
            log::Effect::Notice(notice) => self.on_log_notice(at, node, notice),
            _ => {}
        }
    }

    /// A line of a replica.
    pub fn on_log_notice(&mut self, at: SimTime, node: NodeIndex, notice: &Notice) {
        self.probe(notice_name(notice));
        if let Notice::Joining { why, .. } = notice
            && why.starts_with("damage")
            && !self.rotten.contains(&node)
        {
            let found = format!("refuses its own journal, which nothing has touched: {why}");
            self.violate(at, node, "log.recovers-what-it-wrote", found);
        }
        let loud = !matches!(
            notice,
            Notice::Suspecting { .. } | Notice::CaughtUp { .. } | Notice::LateWriteIgnored { .. }
        );
        if self.timeline.enabled() && (loud || self.timeline.chatty()) {
            let text = notice.to_string();
            self.note(at, node, &text);
        }
    }
}

/// The probe behind a line.
fn notice_name(notice: &Notice) -> &'static str {
    match notice {
        Notice::StatusChanged { .. } => "log.status-changed",
        Notice::Suspecting { .. } => "log.suspected",
        Notice::Campaigning { .. } => "log.campaigned",
        Notice::CampaignFailed { .. } => "log.campaign-failed",
        Notice::Filling { .. } => "log.filled",
        Notice::HoleFilled { .. } => "log.hole-filled",
        Notice::FollowingLeader { .. } => "log.followed",
        Notice::LateWriteIgnored { .. } => "log.late-write-ignored",
        Notice::CaughtUp { .. } => "log.caught-up",
        Notice::SnapshotInstalled { .. } => "log.snapshot-taken-over",
        Notice::Truncated { .. } => "log.truncated",
        Notice::Joining { .. } => "log.joining",
        Notice::Fenced { .. } => "log.fenced",
        Notice::VoidVoteIgnored { .. } => "log.void-vote-ignored",
        Notice::CorruptRecordRepaired { .. } => "log.corruption-repaired",
    }
}
