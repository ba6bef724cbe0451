//! What breaks at random.

use super::Target;
use crate::units::Span;
use serde::Deserialize;

/// Those kinds that operators ask for.
pub const REQUESTS: &[&str] = &[
    "drain",
    "deactivate",
    "mark_gone",
    "maintenance",
    "quota",
    "weight",
    "reserve",
];

/// Random faults, by kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Random {
    /// From when; the beginning if absent.
    pub from: Option<Span>,
    /// Until when; the healing if absent.
    pub until: Option<Span>,
    /// `kill -9`, and a start some time later.
    pub crash: Option<Rate>,
    /// A host without power, and a boot some time later.
    pub power_cut: Option<Rate>,
    /// A disk lost with its process, while no other master lacks its vote.
    pub wipe: Option<Rate>,
    /// SIGSTOP and SIGCONT.
    pub pause: Option<Rate>,
    /// Some against everyone else, both ways.
    pub isolate: Option<Rate>,
    /// Some against everyone else, one way only.
    pub one_way: Option<Rate>,
    /// Two halves of the masters.
    pub halves: Option<Rate>,
    /// A slow stretch of the network.
    pub clog: Option<Rate>,
    /// All connections of some nodes are reset.
    pub reset: Option<Rate>,
    /// A disk without space.
    pub disk_full: Option<Rate>,
    /// A failed sync.
    pub fail_sync: Option<Rate>,
    /// A slow disk.
    pub slow_disk: Option<Rate>,
    /// A torn write at a crash.
    pub torn: Option<Rate>,
    /// A rotten record, while no other master lacks its vote.
    pub rot: Option<Rate>,
    /// A jump of wall clocks, either way.
    pub clock_jump: Option<Rate>,
    /// Loss of datagrams between masters, of a tenth.
    pub lossy: Option<Rate>,
    /// Operators drain agents, and take them into use again some time later.
    pub drain: Option<Rate>,
    /// Operators deactivate agents, and reactivate them some time later.
    pub deactivate: Option<Rate>,
    /// Operators give agents up for ever.
    pub mark_gone: Option<Rate>,
    /// Operators take machines down for maintenance, and up again some time later.
    pub maintenance: Option<Rate>,
    /// Operators set the quota of some role, and take it away some time later.
    pub quota: Option<Rate>,
    /// Operators set the weight of some role.
    pub weight: Option<Rate>,
    /// Operators reserve resources of agents and make volumes of them, and unmake these some time
    /// later.
    pub reserve: Option<Rate>,
}

/// How often, whom, for how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// On average.
    pub per_minute: f64,
    /// Whom; a random master, or a random node for what can hit any.
    #[serde(default)]
    pub of: Option<Target>,
    /// How long it lasts: between these.
    #[serde(default, rename = "for")]
    pub lasts: Option<(Span, Span)>,
}

impl Random {
    /// Each kind with its rate, in a fixed order.
    #[must_use]
    pub fn rates(&self) -> Vec<(&'static str, &Rate)> {
        let all = [
            ("crash", &self.crash),
            ("power_cut", &self.power_cut),
            ("wipe", &self.wipe),
            ("pause", &self.pause),
            ("isolate", &self.isolate),
            ("one_way", &self.one_way),
            ("halves", &self.halves),
            ("clog", &self.clog),
            ("reset", &self.reset),
            ("disk_full", &self.disk_full),
            ("fail_sync", &self.fail_sync),
            ("slow_disk", &self.slow_disk),
            ("torn", &self.torn),
            ("rot", &self.rot),
            ("clock_jump", &self.clock_jump),
            ("lossy", &self.lossy),
            ("drain", &self.drain),
            ("deactivate", &self.deactivate),
            ("mark_gone", &self.mark_gone),
            ("maintenance", &self.maintenance),
            ("quota", &self.quota),
            ("weight", &self.weight),
            ("reserve", &self.reserve),
        ];
        let given = all.into_iter();
        given
            .filter_map(|(name, rate)| Some((name, rate.as_ref()?)))
            .collect()
    }
}
