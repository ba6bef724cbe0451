//! Every bound and time-out of the log and its election.

use super::membership::{Membership, MembershipError};
use crate::ids::MasterId;
use crate::model::MasterInfo;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The list of masters is wrong.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// This master is not in the list.
    #[error("{0} is not in the list of masters")]
    Stranger(MasterId),
    /// Two durations that must be ordered are not.
    #[error("{low} ({low_is:?}) must be less than {high} ({high_is:?})")]
    Order {
        /// The name of what must be less.
        low: &'static str,
        /// What it is.
        low_is: Duration,
        /// The name of what must be more.
        high: &'static str,
        /// What it is.
        high_is: Duration,
    },
    /// A leader could propose further ahead than replicas accept.
    #[error(
        "window_messages times batch_actions_max ({window}) must not exceed gap_max ({gap_max})"
    )]
    Window {
        /// Positions that may be in flight.
        window: u64,
        /// How far ahead a replica accepts.
        gap_max: u64,
    },
    /// A bound that must not be zero is.
    #[error("{0} must not be 0")]
    Zero(&'static str),
}

/// What a master's log is built with. [`Config::new`] has the defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// This master.
    pub me: MasterId,
    /// The masters, until the log itself says who they are.
    pub bootstrap: Membership,

    /// How often a leader speaks.
    pub heartbeat_interval: Duration,
    /// A leader without a quorum of answers for this long stops acting. Shorter than
    /// `election_timeout_min`, so that as a rule the old leader stops before a new one starts;
    /// safety does not depend on it.
    pub lease_timeout: Duration,
    /// A follower suspects a silent leader after a random time from here ...
    pub election_timeout_min: Duration,
    /// ... to here.
    pub election_timeout_max: Duration,
    /// A broken connection to the leader makes it suspect within this.
    pub link_broken_delay_max: Duration,
    /// A pre-vote or campaign without an answer is tried again after a random time from half of
    /// this to all of it.
    pub campaign_retry: Duration,
    /// A campaign that has no quorum of promises by then is given up.
    pub campaign_timeout: Duration,

    /// A message without an answer is sent again after this, doubling ...
    pub resend_min: Duration,
    /// ... up to this.
    pub resend_max: Duration,
    /// An append that is not chosen by then has an unknown fate: the leader steps down.
    pub store_timeout: Duration,
    /// A replica without a vote asks again after a random time from half of this to all of it.
    pub recovery_retry: Duration,
    /// Another peer is asked when one does not answer a fetch for this long.
    pub fetch_timeout: Duration,
    /// What was learned is written down at the latest after this, if no other write does it.
    pub learned_flush: Duration,

    /// Messages in flight from a leader.
    pub window_messages: usize,
    /// Actions in one message.
    pub batch_actions_max: usize,
    /// Bytes of actions in one message, but for a single larger one.
    pub batch_bytes_max: usize,
    /// Appends that wait for the window; more are rejected.
    pub queue_max: usize,
    /// The largest value.
    pub value_bytes_max: usize,
    /// Entries in one answer to a fetch or prepare.
    pub chunk_entries_max: usize,
    /// Bytes of actions in one answer to a fetch or prepare, but for a single larger one.
    pub chunk_bytes_max: usize,
    /// Bytes in one piece of a snapshot.
    pub snapshot_chunk_bytes: usize,
    /// The largest snapshot that is taken from a peer.
    pub snapshot_bytes_max: u64,
    /// How far beyond its learned prefix a replica accepts; further, it catches up first.
    pub gap_max: u64,
    /// Applied entries between two snapshots.
    pub snapshot_every: u64,
    /// Learned entries that are kept behind a snapshot, so that a peer that lags a little need
    /// not fetch all of it.
    pub retain: u64,
    /// Entries that a leader lets grow while no snapshot is taken; then appends are rejected.
    pub entries_max: u64,
}

impl Config {
    /// The defaults.
    ///
    /// # Errors
    /// When `masters` is no membership or lacks `me`.
    pub fn new(me: MasterId, masters: Vec<MasterInfo>) -> Result<Config, ConfigError> {
        let config = Config {
            me,
            bootstrap: Membership::new(0, masters)?,
            heartbeat_interval: Duration::from_millis(50),
            lease_timeout: Duration::from_millis(250),
            election_timeout_min: Duration::from_millis(300),
            election_timeout_max: Duration::from_millis(600),
            link_broken_delay_max: Duration::from_millis(40),
            campaign_retry: Duration::from_millis(150),
            campaign_timeout: Duration::from_secs(2),
            resend_min: Duration::from_millis(100),
            resend_max: Duration::from_secs(1),
            store_timeout: Duration::from_secs(20),
            recovery_retry: Duration::from_millis(200),
            fetch_timeout: Duration::from_millis(250),
            learned_flush: Duration::from_millis(100),
            window_messages: 16,
            batch_actions_max: 256,
            batch_bytes_max: 1 << 20,
            queue_max: 1 << 16,
            value_bytes_max: 8 << 20,
            chunk_entries_max: 256,
            chunk_bytes_max: 1 << 20,
            snapshot_chunk_bytes: 256 << 10,
            snapshot_bytes_max: 1 << 32,
            gap_max: 1 << 15,
            snapshot_every: 1 << 14,
            retain: 1 << 12,
            entries_max: 1 << 17,
        };
        config.validate()?;
        Ok(config)
    }

    /// Checks what is changed after [`Config::new`].
    ///
    /// # Errors
    /// Says which value is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if !self.bootstrap.contains(self.me) {
            return Err(ConfigError::Stranger(self.me));
        }
        let ordered = [
            (
                "heartbeat_interval",
                self.heartbeat_interval,
                "lease_timeout",
                self.lease_timeout,
            ),
            (
                "lease_timeout",
                self.lease_timeout,
                "election_timeout_min",
                self.election_timeout_min,
            ),
            (
                "election_timeout_min",
                self.election_timeout_min,
                "election_timeout_max",
                self.election_timeout_max,
            ),
            ("resend_min", self.resend_min, "resend_max", self.resend_max),
        ];
        for (low, low_is, high, high_is) in ordered {
            if low_is >= high_is {
                return Err(ConfigError::Order {
                    low,
                    low_is,
                    high,
                    high_is,
                });
            }
        }
        let bounds = [
            (
                "heartbeat_interval",
                self.heartbeat_interval.as_nanos() as u64,
            ),
            ("campaign_retry", self.campaign_retry.as_nanos() as u64),
            ("recovery_retry", self.recovery_retry.as_nanos() as u64),
            ("fetch_timeout", self.fetch_timeout.as_nanos() as u64),
            ("resend_min", self.resend_min.as_nanos() as u64),
            ("learned_flush", self.learned_flush.as_nanos() as u64),
            ("window_messages", self.window_messages as u64),
            ("batch_actions_max", self.batch_actions_max as u64),
            ("chunk_entries_max", self.chunk_entries_max as u64),
            ("snapshot_chunk_bytes", self.snapshot_chunk_bytes as u64),
            ("gap_max", self.gap_max),
            ("snapshot_every", self.snapshot_every),
            ("entries_max", self.entries_max),
        ];
        let window = self.window_messages.saturating_mul(self.batch_actions_max) as u64;
        if window > self.gap_max {
            return Err(ConfigError::Window {
                window,
                gap_max: self.gap_max,
            });
        }
        match bounds.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(ConfigError::Zero(name)),
            None => Ok(()),
        }
    }

    /// The most effects that one input can cause: a restart applies all that it finds on disk.
    #[must_use]
    pub fn effects_max(&self) -> usize {
        1 << 20
    }
}
