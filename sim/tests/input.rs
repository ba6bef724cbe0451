//! Where clusters come from: lists with all their columns, YAML files, and what masters said; and
//! what is said of those that are wrong.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use tepui_core::placement::Policy;
use tepui_sim::capacity::amounts::Resource;
use tepui_sim::capacity::input::{Given, Mapping, Pages, parse_cluster, read_lists, read_release};
use tepui_sim::capacity::occupied::Occupied;
use tepui_sim::capacity::rules::Demand;
use tepui_sim::capacity::wanted::Wanted;

/// A file with this text; it is gone with the test process' folder.
fn file(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(std::process::id().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    path
}

fn fit_more(given: &Given, role: &str, shape: &str) -> i64 {
    let wanted: Wanted = shape.parse().unwrap();
    let occupied = Occupied::of(&given.snapshot);
    let demand = Demand {
        role: role.into(),
        shape: wanted.shape,
        application: wanted.application,
    };
    occupied.fit_more(&occupied.tenant(&demand))
}

#[test]
fn lists_may_say_more() {
    let nodes = "name,cpu_milli,memory_mib,gpu,disk_mib,ports,attributes,reservations,price,zone\n\
                 \"b, second\",4000,1024,1,100,5,rack=r1;x=y,cpus(web):1;mem(web):512,1.5,z1\n\
                 a,2000,512,0,,,,,,\n";
    let tasks = "name,cpu_milli,memory_mib,num_gpu,role,application,constraints\n\
                 t1,100,10,0,web/shop,cart,hostname:UNIQUE;zone:LIKE:z.\n\
                 t0,100,10,0,,,\n";
    let mapping = Mapping {
        columns: vec![("sn".into(), "name".into())],
        attributes: vec!["zone".into()],
    };
    let nodes = file("nodes.csv", nodes);
    let given = read_lists(&nodes, Some(&file("tasks.csv", tasks)), &mapping).unwrap();
    let [a, b] = &given.snapshot.machines[..] else {
        panic!("{given:?}");
    };
    assert_eq!((a.name.as_str(), b.name.as_str()), ("a", "b, second"));
    assert_eq!((b.capacity.disk_mib, b.capacity.ports), (100, 5));
    assert_eq!(b.value("rack"), Some("r1"));
    assert_eq!((b.value("zone"), a.value("zone")), (Some("z1"), None));
    assert_eq!((b.price_milli, a.price_milli), (Some(1500), None));
    assert_eq!(b.reserved["web"][Resource::Cpu], 1000);
    assert_eq!(b.reserved["web"][Resource::Memory], 512);
    assert_eq!(&*given.arrivals[0].role, "web/shop");
    assert_eq!(given.snapshot.constraints["cart"].len(), 2);
}

#[test]
fn wrong_lists_name_the_line() {
    let usual = Mapping::default();
    let nodes = |row: &str| {
        let text = format!("sn,cpu_milli,memory_mib,gpu,attributes,reservations,price\n{row}\n");
        let error = read_lists(&file("wrong.csv", &text), None, &usual).unwrap_err();
        error.to_string()
    };
    let ends = |said: String, end: &str| assert!(said.ends_with(end), "{said}");
    ends(
        nodes("a,x,1,0,,,"),
        "line 2: cpu_milli is 'x': it must be a whole number from 0 to \
         1099511627776",
    );
    ends(
        nodes("\na,1,1,17,,,"),
        "line 3: gpu is '17': it must be a whole number from 0 to 16",
    );
    ends(
        nodes("a,1,1,0,rack,,"),
        "line 2: attributes: 'rack' is no attribute: write \
         rack=r1;zone=z1",
    );
    ends(
        nodes("a,1000,1,0,,cpus(web):2,"),
        "line 2: reservations: 2 cpus are reserved, but there \
         are only 1",
    );
    ends(
        nodes("a,1,1,0,,,-3"),
        "line 2: price: '-3' is no price: write a number such as 1.25",
    );
    ends(nodes(",1,1,0,,,"), "line 2: sn is empty");
    ends(nodes(""), "there is no machine in it");
    let mapping = Mapping {
        columns: vec![("memory".into(), "ram".into())],
        ..Mapping::default()
    };
    let said = read_lists(Path::new("/nowhere"), None, &mapping).unwrap_err();
    assert!(
        said.to_string()
            .contains("there is no usual column 'memory'"),
        "{said}"
    );
    let said = read_lists(Path::new("/nowhere"), None, &usual).unwrap_err();
    assert!(said.to_string().starts_with("/nowhere: "), "{said}");
}

const CLUSTER: &str = "\
machines:
  - name: web
    count: 4
    resources: cpus:4;mem:8192
    attributes: { rack: [r1, r2], zone: z1 }
    reservations: { shop: cpus:1 }
    price: 0.25
  - name: gpu
    resources: cpus:8;mem:16384;gpus:2
    gpu_model: A100
roles:
  shop: { weight: 2.5, limit: cpus:8 }
running:
  - name: cart
    role: shop
    instances: 3
    shape: cpus=1,mem=1024
    constraints: ['hostname:UNIQUE', 'zone:LIKE:z.']
    on: [web-2, web-1]
  - { name: train, shape: 'cpus=1,gpus=1,model=A100', pinned: true }
arrivals:
  - { name: cart, role: shop, instances: 2, shape: 'cpus=1,mem=1024' }
";

#[test]
fn a_cluster_is_read() {
    // Two of three on the same host, where each must have its own.
    let said = parse_cluster("c.yaml", CLUSTER, Policy::FirstFit)
        .unwrap_err()
        .to_string();
    assert_eq!(said, "c.yaml, line 14: cart-00003 fits nowhere: 2 do");
    let text = CLUSTER.replace("[web-2, web-1]", "[web-2, web-1, web-3]");
    let given = parse_cluster("c.yaml", &text, Policy::FirstFit).unwrap();
    let snapshot = &given.snapshot;
    let names: Vec<&str> = snapshot.machines.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["gpu", "web-1", "web-2", "web-3", "web-4"]);
    let racks: Vec<Option<&str>> = snapshot.machines.iter().map(|m| m.value("rack")).collect();
    assert_eq!(
        racks,
        [None, Some("r1"), Some("r2"), Some("r1"), Some("r2")]
    );
    assert_eq!(snapshot.machines[1].price_milli, Some(250));
    assert_eq!(snapshot.roles.0["shop"].weight_milli, 2500);
    assert_eq!(snapshot.roles.0["shop"].limits[&Resource::Cpu], 8000);
    let at: Vec<(&str, usize)> = snapshot
        .running
        .iter()
        .map(|r| (r.task.name.as_str(), r.machine))
        .collect();
    assert_eq!(
        at,
        [
            ("cart-00001", 2),
            ("cart-00002", 1),
            ("cart-00003", 3),
            ("train-00001", 0)
        ]
    );
    let pinned: Vec<bool> = snapshot.running.iter().map(|r| r.pinned).collect();
    assert_eq!(pinned, [false, false, false, true]);
    let names: Vec<&str> = given
        .arrivals
        .iter()
        .map(|task| task.name.as_str())
        .collect();
    assert_eq!(names, ["cart-00004", "cart-00005"]);
    // One host is left for carts.
    assert_eq!(fit_more(&given, "shop", "cpus=1,app=cart"), 1);
    // Four cpus are reserved for the role, and eight are its limit; three are in use.
    assert_eq!(fit_more(&given, "shop", "cpus=1"), 5);
    assert_eq!(fit_more(&given, "*", "cpus=1"), 4 * 3 + 7);
}

#[test]
fn wrong_clusters_name_the_line() {
    let said = |from: &str, to: &str| {
        assert!(CLUSTER.contains(from), "{from}");
        let text = CLUSTER.replacen(from, to, 1);
        parse_cluster("c.yaml", &text, Policy::FirstFit)
            .unwrap_err()
            .to_string()
    };
    let starts = |said: String, begin: &str| assert!(said.starts_with(begin), "{said}");
    let unknown = said("    price: 0.25", "    pirce: 0.25");
    starts(unknown.clone(), "c.yaml, line 7: unknown field `pirce`");
    assert!(unknown.ends_with("did you mean 'price'?"), "{unknown}");
    starts(
        said("cpus:4;mem:8192", "cpus:4;memory:8192"),
        "c.yaml, line 4: 'memory' is not",
    );
    starts(
        said("shop: cpus:1 ", "shop: cpus:5 "),
        "c.yaml, line 4: 5 cpus are reserved",
    );
    starts(
        said("gpus:2", "gpus:17"),
        "c.yaml, line 9: a machine has up to 16 whole GPUs",
    );
    starts(
        said("limit: cpus:8", "limit: cpus(a):8"),
        "c.yaml, line 12: 'a' must not be named",
    );
    starts(
        said("  shop: {", "  shop/a: {"),
        "c.yaml, line 12: quota is set for roles at the top",
    );
    starts(
        said("mem=1024", "mem=1024,count=2"),
        "c.yaml, line 17: a shape here has amounts",
    );
    starts(
        said("'hostname:UNIQUE'", "'hostname:ALONE'"),
        "c.yaml, line 18: 'hostname:ALONE' is",
    );
    starts(
        said("web-1]", "web-9]"),
        "c.yaml, line 19: there is no machine 'web-9'",
    );
    starts(
        said("name: train", "name: cart"),
        "c.yaml, line 20: 'cart' is already on line 14",
    );
    starts(
        said("name: gpu", "name: web-3"),
        "c.yaml, line 8: there are two machines called",
    );
    starts(
        said("machines:", "machine:"),
        "c.yaml, line 1: unknown field `machine`",
    );
}

#[test]
fn a_release_is_read() {
    let text = "applications:\n  - { name: a, instances: 3, shape: cpus=1, constraints: \
                ['rack:MAX_PER:2'] }\n";
    let release = read_release(&file("release.yaml", text)).unwrap();
    assert_eq!(
        (release[0].count, release[0].constraints.len()),
        (Some(3), 1)
    );
    let text = "applications:\n  - name: a\n    shape: cpus=1\n    on: [m]\n";
    let said = read_release(&file("release.yaml", text))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("line 4: what is to run goes where it fits"),
        "{said}"
    );
}

fn pages(bodies: &[&str]) -> Given {
    let mut pages = Pages::default();
    for body in bodies {
        pages.add("page", body.as_bytes()).unwrap();
    }
    pages.given().unwrap()
}

fn cpus(value: f64, role: Option<&str>) -> serde_json::Value {
    let reservations: Vec<_> = role
        .iter()
        .map(|role| serde_json::json!({ "role": role }))
        .collect();
    serde_json::json!({ "name": "cpus", "type": "SCALAR", "scalar": { "value": value },
                        "reservations": reservations })
}

#[test]
fn a_role_sees_what_is_free_for_it() {
    let agent = |id: &str, active: bool| {
        serde_json::json!({
            "id": id, "hostname": "h", "active": active, "attributes": { "rack": "r1", "n": 1.5 },
            "unreserved_resources_full": [cpus(4.0, None)],
            "reserved_resources_full": { "web": [cpus(2.0, Some("web"))] },
            "used_resources_full": [cpus(1.0, None), cpus(0.5, Some("web"))],
        })
    };
    let slaves = serde_json::json!({ "slaves": [agent("a", true), agent("b", false)] });
    let given = pages(&[&slaves.to_string()]);
    let open = &given.snapshot.machines[0];
    assert_eq!(
        (open.host(), open.value("rack"), open.value("n")),
        ("h", Some("r1"), Some("1.5"))
    );
    assert_eq!(
        (open.closed, given.snapshot.machines[1].closed),
        (false, true)
    );
    let fit = |role: &str| fit_more(&given, role, "cpus=0.5");
    assert_eq!(
        [fit("*"), fit("web"), fit("web/a"), fit("webber")],
        [6, 9, 9, 6]
    );
    let roles = r#"{ "roles": [{ "name": "web", "weight": 2.5,
                     "quota": { "limit": { "cpus": 3.0 }, "guarantee": {} } }] }"#;
    let given = pages(&[&slaves.to_string(), roles]);
    assert_eq!(given.snapshot.roles.0["web"].weight_milli, 2500);
    // Both agents' reservations count, used or not; of them, three more are free here.
    assert_eq!(fit_more(&given, "web", "cpus=0.5"), 3);
    assert_eq!(fit_more(&given, "*", "cpus=0.5"), 6);
}

/// A task of the role that uses what is for everybody, while its own is free, keeps it: others do
/// not get it, and the role has its own still.
#[test]
fn what_is_used_is_what_the_master_says() {
    let agent = serde_json::json!({
        "id": "a", "hostname": "h", "active": true,
        "unreserved_resources_full": [cpus(4.0, None)],
        "reserved_resources_full": { "web": [cpus(2.0, Some("web"))] },
        "used_resources_full": [cpus(3.0, None)],
    });
    let slaves = serde_json::json!({ "slaves": [agent] }).to_string();
    let task = serde_json::json!({ "id": "t", "name": "t", "slave_id": "a", "role": "web",
        "state": "TASK_RUNNING", "resources": { "cpus": 3.0, "mem": 0.0 } });
    let framework = serde_json::json!({ "name": "f", "role": "web", "tasks": [task] });
    let state = serde_json::json!({ "slaves": [], "frameworks": [framework] }).to_string();
    let given = pages(&[&state, &slaves]);
    assert_eq!(given.snapshot.running.len(), 1);
    let fit = |role: &str| fit_more(&given, role, "cpus=1");
    assert_eq!([fit("*"), fit("web")], [1, 3]);
}

#[test]
fn tasks_are_read_from_a_state() {
    let agent = r#""slaves": [{ "id": "a", "hostname": "h", "active": true,
        "attributes": { "gpu_model": "A100" },
        "resources": { "cpus": 8.0, "mem": 1000.5, "disk": 10.0, "gpus": 4.0,
                       "ports": "[31000-31009, 32000-32000]" },
        "used_resources": { "cpus": 3.1, "mem": 300.5, "gpus": 1.5, "ports": "[31000-31000]" },
        "used_resources_full": [{ "name": "disk", "type": "SCALAR", "scalar": { "value": 5.0 },
            "reservations": [{ "role": "r" }], "disk": { "persistence": { "id": "v" } } }],
        "reserved_resources": {} }]"#;
    let task = |id: &str, state: &str, more: &str| {
        format!(
            r#"{{ "id": "{id}", "name": "web-{id}", "slave_id": "a", "state": "{state}",
                  "resources": {{ "cpus": 1.0, "mem": 100.2, "gpus": 0.5, "ports": "[1-1]" }}
                  {more} }}"#
        )
    };
    let label = r#", "labels": [{ "key": "application", "value": "shop" }], "role": "r""#;
    let whole = r#", "resources": { "cpus": 1.0, "gpus": 1.0 }"#;
    let whole = task("3", "TASK_RUNNING", "").replace(
        r#""resources": { "cpus": 1.0, "mem": 100.2, "gpus": 0.5, "ports": "[1-1]" }"#,
        &whole[2..],
    );
    let tasks = [
        task("1", "TASK_RUNNING", label),
        task("2", "TASK_FINISHED", ""),
        whole,
    ];
    let state = format!(
        r#"{{ {agent}, "frameworks": [{{ "name": "m", "roles": ["x"], "tasks": [{}] }}] }}"#,
        tasks.join(",")
    );
    let given = pages(&[&state]);
    let running = &given.snapshot.running;
    assert_eq!(running.len(), 2);
    assert_eq!(
        (&*running[0].task.application, &*running[0].task.role),
        ("shop", "r")
    );
    assert_eq!(
        (&*running[1].task.application, &*running[1].task.role),
        ("m/web", "*")
    );
    // A volume of the role holds its tasks.
    assert_eq!((running[0].pinned, running[1].pinned), (true, false));
    // Whole ones first; a share goes behind them.
    assert_eq!((running[1].devices.0, running[0].devices.0), (1, 2));
    assert_eq!(running[0].task.shape.memory_mib, 101);
    assert_eq!(given.snapshot.models, ["A100"]);
    let free = given.snapshot.free()[0];
    // What executors use is gone; parts of a MiB are of no use.
    assert_eq!(
        (free.cpu_milli, free.memory_mib, free.disk_mib, free.ports),
        (4900, 700, 10, 10)
    );
    assert_eq!(free.devices(), [0, 500, 1000, 1000]);
}

#[test]
fn other_pages_are_refused() {
    let said = |body: &str| {
        let mut pages = Pages::default();
        match pages.add("x.json", body.as_bytes()) {
            Err(error) => error.to_string(),
            Ok(()) => pages.given().unwrap_err().to_string(),
        }
    };
    assert!(
        said("{}").contains("neither a master's /state nor"),
        "{}",
        said("{}")
    );
    assert!(said("{\n]").starts_with("x.json, line 2: this is not what a master answers"));
    assert!(said(r#"{ "roles": [] }"#).contains("no page lists agents"));
    let many = r#"{ "slaves": [{ "id": "a", "active": true, "resources": { "gpus": 17.0 } }] }"#;
    assert!(said(many).contains("agent a: a machine has up to 16 whole GPUs, not 17"));
}

#[test]
fn pages_of_a_real_master_are_read() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("TEPUI_SHARED").map_or(beside, PathBuf::from);
    let golden = shared.join("golden");
    if !golden.exists() {
        println!("skipped: there is no {}", golden.display());
        return;
    }
    let read = |names: &[&str]| {
        let read = |name: &&str| std::fs::read_to_string(golden.join(name)).unwrap();
        let bodies: Vec<String> = names.iter().map(read).collect();
        pages(&bodies.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // Four cpus, half of one in use.
    for names in [
        &["master.get.state.json"][..],
        &["master.get.slaves.json"],
        &[
            "master.get.state.json",
            "master.get.slaves.json",
            "master.get.roles_after_quota.json",
        ],
    ] {
        assert_eq!(fit_more(&read(names), "*", "cpus=0.5"), 7, "{names:?}");
    }
    let limited = read(&["master.get.state.json", "master.get.roles_after_quota.json"]);
    assert_eq!(fit_more(&limited, "r1", "cpus=0.5"), 4);
    let state = read(&["master.get.state.json"]);
    assert_eq!(
        &*state.snapshot.running[0].task.application,
        "mesos-execute instance/runner"
    );
    // One cpu and half of the disk are for `gr`; the other half is a volume.
    let reserved = read(&["ext.reserved.master.slaves.json"]);
    assert_eq!(fit_more(&reserved, "gr", "cpus=0.5"), 8);
    assert_eq!(fit_more(&reserved, "*", "cpus=0.5"), 6);
    assert_eq!(fit_more(&reserved, "gr", "disk=50"), 9950 / 50);
    let draining = read(&["ext.draining.master.state.json"]);
    assert_eq!(fit_more(&draining, "*", "cpus=0.1"), 0);
    assert!(!draining.snapshot.running.is_empty());
    assert!(
        read(&["ext.agent_gone.master.state.json"])
            .snapshot
            .machines
            .is_empty()
    );
}
