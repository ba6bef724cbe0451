//! `zk://user:password@host1:port1,host2:port2/path`, as Mesos writes it.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use zookeeper_client::Connector;

/// Where the nodes of a cluster's masters are in ZooKeeper.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// `host:port,host:port`.
    pub servers: String,
    /// The folder, without a slash at its end unless it is the root.
    pub path: String,
    /// `user:password`, for the digest scheme.
    credentials: Option<String>,
}

/// What is wrong with an address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' must be zk://HOST:PORT[,HOST:PORT..]/PATH: {why}")]
pub struct AddressError {
    text: String,
    why: &'static str,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let wrong = |why| AddressError {
            text: String::from(text),
            why,
        };
        let rest = text
            .strip_prefix("zk://")
            .ok_or_else(|| wrong("it begins with zk://"))?;
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(String::from(credentials)), rest),
            None => (None, rest),
        };
        let (servers, path) = rest
            .split_once('/')
            .ok_or_else(|| wrong("it ends with the path, at least a slash"))?;
        for server in servers.split(',') {
            crate::cli::flags::address(server).map_err(|_| wrong("a server is HOST:PORT"))?;
        }
        let path = path.trim_end_matches('/');
        if path.split('/').any(|part| part == "." || part == "..") || path.contains("//") {
            return Err(wrong("the path has an empty, . or .. part"));
        }
        Ok(Address {
            servers: String::from(servers),
            path: format!("/{path}"),
            credentials,
        })
    }
}

impl Address {
    /// A node of the folder.
    #[must_use]
    pub fn child(&self, name: &str) -> String {
        if self.path == "/" {
            return format!("/{name}");
        }
        format!("{}/{name}", self.path)
    }

    pub(super) fn sign_in(&self, connector: Connector) -> Connector {
        match &self.credentials {
            Some(credentials) => connector.with_auth("digest", credentials.as_bytes()),
            None => connector,
        }
    }
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zk://{}{}", self.servers, self.path)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_mesos_writes_them() {
        let address: Address = "zk://me:secret@a:2181,b:2182/mesos/".parse().unwrap();
        assert_eq!(address.servers, "a:2181,b:2182");
        assert_eq!(address.child("x"), "/mesos/x");
        assert_eq!(address.to_string(), "zk://a:2181,b:2182/mesos");
        assert!(!format!("{address:?}").contains("secret"));
        let root: Address = "zk://a:2181/".parse().unwrap();
        assert_eq!(root.child("x"), "/x");
    }

    #[test]
    fn wrong_addresses_are_named() {
        for text in [
            "a:1/x",
            "zk://a:1",
            "zk://a/x",
            "zk:///x",
            "zk://a:1/x//y",
            "zk://a:1/../y",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.to_string().contains("zk://HOST:PORT"), "{error}");
        }
    }
}
