use super::batch::{Batch, Outcome, Void};
use super::config::Config;
use super::operation::{Operation, Reject};
use crate::invariant::{Cost, Invariant};
use crate::log::Ballot;
use crate::outbox::Outbox;
use crate::time::{Now, Time};
use crate::wire;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Stores operations for the leader: one batch in flight, what comes meanwhile forms the next.
///
/// It lives as long as the leadership. Any failure, time-out or mismatch of versions ends it for
/// good, since the fate of what was in flight is then unknown (MESOS-1038): the master steps
/// down, and what it knew is rebuilt by whoever is elected next.
#[derive(Clone, Debug)]
pub struct Registrar {
    config: Config,
    ballot: Ballot,
    /// The registry's version after everything that this registrar has seen applied.
    version: u64,
    queue: VecDeque<Queued>,
    in_flight: Option<InFlight>,
    ended: bool,
}

#[derive(Clone, Debug)]
struct Queued {
    operation: Operation,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct InFlight {
    operations: Vec<Operation>,
    deadline: Time,
}

/// What the registrar wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Append this record to the log.
    Store {
        /// The encoded [`Batch`].
        record: Arc<[u8]>,
        /// How many operations it holds.
        operations: usize,
    },
    /// This operation is durable and applied, or was rejected when it was its turn. Only now may
    /// anything be done or said about it.
    Stored {
        /// As it was handed in.
        operation: Operation,
        /// Whether it had effect.
        result: Result<(), Reject>,
    },
    /// It is over: the master must step down.
    Ended(Ending),
}

/// Why a registrar ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Ending {
    /// The batch in flight took too long; nobody knows whether it is in the log.
    #[error("the registry's store timed out: whether it happened is unknown")]
    Timeout,
    /// The log did not take the record.
    #[error("the log refused a record")]
    Refused,
    /// The batch was void.
    #[error("the batch in flight was void: {0}")]
    Void(#[from] Void),
    /// Somebody else changed the registry.
    #[error("another leader changed the registry to version {version}")]
    Overtaken {
        /// The registry's version now.
        version: u64,
    },
}

/// Why an operation was not taken. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Refused {
    /// Too many operations wait.
    #[error("{0} operations wait for the registry: try again later")]
    Busy(usize),
    /// It does not fit a batch.
    #[error("an operation of {bytes} bytes is larger than a batch of {bytes_max}")]
    Large {
        /// Its size.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The registrar has ended.
    #[error("the registrar has ended: this master steps down")]
    Ended,
}

impl Registrar {
    /// `version` is the registry's once everything before this leadership is applied.
    #[must_use]
    pub fn new(config: Config, ballot: Ballot, version: u64) -> Registrar {
        assert!(config.batch_operations_max > 0, "a batch holds something");
        Registrar {
            config,
            ballot,
            version,
            queue: VecDeque::new(),
            in_flight: None,
            ended: false,
        }
    }

    /// Takes an operation, to be stored with the next batch. Answered by [`Effect::Stored`]
    /// unless the registrar ends first.
    ///
    /// # Errors
    /// When it cannot be taken now; nothing was changed.
    pub fn store(
        &mut self,
        now: Now,
        operation: Operation,
        fx: &mut Outbox<Effect>,
    ) -> Result<(), Refused> {
        if self.ended {
            return Err(Refused::Ended);
        }
        if self.queue.len() >= self.config.operations_queued_max {
            return Err(Refused::Busy(self.queue.len()));
        }
        let bytes = wire::encoded_len(&operation);
        let bytes_max = self.config.batch_bytes_max;
        if bytes > bytes_max {
            return Err(Refused::Large { bytes, bytes_max });
        }
        self.queue.push_back(Queued { operation, bytes });
        self.send_next(now, fx);
        Ok(())
    }

    /// A record of the log was applied to this master's registry.
    pub fn on_applied(
        &mut self,
        now: Now,
        batch: &Batch,
        outcome: Outcome,
        fx: &mut Outbox<Effect>,
    ) {
        if self.ended {
            return;
        }
        let ours = batch.ballot == self.ballot && batch.expected_version == self.version;
        match outcome {
            Outcome::Effective(results) if ours => {
                let Some(in_flight) = self.in_flight.take() else {
                    return self.end(
                        Ending::Overtaken {
                            version: self.version + 1,
                        },
                        fx,
                    );
                };
                assert_eq!(results.len(), in_flight.operations.len());
                self.version += 1;
                for (operation, result) in in_flight.operations.into_iter().zip(results) {
                    fx.push(Effect::Stored { operation, result });
                }
                self.send_next(now, fx);
            }
            Outcome::Effective(_) => {
                let version = batch.expected_version + 1;
                self.end(Ending::Overtaken { version }, fx);
            }
            Outcome::Void(void) if ours => self.end(Ending::Void(void), fx),
            // Void of somebody deposed: nothing changed.
            Outcome::Void(_) => {}
        }
    }

    /// The log did not take a record.
    pub fn on_refused(&mut self, fx: &mut Outbox<Effect>) {
        if self.in_flight.is_some() {
            self.end(Ending::Refused, fx);
        }
    }

    /// The registry was replaced by a snapshot: it is ahead of what this leader stored.
    pub fn on_replaced(&mut self, version: u64, fx: &mut Outbox<Effect>) {
        self.end(Ending::Overtaken { version }, fx);
    }

    /// The deadline came.
    pub fn tick(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        if self.deadline().is_some_and(|deadline| deadline <= now.mono) {
            self.end(Ending::Timeout, fx);
        }
    }

    /// When the batch in flight is given up.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.in_flight.as_ref().map(|in_flight| in_flight.deadline)
    }

    /// The registry's version, as far as it has seen batches applied.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether it is over.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// How many operations wait or are in flight.
    #[must_use]
    pub fn pending(&self) -> usize {
        let in_flight = self.in_flight.as_ref();
        self.queue.len() + in_flight.map_or(0, |in_flight| in_flight.operations.len())
    }

    fn send_next(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        if self.in_flight.is_some() || self.queue.is_empty() {
            return;
        }
        let mut operations = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.queue.front() {
            if operations.len() == self.config.batch_operations_max
                || bytes + next.bytes > self.config.batch_bytes_max
            {
                break;
            }
            bytes += next.bytes;
            operations.extend(self.queue.pop_front().map(|queued| queued.operation));
        }
        assert!(
            !operations.is_empty(),
            "each operation fits a batch by itself"
        );
        let batch = Batch {
            expected_version: self.version,
            ballot: self.ballot,
            operations,
        };
        fx.push(Effect::Store {
            record: batch.encode(),
            operations: batch.operations.len(),
        });
        self.in_flight = Some(InFlight {
            operations: batch.operations,
            deadline: now.mono + self.config.store_timeout,
        });
    }

    fn end(&mut self, ending: Ending, fx: &mut Outbox<Effect>) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.in_flight = None;
        self.queue.clear();
        fx.push(Effect::Ended(ending));
    }
}

/// What is true of a registrar.
pub const REGISTRAR_INVARIANTS: &[Invariant<Registrar>] = &[
    Invariant {
        id: "registrar.one-store-in-flight",
        why: "Operations wait only behind a batch in flight, and no more of them than allowed.",
        cost: Cost::Constant,
        holds: |registrar| {
            let waiting = registrar.queue.len();
            if waiting > registrar.config.operations_queued_max {
                return Err(format!("{waiting} operations wait"));
            }
            if registrar.in_flight.is_none() && waiting > 0 {
                return Err(format!("{waiting} operations wait for nothing"));
            }
            Ok(())
        },
    },
    Invariant {
        id: "registrar.ends-for-good",
        why: "A registrar that met a failure, a time-out or a foreign version stores nothing more.",
        cost: Cost::Constant,
        holds: |registrar| {
            if registrar.ended && registrar.pending() > 0 {
                return Err(format!("ended with {} pending", registrar.pending()));
            }
            Ok(())
        },
    },
];
