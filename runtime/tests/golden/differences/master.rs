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
        captures: &["master.get.metrics_snapshot*", "master.v1.GET_METRICS"],
        kind: Kind::More,
        what: &[
            "/allocator/fragmentation/*",
            "/allocator/headroom/*",
            "/allocator/stranded/*",
            "/get_metrics/metrics/allocator/fragmentation/*",
            "/get_metrics/metrics/allocator/headroom/*",
            "/get_metrics/metrics/allocator/stranded/*",
        ],
        why: "sums of what is free do not tell what still fits",
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
        captures: &["operator.subscribe.stream"],
        kind: Kind::Missing,
        what: &["SUBSCRIBED: /subscribed/get_state/get_tasks/completed_tasks[]/statuses[]/reason"],
        why: "a task that has finished is not said to be killed when its framework leaves",
    },
    Difference {
        captures: &["operator.subscribe.stream"],
        kind: Kind::Type,
        what: &["Some([\"TASK_UPDATED opstream TASK_STARTING -\", *"],
        why: "a task that has finished is not said to be killed when its framework leaves",
    },
    Difference {
        captures: &["operator.subscribe.stream"],
        kind: Kind::Missing,
        what: &[
            "SUBSCRIBED: /subscribed/get_state/get_frameworks/completed_frameworks[]\
             /framework_info/roles",
        ],
        why: "the frameworks that have ended here have one role, as Mesos' client had before",
    },
    Difference {
        captures: &["scheduler.stream", "operator.subscribe.stream"],
        kind: Kind::Missing,
        what: &[
            "UPDATE g-sleep TASK_STARTING -: /update/status/container_status/executor_pid",
            "UPDATE g-echo TASK_STARTING -: /update/status/container_status/executor_pid",
            "TASK_UPDATED opstream TASK_STARTING -: /task_updated/status/container_status\
             /executor_pid",
        ],
        why: "an executor within the agent has no process of its own, and the task's is still to \
              be started",
    },
    Difference {
        captures: &["ext.op.REACTIVATE3"],
        kind: Kind::Status,
        what: &["400 is 200 here"],
        why: "an agent on which nothing runs is drained at once",
    },
    Difference {
        captures: &["ext.draining.*"],
        kind: Kind::More,
        what: &[
            "/get_tasks/tasks[]/statuses[]/message",
            "/get_tasks/tasks[]/statuses[]/reason",
            "/get_state/get_tasks/tasks[]/statuses[]/message",
            "/get_state/get_tasks/tasks[]/statuses[]/reason",
        ],
        why: "the captured tasks had not heard of their end yet",
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
