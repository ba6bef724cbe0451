//! What masters answer differently.

use super::{Difference, Kind};

/// All of it.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        captures: &["master.get.processes"],
        kind: Kind::Status,
        what: &["200 is 404 here"],
        why: "it lists the actors of libprocess, of which there are none",
    },
    Difference {
        captures: &["master.get.profiler_start"],
        kind: Kind::Status,
        what: &["400 is 404 here"],
        why: "profilers of the host see more than one within would",
    },
    Difference {
        captures: &["*"],
        kind: Kind::More,
        what: &["/flags/quorum", "/get_flags/flags/quorum"],
        why: "the captured masters kept their registry in memory, which has no quorum",
    },
    Difference {
        captures: &["master.get.metrics_snapshot*", "master.v1.GET_METRICS"],
        kind: Kind::More,
        what: &[
            "/registrar/log/recovered",
            "/registrar/log/ensemble_size",
            "/get_metrics/metrics/registrar/log/recovered",
            "/get_metrics/metrics/registrar/log/ensemble_size",
        ],
        why: "the captured masters kept their registry in memory, not in a log",
    },
    Difference {
        captures: &["master.get.metrics_snapshot*", "master.v1.GET_METRICS"],
        kind: Kind::More,
        what: &[
            "/log/applied",
            "/log/leader",
            "/master/slaves_gone",
            "/master/slaves_missing",
            "/registrar/version",
            "/get_metrics/metrics/log/applied",
            "/get_metrics/metrics/log/leader",
            "/get_metrics/metrics/master/slaves_gone",
            "/get_metrics/metrics/master/slaves_missing",
            "/get_metrics/metrics/registrar/version",
        ],
        why: "whoever watches a cluster wants to know how far each master's log is, and which \
              agents are expected or gone",
    },
    Difference {
        captures: &["master.v1.GET_TASKS", "master.v1.GET_STATE"],
        kind: Kind::Missing,
        what: &[
            "/get_tasks/completed_tasks[]/statuses[]/reason",
            "/get_state/get_tasks/completed_tasks[]/statuses[]/reason",
        ],
        why: "a task that has finished is not said to be killed when its framework leaves",
    },
    Difference {
        captures: &["ext.op.CREATE_VOLUMES_dup"],
        kind: Kind::Reason,
        what: &["'Invalid CREATE operation on agent *"],
        why: "an agent is named by its id alone",
    },
    Difference {
        captures: &["ext.op.RESERVE_too_much", "ext.op.UNRESERVE_again"],
        kind: Kind::Reason,
        what: &["'cpus:3; mem:4096; *", "'cpus:4; mem:4032; *"],
        why: "resources are written in our order, which is the same for all that are equal",
    },
];

/// What nothing is compared with, and why.
pub const NOT_COMPARED: &[(&str, &str)] = &[
    (
        "mesos-execute.sleep2",
        "what Mesos' own client prints, which a test of clients runs",
    ),
    (
        "mesos-execute.taskgroup",
        "what Mesos' own client prints, which a test of clients runs",
    ),
    (
        "mesos-execute.unreachable",
        "what Mesos' own client prints, which a test of clients runs",
    ),
];
