//! The log's notices, as people read them in a timeline or a log file.

use super::effect::{Demotion, Fatal, Notice};
use super::replica::Status;
use core::fmt;

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Empty => "empty",
            Status::Starting => "starting",
            Status::Voting => "voting",
            Status::Recovering => "recovering",
        })
    }
}

impl fmt::Display for Demotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Demotion::Superseded { by } => write!(f, "ballot {by} was promised"),
            Demotion::LeaseExpired => f.write_str("no quorum answered in time"),
            Demotion::StoreTimeout => f.write_str("a write was not chosen in time"),
            Demotion::CampaignTimeout => f.write_str("no quorum promised in time"),
            Demotion::Behind => f.write_str("a peer has truncated what is yet to be learned"),
            Demotion::LostVotes => f.write_str("this replica's votes are void"),
            Demotion::SteppedDown => f.write_str("its registry asked for it"),
        }
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fatal::Unrepairable { at_bytes, why } => write!(
                f,
                "the journal is damaged at byte {at_bytes} ({why}) and no other master can repair \
                 it: restore the work directory from a backup"
            ),
            Fatal::Unreadable { position, why } => write!(
                f,
                "what stands at position {position} cannot be read ({why}): run the version that \
                 wrote it"
            ),
            Fatal::Diverged { position, from } => write!(
                f,
                "{from} says that another value was learned at position {position}: a disk lied; \
                 start this master with an empty work directory"
            ),
        }
    }
}

/// One line, without the time.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::StatusChanged { status } => write!(f, "log replica is {status}"),
            Notice::Suspecting {
                leader: Some(leader),
            } => write!(f, "suspects that {leader} is dead, asks for votes"),
            Notice::Suspecting { leader: None } => f.write_str("hears no leader, asks for votes"),
            Notice::Campaigning { ballot } => write!(f, "campaigns with ballot {ballot}"),
            Notice::CampaignFailed { ballot, why } => {
                write!(f, "gives up ballot {ballot}: {why}")
            }
            Notice::Filling { first, last } => {
                write!(
                    f,
                    "has a quorum, proposes positions {first} to {last} again"
                )
            }
            Notice::HoleFilled { position } => write!(f, "fills the hole at position {position}"),
            Notice::FollowingLeader { ballot } => {
                write!(f, "follows {} with ballot {ballot}", ballot.proposer)
            }
            Notice::LateWriteIgnored { position } => {
                write!(
                    f,
                    "a late write at learned position {position} changes nothing"
                )
            }
            Notice::CaughtUp { through } => write!(f, "has caught up through {through}"),
            Notice::SnapshotInstalled { through } => {
                write!(f, "takes over a peer's snapshot through {through}")
            }
            Notice::Truncated { begin } => write!(f, "log now begins at {begin}"),
            Notice::Joining { why, .. } => write!(f, "joins as a new incarnation: {why}"),
            Notice::Fenced { joiner, .. } => {
                write!(f, "a quorum has fenced the former life of {joiner}")
            }
            Notice::VoidVoteIgnored { from } => {
                write!(f, "does not count a vote of a former life of {from}")
            }
            Notice::CorruptRecordRepaired { through } => {
                write!(
                    f,
                    "its damaged journal is repaired from peers through {through}"
                )
            }
        }
    }
}
