//! What frameworks see with a capability and without it.

use super::frameworks::{CAPABILITIES, info};
use super::session::{Place, Session, accept, shown};
use super::tasks::{scalar, task};
use serde_json::{Value, json};
use std::time::Duration;

/// One row: a capability, and what is seen with and without it.
pub type Row = [String; 3];

/// A framework of the role `dev` with all capabilities but one.
fn without(capability: &str) -> Value {
    let mut info = info(&["dev"]);
    let rest = CAPABILITIES.iter().filter(|name| **name != capability);
    info["capabilities"] = rest.map(|name| json!({ "type": name })).collect();
    if capability == "MULTI_ROLE" {
        info["role"] = json!("dev");
        info.as_object_mut().unwrap().remove("roles");
    }
    info
}

/// What `look` sees with and without a capability.
fn row(place: &Place, capability: &str, look: impl Fn(&mut Session) -> String) -> Row {
    let seen = [info(&["dev"]), without(capability)].map(|info| {
        let mut session = Session::subscribe(place, &info);
        let seen = look(&mut session);
        assert_eq!(session.send(json!({ "type": "TEARDOWN" })).0, 202);
        seen
    });
    let [with, without] = seen;
    assert_ne!(with, without, "{capability}");
    [String::from(capability), with, without]
}

/// The reserved disk of an offer, without its amount.
fn reserved(session: &mut Session) -> String {
    let offer = session.offer(|_| true);
    let resources = offer["resources"].as_array().unwrap();
    let reserved = resources.iter().find(|one| {
        one["name"] == "disk" && (one.get("reservations").is_some() || one["role"] == "dev")
    });
    let mut resource = reserved.expect("reserved disk").clone();
    for name in ["name", "type", "scalar", "allocation_info"] {
        resource.as_object_mut().unwrap().remove(name);
    }
    format!("reserved: `{resource}`")
}

fn roles(session: &mut Session) -> String {
    let state = super::support::http_json(&session.place.address, "/frameworks").unwrap();
    let frameworks = state["frameworks"].as_array().unwrap();
    let own = frameworks
        .iter()
        .find(|one| one["id"] == session.framework_id.as_str());
    let own = own.unwrap();
    let shown = if own.get("roles").is_some() {
        "roles"
    } else {
        "role"
    };
    let offer = session.offer(|_| true);
    let allocated = &offer["allocation_info"]["role"];
    format!("`{shown}` {} in states, offers for {allocated}", own[shown])
}

fn unknown_task(session: &mut Session) -> String {
    let call = json!({ "type": "KILL", "kill": { "task_id": { "value": "nosuch" } } });
    assert_eq!(session.send(call).0, 202);
    shown(&session.stream.next())
}

fn killed(session: &mut Session) -> String {
    let offer = session.offer(|_| true);
    let agent = session.place.agent.clone();
    let tasks = vec![task(&agent, "killed", json!({}))];
    let launch = json!([{ "type": "LAUNCH", "launch": { "task_infos": tasks } }]);
    assert_eq!(session.send(accept(&[&offer], launch)).0, 202);
    session.until("TASK_RUNNING");
    let call = json!({ "type": "KILL", "kill": { "task_id": { "value": "killed" } } });
    assert_eq!(session.send(call).0, 202);
    let mut states = Vec::new();
    while states.last().is_none_or(|state| state != "TASK_KILLED") {
        let event = session.stream.next();
        session.acknowledge(&event);
        states.push(
            event["update"]["status"]["state"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    format!("killed: {}", states.join(", "))
}

fn shared(session: &mut Session) -> String {
    let offer = session.offer(|_| true);
    let mut volume = scalar("disk", 16.0);
    volume["reservations"] = json!([{ "type": "STATIC", "role": "dev" }]);
    volume["disk"] = json!({ "persistence": { "id": "shared" },
        "volume": { "mode": "RW", "container_path": "data" } });
    volume["shared"] = json!({});
    let create = json!([{ "type": "CREATE", "create": { "volumes": [volume] },
        "id": { "value": "create" } }]);
    assert_eq!(session.send(accept(&[&offer], create)).0, 202);
    let event = session.stream.next();
    let seen = shown(&event);
    if seen.contains("FINISHED") {
        let status = &event["update_operation_status"]["status"];
        let call = json!({ "type": "ACKNOWLEDGE_OPERATION_STATUS",
            "acknowledge_operation_status": { "agent_id": { "value": session.place.agent },
                "operation_id": { "value": "create" }, "uuid": status["uuid"]["value"] } });
        assert_eq!(session.send(call).0, 202);
        let is_shared = |offer: &Value| {
            let resources = offer["resources"].as_array().unwrap();
            resources.iter().any(|one| one.get("shared").is_some())
        };
        let offer = session.offer(is_shared);
        let destroy = json!([{ "type": "DESTROY", "destroy": { "volumes": [volume] } }]);
        assert_eq!(session.send(accept(&[&offer], destroy)).0, 202);
        session.offer(|offer| !is_shared(offer));
    }
    format!("a shared volume: {seen}")
}

fn offered(session: &mut Session) -> String {
    let offer = session.stream.offer_within(Duration::from_secs(1));
    let Some(offer) = offer else {
        return String::from("no offers of it");
    };
    let domain = &offer["domain"]["fault_domain"]["region"]["name"];
    let names = offer["resources"].as_array().unwrap();
    let mut names: Vec<&str> = names
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    format!("offers of {} in region {domain}", names.join(", "))
}

/// All of it. The agent has a GPU, reserved disk, and stands in another region than the master.
pub fn rows(place: &Place) -> Vec<Row> {
    vec![
        row(place, "MULTI_ROLE", roles),
        row(place, "PARTITION_AWARE", unknown_task),
        row(place, "TASK_KILLING_STATE", killed),
        row(place, "RESERVATION_REFINEMENT", reserved),
        row(place, "SHARED_RESOURCES", shared),
        row(place, "GPU_RESOURCES", offered),
        row(place, "REGION_AWARE", offered),
    ]
}
