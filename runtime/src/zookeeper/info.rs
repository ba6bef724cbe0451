//! What a node says of a master: Mesos' `MasterInfo` in JSON.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};
use tepui_core::model::MasterInfo;

/// Mesos' API version that we speak, where clients ask for a version.
pub const MESOS_VERSION: &str = "1.12.0";

/// As much of a node as clients read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    address: NodeAddress,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    id: String,
    /// The IPv4 address in network order, read as this host reads a number.
    #[serde(default)]
    ip: u32,
    #[serde(default)]
    pid: String,
    #[serde(default)]
    port: u16,
    #[serde(default)]
    version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct NodeAddress {
    hostname: String,
    ip: String,
    port: u16,
}

impl Node {
    /// Reads a node; `None` when it is nobody's that we know.
    #[must_use]
    pub fn read(data: &[u8]) -> Option<Node> {
        serde_json::from_slice(data).ok()
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.address.hostname, self.address.port)
    }
}

/// What the node of `master` holds.
#[must_use]
pub fn node_json(master: &MasterInfo) -> String {
    let (host, port) = master
        .address
        .rsplit_once(':')
        .unwrap_or((&master.address, "5050"));
    let port = port.parse().unwrap_or(5050);
    let ip = ip_of(host, port);
    let node = Node {
        address: NodeAddress {
            hostname: String::from(host),
            ip: ip.to_string(),
            port,
        },
        hostname: String::from(host),
        id: master.id.to_string(),
        ip: u32::from_ne_bytes(ip.octets()),
        pid: format!("master@{ip}:{port}"),
        port,
        version: String::from(MESOS_VERSION),
    };
    serde_json::to_string(&node).expect("strings and numbers make JSON")
}

/// The host's IPv4 address; unspecified where there is none.
fn ip_of(host: &str, port: u16) -> Ipv4Addr {
    let found = (host, port).to_socket_addrs();
    let mut ips = found.into_iter().flatten().map(|address| address.ip());
    ips.find_map(|ip| match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    })
    .unwrap_or(Ipv4Addr::UNSPECIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tepui_core::ids::MasterId;

    #[test]
    fn a_node_is_what_mesos_writes() {
        let master = MasterInfo {
            id: MasterId(2),
            address: String::from("127.0.0.1:5051"),
        };
        let json = node_json(&master);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["address"]["ip"], "127.0.0.1");
        assert_eq!(value["address"]["port"], 5051);
        assert_eq!(value["pid"], "master@127.0.0.1:5051");
        assert_eq!(value["ip"], 16_777_343);
        assert_eq!(
            Node::read(json.as_bytes()).unwrap().address(),
            master.address
        );
        assert_eq!(Node::read(b"{}"), None);
    }
}
