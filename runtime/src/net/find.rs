//! Where masters are looked for: a list of addresses, or ZooKeeper, which knows who leads.

#[cfg(feature = "zookeeper")]
use crate::zookeeper::{self, Address};
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
#[cfg(feature = "zookeeper")]
use std::time::Duration;

/// How long ZooKeeper may take to say who leads.
#[cfg(feature = "zookeeper")]
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// How `--master=file:///path` begins: the file holds what would stand here.
const FILE: &str = "file://";

/// What `--master` says.
#[derive(Clone, Debug)]
pub struct Masters {
    /// What a node is given to choose from; ZooKeeper counts as one, without its password.
    addresses: Vec<String>,
    #[cfg(feature = "zookeeper")]
    zookeeper: Option<Address>,
    /// Who was called last.
    called: Arc<Mutex<Option<String>>>,
}

/// Whom to call.
#[derive(Clone, Debug)]
pub struct Target {
    address: String,
    #[cfg(feature = "zookeeper")]
    zookeeper: Option<Address>,
    called: Arc<Mutex<Option<String>>>,
}

impl FromStr for Masters {
    type Err = String;

    fn from_str(text: &str) -> Result<Masters, String> {
        let Some(path) = text.strip_prefix(FILE) else {
            return Masters::read(text);
        };
        let held = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Masters::read(held.trim()).map_err(|error| format!("{path}: {error}"))
    }
}

impl Masters {
    fn read(text: &str) -> Result<Masters, String> {
        if text.starts_with("zk://") {
            return Masters::in_zookeeper(text);
        }
        let addresses = text.split(',').map(crate::cli::flags::address);
        addresses.collect::<Result<_, String>>().map(Masters::known)
    }

    /// These addresses.
    #[must_use]
    pub fn known(addresses: Vec<String>) -> Masters {
        Masters {
            addresses,
            #[cfg(feature = "zookeeper")]
            zookeeper: None,
            called: Arc::default(),
        }
    }

    #[cfg(feature = "zookeeper")]
    fn in_zookeeper(text: &str) -> Result<Masters, String> {
        let address: Address = text.parse().map_err(|error| format!("{error}"))?;
        Ok(Masters {
            addresses: vec![address.to_string()],
            zookeeper: Some(address),
            called: Arc::default(),
        })
    }

    #[cfg(not(feature = "zookeeper"))]
    fn in_zookeeper(_text: &str) -> Result<Masters, String> {
        Err(String::from(
            "zk:// needs a build with the feature zookeeper; name masters as HOST:PORT",
        ))
    }

    /// What a node is given to choose from.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// What the node chose, as it can be called.
    #[must_use]
    pub fn target(&self, address: String) -> Target {
        Target {
            #[cfg(feature = "zookeeper")]
            zookeeper: self
                .zookeeper
                .clone()
                .filter(|asked| asked.to_string() == address),
            address,
            called: Arc::clone(&self.called),
        }
    }

    /// Who was called last, which is the leader once a node has settled.
    #[must_use]
    pub fn called(&self) -> Option<String> {
        let called = self.called.lock();
        called.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Target {
    /// A known address, which nobody needs to be asked for.
    #[must_use]
    pub fn known(address: String) -> Target {
        Target {
            address,
            #[cfg(feature = "zookeeper")]
            zookeeper: None,
            called: Arc::default(),
        }
    }

    /// Where to connect to.
    ///
    /// # Errors
    /// When nobody knows who leads.
    pub async fn find(&self) -> io::Result<String> {
        let found = self.ask().await?;
        let mut called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        *called = Some(found.clone());
        Ok(found)
    }

    #[cfg(feature = "zookeeper")]
    async fn ask(&self) -> io::Result<String> {
        match &self.zookeeper {
            None => Ok(self.address.clone()),
            Some(address) => {
                let asked = zookeeper::leader(address, ASK_TIMEOUT).await;
                asked.map_err(io::Error::other)
            }
        }
    }

    #[cfg(not(feature = "zookeeper"))]
    async fn ask(&self) -> io::Result<String> {
        Ok(self.address.clone())
    }
}

/// Without passwords.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_and_files_hold_them() {
        let masters: Masters = "a:1,b:2".parse().unwrap();
        assert_eq!(masters.addresses(), ["a:1", "b:2"]);
        assert!("a:1,b".parse::<Masters>().is_err());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("masters");
        let flag = format!("file://{}", path.display());
        assert!(flag.parse::<Masters>().is_err(), "there is no file");
        std::fs::write(&path, "a:1,b:2\n").unwrap();
        let masters: Masters = flag.parse().unwrap();
        assert_eq!(masters.addresses(), ["a:1", "b:2"]);
    }

    #[tokio::test]
    async fn known_addresses_are_called_as_they_are() {
        let masters: Masters = "a:1,b:2".parse().unwrap();
        let target = masters.target(String::from("b:2"));
        assert_eq!(target.find().await.unwrap(), "b:2");
        assert_eq!(masters.called().as_deref(), Some("b:2"));
    }

    #[cfg(feature = "zookeeper")]
    #[test]
    fn zookeeper_is_one_address_and_its_password_is_not_shown() {
        let masters: Masters = "zk://me:secret@a:1,b:2/mesos".parse().unwrap();
        assert_eq!(masters.addresses(), ["zk://a:1,b:2/mesos"]);
        let target = masters.target(masters.addresses()[0].clone());
        assert!(target.zookeeper.is_some());
        let shown = format!("{target} {target:?} {masters:?}");
        assert!(!shown.contains("secret"), "{shown}");
        let redirected = masters.target(String::from("c:3"));
        assert!(redirected.zookeeper.is_none());
        let error = "zk://a:1".parse::<Masters>().unwrap_err();
        assert!(error.contains("zk://HOST:PORT"), "{error}");
    }
}
