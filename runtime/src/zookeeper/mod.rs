//! A bridge for clients that find the leader in ZooKeeper: the leading master keeps a node
//! `json.info_<sequence>` under the path of its `--zk`, as Mesos' masters do, and of several such
//! nodes the lowest names the leader. Election stays in our own log: what is in ZooKeeper follows
//! it and decides nothing.
//!
//! Mesos' masters all hold a node and wait for ZooKeeper to drop a dead one's. Here only the leader
//! holds one, and a new leader takes away what its own cluster's masters left behind, so that
//! clients need not wait for a session to expire.

mod address;
mod info;

pub use address::{Address, AddressError};
pub use info::{Node, node_json};

use crate::http::leader::{Leader, Standing};
use std::time::Duration;
use tepui_core::model::MasterInfo;
use tokio::sync::watch;
use zookeeper_client::{Acls, Client, CreateMode, Error, EventType, OneshotWatcher, WatchedEvent};

/// How the names of the nodes begin.
pub const PREFIX: &str = "json.info_";

/// How long to wait before ZooKeeper is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What the bridge of one master needs.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// Where the nodes are.
    pub address: Address,
    /// After how long without a word ZooKeeper drops a master's node.
    pub session_timeout: Duration,
    /// This master.
    pub me: MasterInfo,
    /// All masters of the cluster: the nodes of others are left alone.
    pub members: Vec<String>,
}

impl Bridge {
    /// Keeps the node for as long as this master leads. Never returns: what goes wrong is logged
    /// and tried again, since the cluster works without ZooKeeper.
    pub async fn run(self, leader: Leader) {
        let mut standing = leader.subscribe();
        loop {
            match self.session(&mut standing).await {
                Ok(()) => tracing::info!("the ZooKeeper session is over"),
                Err(error) => tracing::warn!(%error, "ZooKeeper cannot be used, trying again"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// One session with ZooKeeper, until that ends.
    async fn session(&self, standing: &mut watch::Receiver<Standing>) -> Result<(), Error> {
        let connector = Client::connector().with_session_timeout(self.session_timeout);
        let client = self.address.sign_in(connector);
        let client = client.connect(&self.address.servers).await?;
        let persistent = CreateMode::Persistent.with_acls(Acls::anyone_all());
        if self.address.path != "/" {
            client.mkdir(&self.address.path, &persistent).await?;
        }
        let mut state = client.state_watcher();
        let mut mine: Option<String> = None;
        loop {
            let leads = *standing.borrow_and_update() == Standing::Here;
            let changed = if leads {
                Some(self.announce(&client, &mut mine).await?)
            } else {
                self.withdraw(&client, &mut mine).await?;
                None
            };
            tokio::select! {
                changed = standing.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                }
                event = next(changed) => {
                    if event.event_type == EventType::Session {
                        return Ok(());
                    }
                }
                state = state.changed() => {
                    if state.is_terminated() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Makes this master's node the only one of its cluster's. Returns what tells of changes.
    async fn announce(
        &self,
        client: &Client,
        mine: &mut Option<String>,
    ) -> Result<OneshotWatcher, Error> {
        let path = &self.address.path;
        let (children, changed) = client.list_and_watch_children(path).await?;
        if !mine.as_ref().is_some_and(|name| children.contains(name)) {
            *mine = None;
        }
        for child in children.iter().filter(|child| child.starts_with(PREFIX)) {
            if Some(child) != mine.as_ref() {
                self.take_away(client, child).await?;
            }
        }
        if mine.is_none() {
            let node = self.address.child(PREFIX);
            let data = node_json(&self.me);
            let ephemeral = CreateMode::EphemeralSequential.with_acls(Acls::anyone_all());
            let (_, sequence) = client.create(&node, data.as_bytes(), &ephemeral).await?;
            let name = format!("{PREFIX}{sequence}");
            tracing::info!(node = %name, "ZooKeeper names this master as the leader");
            *mine = Some(name);
        }
        Ok(changed)
    }

    /// Removes the node of a master of this cluster that led before. Others' nodes stay.
    async fn take_away(&self, client: &Client, child: &str) -> Result<(), Error> {
        let node = self.address.child(child);
        let data = match client.get_data(&node).await {
            Ok((data, _)) => data,
            Err(Error::NoNode) => return Ok(()),
            Err(error) => return Err(error),
        };
        let theirs = Node::read(&data).map(|node| node.address());
        if !theirs.is_some_and(|address| self.members.contains(&address)) {
            tracing::error!(
                node = %node,
                "another cluster's master is named there: give each cluster its own path in --zk"
            );
            return Ok(());
        }
        match client.delete(&node, None).await {
            Ok(()) | Err(Error::NoNode) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn withdraw(&self, client: &Client, mine: &mut Option<String>) -> Result<(), Error> {
        let Some(name) = mine.take() else {
            return Ok(());
        };
        match client.delete(&self.address.child(&name), None).await {
            Ok(()) | Err(Error::NoNode) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The next change of the nodes; never, where nothing is watched.
async fn next(changed: Option<OneshotWatcher>) -> WatchedEvent {
    match changed {
        Some(changed) => changed.changed().await,
        None => std::future::pending().await,
    }
}

/// Asks ZooKeeper once who leads.
///
/// # Errors
/// Says what is wrong and what to do.
pub async fn leader(address: &Address, patience: Duration) -> Result<String, String> {
    let asked = tokio::time::timeout(patience, ask(address)).await;
    match asked {
        Ok(Ok(Some(leader))) => Ok(leader),
        Ok(Ok(None)) => Err(format!("no master leads, by {address}")),
        Ok(Err(error)) => Err(format!("{address} cannot be asked: {error}")),
        Err(_) => Err(format!(
            "{address} does not answer: is ZooKeeper running there?"
        )),
    }
}

async fn ask(address: &Address) -> Result<Option<String>, Error> {
    let client = address.sign_in(Client::connector());
    let client = client.connect(&address.servers).await?;
    let mut children = match client.list_children(&address.path).await {
        Ok(children) => children,
        Err(Error::NoNode) => return Ok(None),
        Err(error) => return Err(error),
    };
    children.retain(|child| child.starts_with(PREFIX));
    children.sort();
    let Some(first) = children.first() else {
        return Ok(None);
    };
    match client.get_data(&address.child(first)).await {
        Ok((data, _)) => Ok(Node::read(&data).map(|node| node.address())),
        Err(Error::NoNode) => Ok(None),
        Err(error) => Err(error),
    }
}
