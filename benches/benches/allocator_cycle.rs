//! One allocation cycle, for agents {1k, 10k, 50k} x frameworks {1, 50, 200, 1,000}, in one role
//! and in a role each, in the states in which Mesos was measured (see `tepui_benches::allocation`).
//!
//! Only the CPU time of the cycle itself counts, as it did for Mesos; what comes before it
//! (returning offers, adding agents) has figures of its own, under `recover` and `add-agents`.
//! Criterion leaves its results under `target/criterion/allocator_cycle_*`; the lines printed at
//! the end compare the medians with Mesos.

use criterion::{BenchmarkId, Criterion};
use std::cell::{OnceCell, RefCell};
use std::hint::black_box;
use std::time::Duration;
use tepui_benches::allocation::{
    MESOS_ADD_AGENTS, MESOS_DECLINED_FOREVER, MESOS_FILTERED, MESOS_USED, mesos_ms,
    mesos_offered_ms,
};
use tepui_core::allocator::{
    AgentIndex, AgentOrder, Allocation, Allocator, CLASSES_MAX, FrameworkIndex, Options,
};
use tepui_core::ids::{AgentId, FrameworkId};
use tepui_core::placement::{Class, Models};
use tepui_core::resources::{Resources, Role};
use tepui_core::rng::Rng;
use tepui_core::time::Time;

const AGENTS: [usize; 3] = [1_000, 10_000, 50_000];
const FRAMEWORKS: [usize; 4] = [1, 50, 200, 1_000];
/// More filters than this take longer to install than the benchmark should.
const FILTERS_MAX: usize = 10_000_000;
const FOREVER: Duration = Duration::from_secs(365 * 86_400);
const TOTAL: &str = "cpus:24;mem:4096;disk:4096;ports:[31000-32000]";

/// What this thread has computed so far. Mesos was measured in CPU time as well, and on a shared
/// machine nothing else can be compared.
fn cpu_time() -> Duration {
    let clock = nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID;
    Duration::from(nix::time::clock_gettime(clock).expect("every thread has this clock"))
}

/// A cluster in which every agent is partly used.
struct Cluster {
    allocator: Allocator,
    agents: Vec<AgentIndex>,
    frameworks: Vec<(FrameworkIndex, Role)>,
    offers: Vec<Allocation>,
    now: Time,
}

fn used() -> Resources {
    let ports: Vec<String> = (0..16)
        .map(|at| format!("{}-{}", 31_000 + 20 * at, 31_000 + 20 * at + 4))
        .collect();
    let text = format!("cpus:16;mem:2014;disk:1024;ports:[{}]", ports.join(","));
    text.parse().expect("a valid text")
}

impl Cluster {
    fn empty(frameworks: usize, role_each: bool) -> Cluster {
        Cluster::ordered(frameworks, role_each, AgentOrder::default())
    }

    fn ordered(frameworks: usize, role_each: bool, agent_order: AgentOrder) -> Cluster {
        let rng = Rng::from_seed(1, "allocator");
        let options = Options {
            agent_order,
            ..Options::default()
        };
        let mut allocator = Allocator::new(options, rng);
        let named = (0..frameworks).map(|at| {
            let role = if role_each {
                format!("role-{at}")
            } else {
                "*".into()
            };
            let role = Role::new(&role).expect("a valid role");
            let id = FrameworkId::new(&format!("framework-{at:04}")).expect("a valid id");
            let roles = std::slice::from_ref(&role);
            let framework = allocator.add_framework(id, roles, &[]).expect("a new one");
            allocator
                .activate_framework(framework)
                .expect("a known one");
            (framework, role)
        });
        let frameworks = named.collect();
        Cluster {
            allocator,
            agents: Vec::new(),
            frameworks,
            offers: Vec::new(),
            now: Time::ZERO,
        }
    }

    fn add_agents(&mut self, agents: usize, used: &Resources) {
        self.add_agents_with(TOTAL, agents, used);
    }

    fn add_agents_with(&mut self, total: &str, agents: usize, used: &Resources) {
        let total: Resources = total.parse().expect("a valid text");
        for at in 0..agents {
            let id = AgentId::new(&format!("agent-{at:05}")).expect("a valid id");
            let (framework, role) = self.frameworks[at % self.frameworks.len()].clone();
            let used = [(framework, role, used.clone())];
            let agent = self.allocator.add_agent(id, total.clone(), &used);
            self.agents.push(agent.expect("a new one"));
        }
    }

    fn new(agents: usize, frameworks: usize, role_each: bool) -> Cluster {
        let mut cluster = Cluster::empty(frameworks, role_each);
        cluster.add_agents(agents, &used());
        cluster
    }

    fn allocate(&mut self) -> Duration {
        self.now = self.now + Duration::from_secs(1);
        let start = cpu_time();
        self.allocator.allocate(self.now, &mut self.offers);
        let took = cpu_time() - start;
        black_box(&self.offers);
        took
    }

    fn return_all(&mut self, refuse: Option<Duration>) -> Duration {
        let now = self.now;
        let start = cpu_time();
        for offer in self.offers.drain(..) {
            let Allocation {
                framework,
                role,
                agent,
                resources,
            } = offer;
            self.allocator
                .recover_resources(now, framework, &role, agent, resources, refuse)
                .expect("it is held");
        }
        cpu_time() - start
    }

    /// Every framework declines every agent, for a year.
    fn filter_all(&mut self) {
        for _ in 0..self.frameworks.len() {
            self.allocate();
            assert_eq!(
                self.offers.len(),
                self.agents.len(),
                "every agent is offered"
            );
            self.return_all(Some(FOREVER));
        }
        self.allocate();
        assert!(self.offers.is_empty(), "everybody has declined everything");
    }

    fn touch_all(&mut self) {
        for agent in &self.agents {
            self.allocator
                .deactivate_agent(*agent)
                .expect("a known one");
            self.allocator.activate_agent(*agent).expect("a known one");
        }
    }
}

/// What was measured, and what Mesos took.
struct Row {
    name: String,
    median: Duration,
    mesos_ms: Option<f64>,
}

struct Bench<'a> {
    criterion: &'a mut Criterion,
    rows: Vec<Row>,
}

impl Bench<'_> {
    /// Times `cycle`, which says how long the part took that counts.
    fn run(
        &mut self,
        state: &str,
        size: &str,
        mesos_ms: Option<f64>,
        mut cycle: impl FnMut() -> Duration,
    ) {
        let times = RefCell::new(Vec::new());
        let group = format!("allocator_cycle_{state}");
        let mut group = self.criterion.benchmark_group(&group);
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter_custom(|iterations| {
                let mut sum = Duration::ZERO;
                for _ in 0..iterations {
                    let took = cycle();
                    times.borrow_mut().push(took);
                    sum += took;
                }
                sum
            });
        });
        group.finish();
        let mut times = times.into_inner();
        times.sort_unstable();
        // Empty where a filter on the command line left this one out.
        if let Some(median) = times.get(times.len() / 2) {
            let name = format!("{state}/{size}");
            self.rows.push(Row {
                name,
                median: *median,
                mesos_ms,
            });
        }
    }

    fn print(&self) {
        println!(
            "\n{:<44} {:>12} {:>10} {:>8}",
            "allocation cycle", "median", "Mesos", "times"
        );
        for row in &self.rows {
            let ms = row.median.as_secs_f64() * 1e3;
            let (mesos, times) = match row.mesos_ms {
                Some(mesos) => (format!("{mesos} ms"), format!("{:.0}", mesos / ms)),
                None => (String::from("-"), String::from("-")),
            };
            println!("{:<44} {:>9.4} ms {mesos:>10} {times:>8}", row.name, ms);
        }
    }
}

fn offered(bench: &mut Bench<'_>, agents: usize, frameworks: usize, role_each: bool) {
    let size = size(agents, frameworks, role_each);
    let mesos = mesos_offered_ms(agents, frameworks, role_each);
    let cluster = OnceCell::new();
    let cluster = || {
        let build = || RefCell::new(Cluster::new(agents, frameworks, role_each));
        cluster.get_or_init(build).borrow_mut()
    };
    bench.run("offered", &size, mesos, || {
        let mut cluster = cluster();
        cluster.return_all(None);
        let took = cluster.allocate();
        assert_eq!(cluster.offers.len(), agents, "every agent is offered");
        took
    });
    bench.run("recover", &size, None, || {
        let mut cluster = cluster();
        let took = cluster.return_all(None);
        cluster.allocate();
        took
    });
}

/// As `offered`, with agents in the order of a policy: with places known from the cycle before,
/// and with all of them to be found anew, after another mix of tasks.
fn ordered(bench: &mut Bench<'_>, agents: usize, frameworks: usize, gpus: u32) {
    let size = format!("{}-{gpus}-gpus", size(agents, frameworks, true));
    let total = format!("{TOTAL};gpus:{gpus}");
    for order in ["random", "bestfit", "fgd", "fgdx"] {
        let mut cluster = None;
        let build = || {
            let order = order.parse().expect("an order");
            let mut cluster = Cluster::ordered(frameworks, true, order);
            cluster.add_agents_with(&total, agents, &used());
            cluster.allocator.set_typical(&classes(0));
            cluster
        };
        bench.run(&format!("order-{order}"), &size, None, || {
            let cluster = cluster.get_or_insert_with(build);
            cluster.return_all(None);
            cluster.allocate()
        });
        if order == "random" {
            continue;
        }
        let mut turn = 0;
        bench.run(&format!("order-{order}-another-mix"), &size, None, || {
            let cluster = cluster.get_or_insert_with(build);
            cluster.return_all(None);
            turn += 1;
            let start = cpu_time();
            cluster.allocator.set_typical(&classes(turn % 2));
            let took = cpu_time() - start;
            took + cluster.allocate()
        });
    }
}

/// As many typical classes as there may be.
fn classes(more: i64) -> Vec<Class> {
    let class = |at: i64| Class {
        cpu_milli: 500 * (at + 1),
        gpu_milli: 1_000 * i32::from(at % 2 == 1),
        gpus: (at % 2) as u32,
        models: Models::default(),
        count: 100 - at + more,
    };
    (0..CLASSES_MAX as i64).map(class).collect()
}

fn used_up(bench: &mut Bench<'_>, agents: usize, frameworks: usize, role_each: bool) {
    let size = size(agents, frameworks, role_each);
    let mesos = mesos_ms(MESOS_USED, agents, frameworks);
    let mut cluster = None;
    bench.run("used", &size, mesos, || {
        let cluster = cluster.get_or_insert_with(|| {
            let mut cluster = Cluster::empty(frameworks, role_each);
            cluster.add_agents(agents, &TOTAL.parse().expect("a valid text"));
            cluster
        });
        let took = cluster.allocate();
        assert!(cluster.offers.is_empty(), "nothing is free");
        took
    });
}

fn filtered(bench: &mut Bench<'_>, agents: usize, frameworks: usize, role_each: bool) {
    if agents * frameworks > FILTERS_MAX {
        return;
    }
    let size = size(agents, frameworks, role_each);
    let mesos = mesos_ms(MESOS_FILTERED, agents, frameworks);
    let forever = mesos_ms(MESOS_DECLINED_FOREVER, agents, frameworks);
    let (mut rounds, mut declining) = (0, None);
    bench.run("declined-forever", &size, forever, || {
        if rounds % frameworks == 0 {
            declining = Some(Cluster::new(agents, frameworks, role_each));
        }
        rounds += 1;
        let cluster = declining.as_mut().expect("made in the first round");
        let took = cluster.allocate();
        cluster.return_all(Some(FOREVER));
        took
    });
    let cluster = OnceCell::new();
    let cluster = || {
        let build = || {
            let mut cluster = Cluster::new(agents, frameworks, role_each);
            cluster.filter_all();
            RefCell::new(cluster)
        };
        cluster.get_or_init(build).borrow_mut()
    };
    bench.run("filtered-unchanged", &size, mesos, || cluster().allocate());
    bench.run("filtered-touched", &size, mesos, || {
        let mut cluster = cluster();
        cluster.touch_all();
        let took = cluster.allocate();
        assert!(
            cluster.offers.is_empty(),
            "everybody has declined everything"
        );
        took
    });
}

fn add_agents(bench: &mut Bench<'_>, agents: usize, frameworks: usize) {
    let size = size(agents, frameworks, true);
    let mesos = mesos_ms(MESOS_ADD_AGENTS, agents, frameworks);
    let used = used();
    bench.run("add-agents", &size, mesos, || {
        let mut cluster = Cluster::empty(frameworks, true);
        let start = cpu_time();
        cluster.add_agents(agents, &used);
        cluster.allocate();
        cpu_time() - start
    });
}

fn size(agents: usize, frameworks: usize, role_each: bool) -> String {
    let roles = if role_each { "role-each" } else { "one-role" };
    format!("{agents}x{frameworks}-{roles}")
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .without_plots()
        .configure_from_args();
    let mut bench = Bench {
        criterion: &mut criterion,
        rows: Vec::new(),
    };
    for agents in AGENTS {
        for frameworks in FRAMEWORKS {
            for role_each in [false, true] {
                offered(&mut bench, agents, frameworks, role_each);
                used_up(&mut bench, agents, frameworks, role_each);
                filtered(&mut bench, agents, frameworks, role_each);
            }
        }
    }
    add_agents(&mut bench, 10_000, 1_000);
    for gpus in [0, 8] {
        ordered(&mut bench, 10_000, 100, gpus);
    }
    bench.print();
    criterion.final_summary();
}
