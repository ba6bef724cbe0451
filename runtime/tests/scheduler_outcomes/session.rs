//! A subscribed framework whose calls and their outcomes become rows of the table.

use super::client::{END, Exchange, Stream, kind};
use serde_json::{Value, json};

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub call: String,
    pub case: String,
    pub answer: String,
    pub events: String,
}

/// Where calls go.
#[derive(Clone, Debug)]
pub struct Place {
    pub address: String,
    pub codec: &'static str,
    pub agent: String,
}

/// A framework with its stream.
pub struct Session {
    pub place: Place,
    pub framework_id: String,
    pub stream: Stream,
    pub rows: Vec<Row>,
    offers: Vec<String>,
}

/// What of an event is the same in each run.
pub fn shown(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let quoted = |value: &Value| {
        value
            .as_str()
            .map_or(String::new(), |text| format!(" “{text}”"))
    };
    match kind(event) {
        "UPDATE" => {
            let status = &event["update"]["status"];
            let (state, reason) = (text(&status["state"]), text(&status["reason"]));
            let said = format!("UPDATE {state} {reason}");
            format!("{}{}", said.trim_end(), quoted(&status["message"]))
        }
        "UPDATE_OPERATION_STATUS" => {
            let status = &event["update_operation_status"]["status"];
            let state = text(&status["state"]);
            format!(
                "UPDATE_OPERATION_STATUS {state}{}",
                quoted(&status["message"])
            )
        }
        "ERROR" => format!("ERROR{}", quoted(&event["error"]["message"])),
        "FAILURE" => match event["failure"]["executor_id"]["value"].as_str() {
            Some(id) => format!("FAILURE of executor {id}"),
            None => String::from("FAILURE of the agent"),
        },
        other => String::from(other),
    }
}

impl Session {
    /// Subscribes, and makes no row of it.
    pub fn subscribe(place: &Place, info: &Value) -> Session {
        let mut call = json!({ "type": "SUBSCRIBE", "subscribe": { "framework_info": info } });
        if let Some(id) = info.get("id") {
            call["framework_id"] = id.clone();
        }
        let exchange = Exchange::begin(&place.address, place.codec, None, &call);
        let mut stream = Stream::open(exchange, place.codec);
        let first = stream.first();
        assert_eq!(kind(&first), "SUBSCRIBED");
        let id = first["subscribed"]["framework_id"]["value"].as_str();
        Session {
            place: place.clone(),
            framework_id: id.unwrap().to_owned(),
            stream,
            rows: Vec::new(),
            offers: Vec::new(),
        }
    }

    /// Makes a call of this framework's, without a row.
    pub fn send(&self, mut call: Value) -> (u16, String) {
        if call.get("framework_id").is_none() {
            call["framework_id"] = json!({ "value": self.framework_id });
        }
        let Place { address, codec, .. } = &self.place;
        let exchange = Exchange::begin(address, codec, Some(&self.stream.id), &call);
        (exchange.status, exchange.text())
    }

    /// Ids are of the run.
    pub fn general(&self, text: &str) -> String {
        let mut text = text.replace(&self.stream.id, "STREAM");
        for offer in &self.offers {
            text = text.replace(offer, "OFFER");
        }
        let text = text.replace(&self.place.agent, "AGENT");
        text.replace(&self.framework_id, "FRAMEWORK")
    }

    /// Makes a call, and a row of it with the events that follow, which begin as `expected`.
    pub fn say(&mut self, case: &str, call: Value, expected: &[&str]) -> Vec<Value> {
        let (status, text) = self.send(call.clone());
        let answer = format!("{status} {text}");
        let name = match call["accept"]["operations"].as_array() {
            Some(operations) => {
                let types = operations.iter().filter_map(|one| one["type"].as_str());
                let types: Vec<&str> = types.collect();
                format!("ACCEPT {}", types.join(" "))
            }
            None => call["type"].as_str().unwrap().to_owned(),
        };
        self.row(&name, case, &answer, expected)
    }

    /// A row of what follows now.
    pub fn row(&mut self, call: &str, case: &str, answer: &str, expected: &[&str]) -> Vec<Value> {
        let events: Vec<Value> = expected.iter().map(|_| self.stream.next()).collect();
        let mut said: Vec<String> = events.iter().map(shown).collect();
        // Who is told of two things at once may be told of either first.
        said.sort();
        let mut begin = expected.to_vec();
        begin.sort_unstable();
        for (said, expected) in said.iter().zip(begin) {
            assert!(
                said.starts_with(expected),
                "{call} ({case}): {said}, not {expected}"
            );
        }
        let row = Row {
            call: call.trim().to_owned(),
            case: case.to_owned(),
            answer: self.general(answer.trim()),
            events: self.general(&said.join(", ")),
        };
        self.rows.push(row);
        events
    }

    /// An offer of which `good` holds.
    pub fn offer(&mut self, good: impl Fn(&Value) -> bool) -> Value {
        let (place, id) = (self.place.clone(), self.framework_id.clone());
        let stream = self.stream.id.clone();
        let decline = |offer: &Value| {
            let call = json!({ "type": "DECLINE", "framework_id": { "value": id }, "decline": {
                "offer_ids": [offer["id"]], "filters": { "refuse_seconds": 0 } } });
            let said = Exchange::begin(&place.address, place.codec, Some(&stream), &call);
            assert_eq!(said.status, 202);
        };
        let offer = self.stream.offer(good, decline);
        self.offers
            .push(offer["id"]["value"].as_str().unwrap().to_owned());
        offer
    }

    /// An offer comes; it is handed back.
    pub fn is_offered(&mut self) {
        let offer = self.offer(|_| true);
        let filters = json!({ "refuse_seconds": 0 });
        let decline = json!({ "offer_ids": [offer["id"]], "filters": filters });
        let call = json!({ "type": "DECLINE", "decline": decline });
        assert_eq!(self.send(call).0, 202);
    }

    /// Accepts an offer of which `good` holds, and makes a row of it.
    pub fn accept_where(
        &mut self,
        case: &str,
        operations: Value,
        expected: &[&str],
        good: impl Fn(&Value) -> bool,
    ) -> Vec<Value> {
        let offer = self.offer(good);
        self.say(case, accept(&[&offer], operations), expected)
    }

    /// Accepts an offer, and makes a row of it.
    pub fn accept(&mut self, case: &str, operations: Value, expected: &[&str]) -> Vec<Value> {
        self.accept_where(case, operations, expected, |offer| {
            amount(offer, "cpus") > 0.5
        })
    }

    /// Acknowledges an update, without a row.
    pub fn acknowledge(&self, event: &Value) {
        let status = &event["update"]["status"];
        if status.get("uuid").is_some() {
            assert_eq!(self.send(acknowledgement(status)).0, 202);
        }
    }

    /// Acknowledges updates until a task is in this state, without rows.
    pub fn until(&mut self, state: &str) -> Value {
        let mut others = Vec::new();
        loop {
            let event = self.stream.next();
            if kind(&event) != "UPDATE" {
                others.push(event);
                continue;
            }
            self.acknowledge(&event);
            if event["update"]["status"]["state"] == state {
                self.stream.put_back(others);
                return event;
            }
        }
    }

    /// The stream ends, after these events.
    pub fn ends(&mut self, call: &str, case: &str, answer: &str, expected: &[&str]) {
        let mut all = expected.to_vec();
        all.push(END);
        self.row(call, case, answer, &all);
    }
}

/// What acknowledges a status.
pub fn acknowledgement(status: &Value) -> Value {
    json!({ "type": "ACKNOWLEDGE", "acknowledge": {
        "agent_id": status["agent_id"],
        "task_id": status["task_id"],
        "uuid": status["uuid"],
    } })
}

/// An ACCEPT that refuses what is left for no time.
pub fn accept(offers: &[&Value], operations: Value) -> Value {
    let ids: Vec<&Value> = offers.iter().map(|offer| &offer["id"]).collect();
    json!({ "type": "ACCEPT", "accept": {
        "offer_ids": ids, "operations": operations, "filters": { "refuse_seconds": 0 } } })
}

/// How much of a scalar an offer has.
pub fn amount(offer: &Value, name: &str) -> f64 {
    let resources = offer["resources"].as_array().unwrap();
    let named = resources.iter().filter(|one| one["name"] == name);
    named
        .filter_map(|one| one["scalar"]["value"].as_f64())
        .sum()
}
