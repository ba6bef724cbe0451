//! What-ifs and offers, on cases that can be done by hand.

use std::num::NonZeroUsize;
use tepui_core::allocator::AgentOrder;
use tepui_core::placement::{Capacity, Devices, Free, Policy, Shape};
use tepui_core::resources::Role;
use tepui_sim::capacity::amounts::{Amounts, Resource};
use tepui_sim::capacity::drf::{Appetite, Offers};
use tepui_sim::capacity::machine::Machine;
use tepui_sim::capacity::offered::Reserved;
use tepui_sim::capacity::replay::{replay, replay_offers};
use tepui_sim::capacity::snapshot::{Running, Snapshot};
use tepui_sim::capacity::task::Task;
use tepui_sim::capacity::what_if::{Changes, Settings, State, any, what_if};
use tepui_sim::capacity::workload::{Order, Workload};

fn free(cpu_milli: i64, memory_mib: i64, gpus: usize) -> Free {
    Free::all_of(&Capacity {
        cpu_milli,
        memory_mib,
        gpus,
        ..Capacity::default()
    })
}

fn shape(cpu_milli: i64, memory_mib: i64) -> Shape {
    Shape {
        cpu_milli,
        memory_mib,
        ..Shape::default()
    }
}

/// Ghodsi et al., "Dominant Resource Fairness", NSDI 2011, section 4.1: of 9 cpus and 18 GB, user A
/// with tasks of 1 cpu and 4 GB gets three, user B with tasks of 3 cpus and 1 GB gets two.
fn paper(appetite: Appetite, seed: u64) -> Vec<usize> {
    let shapes = [shape(1000, 4096), shape(3000, 1024)];
    let roles = ["a", "b"].map(|role| Role::new(role).unwrap());
    let none = Reserved::new();
    let machine = vec![(free(9000, 18 * 1024, 0), &none)];
    let mut offers = Offers::new(machine, &roles, &shapes, appetite, seed).unwrap();
    for _ in 0..10 {
        offers.arrive(0, 0);
        offers.arrive(1, 1);
    }
    let mut tasks = vec![0, 0];
    let given_up = offers.settle(|launch, _| tasks[launch.framework] += 1);
    assert_eq!(given_up + tasks[0] + tasks[1], 20);
    tasks
}

#[test]
fn dominant_resource_fairness_is_as_in_the_paper() {
    for seed in 1..=5 {
        assert_eq!(paper(Appetite::OneTask, seed), [3, 2]);
        // Who takes all that fits of the only offer leaves the other what is left.
        assert_eq!(paper(Appetite::AllThatFits, seed), [4, 1]);
    }
}

/// Twice the weight, twice the dominant share.
#[test]
fn weights_count_among_offers() {
    let shapes = [shape(1000, 1024)];
    let roles = ["a", "b"].map(|role| Role::new(role).unwrap());
    let none = Reserved::new();
    let machine = vec![(free(9000, 9 * 1024, 0), &none)];
    let mut offers = Offers::new(machine, &roles, &shapes, Appetite::OneTask, 1).unwrap();
    let two = tepui_core::resources::Scalar::from_units(2);
    offers.allocator().set_weight(&roles[0], two).unwrap();
    for _ in 0..9 {
        offers.arrive(0, 0);
        offers.arrive(1, 0);
    }
    let mut tasks = [0, 0];
    offers.settle(|launch, _| tasks[launch.framework] += 1);
    assert_eq!(tasks, [6, 3]);
}

/// Ten machines with four GPUs each, and tasks of three applications in two roles.
fn small_workload() -> Workload {
    let machines = (0..10).map(|number| Machine {
        name: format!("m{number}"),
        capacity: Capacity {
            cpu_milli: 16_000,
            memory_mib: 65_536,
            gpus: 4,
            ..Capacity::default()
        },
        ..Machine::default()
    });
    let tasks = (0..120).map(|number| {
        let (gpus, gpu_milli) = [(0, 0), (1, 300), (1, 1000), (2, 1000)][number % 4];
        Task {
            name: format!("t{number:03}"),
            application: ["web", "train", "batch"][number % 3].into(),
            role: ["front", "back"][number % 2].into(),
            shape: Shape {
                cpu_milli: 1000,
                memory_mib: 2048,
                gpus,
                gpu_milli,
                ..Shape::default()
            },
            ..Task::default()
        }
    });
    Workload::new(machines.collect(), tasks.collect(), Vec::new())
}

#[test]
fn offers_place_all_that_fits_and_the_same_for_a_seed() {
    let workload = small_workload();
    let (order, measure) = (Order::by_name(&workload), workload.measure());
    let burst = |count| NonZeroUsize::new(count).unwrap();
    for count in [1, 7, 120] {
        let run = |seed| replay_offers(&workload, &order, &measure, burst(count), seed).unwrap();
        let (first, again) = (run(3), run(3));
        assert_eq!(first, again);
        assert_eq!(first.arrivals, 120);
        // 40 GPUs; 30 shares of 0.3, 30 of one and 30 of two are asked for: all of it is given
        // away but what no task that is left can use.
        assert!(
            first.failed > 0 && first.allocated_gpu_milli > 36_000,
            "{first:?}"
        );
        assert!(first.allocated_gpu_milli <= 40_000);
    }
    // As long as everything fits, every way of placing allocates the same.
    let few = Order {
        arrivals: (0..40).collect(),
        ..order
    };
    let offered = replay_offers(&workload, &few, &measure, burst(5), 1).unwrap();
    let placed = replay(&workload, &few, &measure, Policy::FirstFit, 1);
    assert_eq!((offered.failed, placed.failed), (0, 0));
    assert_eq!(offered.allocated_gpu_milli, placed.allocated_gpu_milli);
    assert!(offered.loads.keys().eq(placed.loads.keys()));
}

/// A machine with so many cpus in a rack, and 1 GiB for each of them.
fn racked(name: &str, rack: &str, cpus: i64) -> Machine {
    Machine {
        name: name.to_owned(),
        capacity: Capacity {
            cpu_milli: 1000 * cpus,
            memory_mib: 1024 * cpus,
            ..Capacity::default()
        },
        attributes: [("rack".to_owned(), rack.to_owned())].into(),
        ..Machine::default()
    }
}

/// So many tasks of one cpu each on a machine.
fn tasks(role: &str, application: &str, machine: usize, count: usize) -> Vec<Running> {
    let task = |number: usize| Running {
        task: Task {
            name: format!("{role}-{application}-{machine}-{number}"),
            role: role.into(),
            application: application.into(),
            shape: shape(1000, 1024),
            ..Task::default()
        },
        machine,
        devices: Devices::default(),
        pinned: false,
    };
    (0..count).map(task).collect()
}

fn snapshot(machines: Vec<Machine>, running: &[Vec<Running>]) -> Snapshot {
    let mut running = running.concat();
    running.sort_by(|left, right| left.task.name.cmp(&right.task.name));
    Snapshot {
        machines,
        running,
        ..Snapshot::default()
    }
}

fn settings() -> Settings {
    Settings {
        policy: Policy::FirstFit,
        agent_order: AgentOrder::default(),
        seed: 1,
        shapes: vec![shape(1000, 1024)],
    }
}

fn losing(rack: &str) -> Changes {
    Changes {
        lose: vec![format!("rack={rack}").parse().unwrap()],
        ..Changes::default()
    }
}

/// How many tasks of a role run.
fn runs(state: &State, role: &str) -> usize {
    let of = state.applications.iter().filter(|one| one.role == role);
    of.map(|one| one.runs).sum()
}

/// Three racks of two machines with one cpu each: whichever rack is lost, four are left.
#[test]
fn what_fits_without_any_one_rack_survives() {
    let cluster = |count: usize| {
        let machines = (0..6).map(|n| racked(&format!("m{n}"), &format!("r{}", n / 2 + 1), 1));
        let running = (0..count).map(|machine| tasks("*", "web", machine, 1));
        snapshot(machines.collect(), &running.collect::<Vec<_>>())
    };
    for (count, more) in [(4, 0), (5, 1), (6, 2)] {
        let snapshot = cluster(count);
        let racks = any(&snapshot, "rack", 1, (10, 1)).unwrap();
        assert_eq!(racks.sets.len(), 3);
        for lose in racks.sets {
            let changes = Changes {
                lose,
                ..Changes::default()
            };
            let answer = what_if((&snapshot, &[]), &changes, &settings()).unwrap();
            assert_eq!(answer.before().runs, count);
            assert_eq!(answer.before().headroom[0].fit_more, 6 - count as i64);
            assert_eq!(answer.more_waiting(), more, "{}", answer.lost);
            assert_eq!(answer.survives, more == 0);
            assert_eq!(answer.after().machines, 4);
            if more > 0 {
                let why = &answer.after().waiting[0];
                assert_eq!((why.tasks, &why.short_on), (more, &[("cpus", 4)].into()));
                assert!(why.words().contains("cpus is short on 4 machines"));
            }
        }
    }
}

/// Rack r2 takes two tasks of each role with it; two machines of one cpu are free.
fn two_roles() -> Snapshot {
    let machines = vec![
        racked("m0", "r1", 2),
        racked("m1", "r1", 1),
        racked("m2", "r1", 1),
        racked("m3", "r2", 4),
    ];
    let running = [
        tasks("a", "x", 0, 1),
        tasks("b", "y", 0, 1),
        tasks("a", "x", 3, 2),
        tasks("b", "y", 3, 2),
    ];
    snapshot(machines, &running)
}

/// Each of two roles loses a task. Offered the small machines first, both take one; offered the
/// large one first, one of them must take that, and nothing large fits any more.
#[test]
fn the_order_in_which_agents_are_offered_decides_what_still_fits() {
    let machines = [
        ("m0", "r1", 1),
        ("m1", "r1", 1),
        ("m2", "r1", 4),
        ("m3", "r2", 2),
    ];
    let machines = machines.map(|(name, rack, cpus)| racked(name, rack, cpus));
    let running = [tasks("a", "x", 3, 1), tasks("b", "y", 3, 1)];
    let snapshot = snapshot(machines.to_vec(), &running);
    let large = |order: &str| {
        let settings = Settings {
            policy: Policy::BestFit,
            agent_order: order.parse().unwrap(),
            shapes: vec![shape(4000, 1024)],
            ..settings()
        };
        let answer = what_if((&snapshot, &[]), &losing("r2"), &settings).unwrap();
        assert!(answer.survives);
        answer.after().headroom[0].fit_more
    };
    assert_eq!([large("bestfit"), large("worstfit")], [1, 0]);
}

#[test]
fn guarantees_and_reservations_decide_who_keeps_its_tasks() {
    let fair = what_if((&two_roles(), &[]), &losing("r2"), &settings()).unwrap();
    assert_eq!((runs(fair.after(), "a"), runs(fair.after(), "b")), (2, 2));
    for (role, other) in [("a", "b"), ("b", "a")] {
        let changes = Changes {
            quotas: vec![format!("{role}:cpus=3").parse().unwrap()],
            ..losing("r2")
        };
        let answer = what_if((&two_roles(), &[]), &changes, &settings()).unwrap();
        assert_eq!(answer.refused, Vec::<String>::new());
        let after = answer.after();
        assert_eq!((runs(after, role), runs(after, other)), (3, 1), "{role}");
        let state = after.roles.iter().find(|one| one.role == role).unwrap();
        assert_eq!(state.guarantee_met, Some(true));

        let mut reserved = two_roles();
        let mut one = Amounts::default();
        (one[Resource::Cpu], one[Resource::Memory]) = (1000, 1024);
        for machine in [1, 2] {
            reserved.machines[machine].reserved = [(role.into(), one)].into();
        }
        let answer = what_if((&reserved, &[]), &losing("r2"), &settings()).unwrap();
        let after = answer.after();
        assert_eq!((runs(after, role), runs(after, other)), (3, 1), "{role}");
        assert!(!answer.survives && answer.more_waiting() == 2);
    }
    // More than there is cannot be guaranteed: the master says so.
    let changes = Changes {
        quotas: vec!["a:cpus=30".parse().unwrap()],
        ..Changes::default()
    };
    let answer = what_if((&two_roles(), &[]), &changes, &settings()).unwrap();
    assert!(!answer.survives && answer.refused.len() == 1, "{answer:?}");
}

#[test]
fn weights_decide_who_gets_how_much_of_what_is_left() {
    let mut machines: Vec<Machine> = (0..6).map(|n| racked(&format!("m{n}"), "r1", 1)).collect();
    machines.push(racked("m6", "r2", 12));
    let snapshot = snapshot(machines, &[tasks("a", "x", 6, 6), tasks("b", "y", 6, 6)]);
    for (weight, share) in [("a=1", (3, 3)), ("a=2", (4, 2)), ("b=5", (1, 5))] {
        let changes = Changes {
            weights: vec![weight.parse().unwrap()],
            ..losing("r2")
        };
        let answer = what_if((&snapshot, &[]), &changes, &settings()).unwrap();
        let after = answer.after();
        assert_eq!((runs(after, "a"), runs(after, "b")), share, "{weight}");
    }
}

#[test]
fn applications_grow_into_what_is_free_or_added() {
    let machines = vec![racked("m0", "r1", 2), racked("m1", "r2", 2)];
    let snapshot = snapshot(
        machines,
        &[tasks("*", "web", 0, 2), tasks("*", "web", 1, 1)],
    );
    let grown = |grow: &str, add: &[&str]| {
        let changes = Changes {
            grow: vec![grow.parse().unwrap()],
            add: add.iter().map(|text| text.parse().unwrap()).collect(),
            ..Changes::default()
        };
        what_if((&snapshot, &[]), &changes, &settings()).unwrap()
    };
    assert!(grown("web+1", &[]).survives);
    let answer = grown("web*2", &[]);
    assert_eq!((answer.survives, answer.more_waiting()), (false, 2));
    assert!(grown("web*2", &["m0*1"]).survives);
    assert!(grown("web*2", &["cpus=1,mem=1024*2"]).survives);
    assert!(!grown("web*2", &["cpus=1,mem=1023*2"]).survives);
    let nobody = Changes {
        grow: vec!["shop+1".parse().unwrap()],
        ..Changes::default()
    };
    let error = what_if((&snapshot, &[]), &nobody, &settings())
        .unwrap_err()
        .to_string();
    assert!(error.contains("'shop'") && error.contains("web"), "{error}");
    let error = what_if((&snapshot, &[]), &losing("r9"), &settings()).unwrap_err();
    assert!(error.to_string().contains("r1, r2"), "{error}");
}

#[test]
fn constraints_and_single_gpus_count() {
    let machines = vec![racked("m0", "r1", 4), racked("m1", "r2", 4)];
    let running = [tasks("*", "db", 0, 1), tasks("*", "db", 1, 1)];
    let mut unique = snapshot(machines, &running);
    let constraint = "hostname:UNIQUE".parse().unwrap();
    unique.constraints = [("db".into(), vec![constraint])].into();
    let answer = what_if((&unique, &[]), &losing("r2"), &settings()).unwrap();
    let why = &answer.after().waiting[0];
    assert_eq!(why.forbidden_on, [("hostname:UNIQUE".to_owned(), 1)].into());

    // Half of each of two GPUs is free: one whole GPU in sum, and no room for 0.6 of one.
    let mut machines = vec![racked("m0", "r1", 4), racked("m1", "r2", 4)];
    machines[0].capacity.gpus = 2;
    machines[1].capacity.gpus = 1;
    let share = |name: &str, machine, device: u32, gpu_milli| Running {
        task: Task {
            name: name.to_owned(),
            shape: Shape {
                gpus: 1,
                gpu_milli,
                ..shape(100, 100)
            },
            ..Task::default()
        },
        machine,
        devices: Devices(1 << device),
        pinned: false,
    };
    let held = vec![share("t0", 0, 0, 500), share("t1", 0, 1, 500)];
    for (asked, survives) in [(500, true), (600, false)] {
        let running = [held.clone(), vec![share("t2", 1, 0, asked)]];
        let snapshot = snapshot(machines.clone(), &running);
        let answer = what_if((&snapshot, &[]), &losing("r2"), &settings()).unwrap();
        assert_eq!(answer.survives, survives, "{answer:?}");
    }
}

#[test]
fn the_same_question_has_the_same_answer() {
    let run = || what_if((&two_roles(), &[]), &losing("r2"), &settings()).unwrap();
    assert_eq!(run(), run());
}
