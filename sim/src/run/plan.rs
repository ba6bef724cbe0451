//! A scenario made ready: every configuration built and checked, once for all seeds.

use crate::disk::DiskConfig;
use crate::machine::{AgentSpec, FrameworkSpec, Logic};
use crate::net::NetworkConfig;
use crate::scenario::{
    self, AgentGroup, Agents, Bad, FrameworkSettings, Kind, Scenario, Settings, Workload, numbered,
};
use std::path::Path;
use tepui_core::frameworks::batch::{self, Arrivals};
use tepui_core::frameworks::{TaskTemplate, execute, reserver, service};
use tepui_core::ids::MasterId;
use tepui_core::model::{AgentInfo, Capabilities, CommandInfo, FrameworkInfo, Label, MasterInfo};
use tepui_core::resources::{Attributes, Resources, Role};
use tepui_core::rng::Rng;
use tepui_core::{agent, executor, log, master, scheduler};

/// The masters of a cluster.
#[derive(Clone, Debug)]
pub(super) enum Masters {
    /// Bare replicas of the log.
    Log(Vec<log::Config>),
    /// Whole masters.
    Whole(Vec<master::Config>),
}

/// A framework and its node's name.
#[derive(Clone, Debug)]
pub(super) struct Framework {
    pub name: String,
    pub spec: FrameworkSpec,
    /// Another one whose framework id it claims.
    pub same_as: Option<String>,
}

/// All that a run needs, besides its seed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario's file, as it was named.
    pub file: String,
    /// What it says.
    pub scenario: Scenario,
    pub(super) masters: Masters,
    pub(super) agents: Vec<AgentSpec>,
    pub(super) frameworks: Vec<Framework>,
    pub(super) network: NetworkConfig,
    pub(super) disks: DiskConfig,
}

impl Plan {
    /// Reads a file and makes it ready.
    ///
    /// # Errors
    /// When it is no scenario, or names what cannot be.
    pub fn load(path: &Path) -> Result<Plan, Bad> {
        let scenario = scenario::load(path)?;
        Plan::new(&path.display().to_string(), scenario)
    }

    /// Makes a scenario ready; `file` is for messages.
    ///
    /// # Errors
    /// When it names what cannot be.
    pub fn new(file: &str, scenario: Scenario) -> Result<Plan, Bad> {
        let builder = Builder {
            file,
            scenario: &scenario,
        };
        let masters = builder.masters()?;
        let agents = builder.agents()?;
        let mut frameworks = Vec::new();
        for entry in &scenario.workload {
            builder.frameworks(entry, &mut frameworks)?;
        }
        Ok(Plan {
            file: file.to_owned(),
            masters,
            agents,
            frameworks,
            network: builder.network(),
            disks: builder.disks(),
            scenario,
        })
    }
}

struct Builder<'a> {
    file: &'a str,
    scenario: &'a Scenario,
}

impl Builder<'_> {
    fn bad(&self, what: &str, why: impl std::fmt::Display) -> Bad {
        Bad {
            file: self.file.to_owned(),
            line: None,
            message: format!("{what}: {why}"),
        }
    }

    fn apply<T>(&self, what: &str, base: &T, settings: &Settings) -> Result<T, Bad>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        scenario::apply(base, settings).map_err(|bad| Bad {
            file: self.file.to_owned(),
            line: Some(bad.line).filter(|line| *line > 0),
            message: format!("{what}: {}", bad.message),
        })
    }

    fn infos(&self) -> Vec<MasterInfo> {
        let ids = 1..=self.scenario.cluster.masters;
        ids.map(|id| MasterInfo {
            id: MasterId(id),
            address: format!("{}:5050", MasterId(id)),
        })
        .collect()
    }

    fn addresses(&self) -> Vec<String> {
        self.infos().into_iter().map(|info| info.address).collect()
    }

    fn masters(&self) -> Result<Masters, Bad> {
        let cluster = &self.scenario.cluster;
        let what = "cluster.master";
        let infos = self.infos();
        let ids = infos.iter().map(|info| info.id);
        if cluster.kind == Kind::Log {
            let mut configs = Vec::new();
            for id in ids {
                let base =
                    log::Config::new(id, infos.clone()).map_err(|why| self.bad(what, why))?;
                let config: log::Config = self.apply(what, &base, &cluster.master)?;
                config.validate().map_err(|why| self.bad(what, why))?;
                configs.push(config);
            }
            return Ok(Masters::Log(configs));
        }
        let mut configs = Vec::new();
        for id in ids {
            let mut base =
                master::Config::new(id, infos.clone()).map_err(|why| self.bad(what, why))?;
            base.leading.agent_order = cluster.agent_order.unwrap_or_default();
            let config: master::Config = self.apply(what, &base, &cluster.master)?;
            config.validate().map_err(|why| self.bad(what, why))?;
            configs.push(config);
        }
        Ok(Masters::Whole(configs))
    }

    fn agents(&self) -> Result<Vec<AgentSpec>, Bad> {
        let cluster = &self.scenario.cluster;
        let base = agent::Config {
            masters: self.addresses(),
            ..agent::Config::default()
        };
        let config: agent::Config = self.apply("cluster.agent", &base, &cluster.agent)?;
        let executor = executor::Config::default();
        let executor = self.apply("cluster.executor", &executor, &cluster.executor)?;
        let groups = match &cluster.agents {
            Agents::Groups(groups) => groups.clone(),
            Agents::Count(count) => vec![AgentGroup {
                count: *count,
                resources: None,
                attributes: None,
            }],
        };
        let mut specs = Vec::new();
        for group in groups {
            let resources = group.resources.as_ref().unwrap_or(&cluster.resources);
            let resources = Resources::parse(resources, &Role::any())
                .map_err(|why| self.bad("resources", why))?;
            let attributes = group.attributes.as_ref().unwrap_or(&cluster.attributes);
            for _ in 0..group.count {
                let number = specs.len() + 1;
                let attributes = attributes.replace("{n}", &number.to_string());
                let attributes =
                    Attributes::parse(&attributes).map_err(|why| self.bad("attributes", why))?;
                let info = AgentInfo {
                    id: None,
                    hostname: format!("agent-{number}"),
                    ip: String::new(),
                    port: 5051,
                    resources: resources.clone(),
                    attributes,
                    domain: None,
                };
                specs.push(AgentSpec {
                    config: config.clone(),
                    executor: executor.clone(),
                    info,
                });
            }
        }
        Ok(specs)
    }

    fn frameworks(&self, entry: &Workload, into: &mut Vec<Framework>) -> Result<(), Bad> {
        let (name, count, settings) = match entry {
            Workload::Service(s) => (&s.name, s.frameworks, &s.framework),
            Workload::Batch(b) => (&b.name, b.frameworks, &b.framework),
            Workload::Execute(e) => (&e.name, e.frameworks, &e.framework),
            Workload::Reserver(r) => (&r.name, r.frameworks, &r.framework),
            Workload::Append(_) => return Ok(()),
        };
        for name in numbered(name, count) {
            let logic = match entry {
                Workload::Service(service) => self.service(&name, service)?,
                Workload::Batch(batch) => self.batch(&name, batch)?,
                Workload::Execute(execute) => self.execute(&name, execute)?,
                Workload::Reserver(reserver) => self.reserver(&name, reserver)?,
                Workload::Append(_) => unreachable!("returned above"),
            };
            let framework = self.framework(&name, settings, logic)?;
            into.push(framework);
        }
        Ok(())
    }

    fn framework(
        &self,
        name: &str,
        settings: &FrameworkSettings,
        logic: Logic,
    ) -> Result<Framework, Bad> {
        let cluster = &self.scenario.cluster;
        let base = scheduler::Config::default();
        let base = self.apply("cluster.scheduler", &base, &cluster.scheduler)?;
        let config: scheduler::Config = self.apply("scheduler", &base, &settings.scheduler)?;
        config.validate().map_err(|why| self.bad(name, why))?;
        let role = Role::new(&settings.role).map_err(|why| self.bad("role", why))?;
        let info = FrameworkInfo {
            id: None,
            user: String::from("root"),
            name: name.to_owned(),
            roles: vec![role],
            failover_timeout: settings.failover_timeout.0,
            checkpoint: settings.checkpoint,
            capabilities: Capabilities {
                partition_aware: settings.partition_aware,
                task_killing_state: true,
                ..Capabilities::default()
            },
            principal: None,
            hostname: name.to_owned(),
            webui_url: None,
            verbatim: std::sync::Arc::default(),
        };
        Ok(Framework {
            name: name.to_owned(),
            spec: FrameworkSpec {
                config,
                info,
                logic,
                masters: self.addresses(),
            },
            same_as: settings.same_framework_as.clone(),
        })
    }

    fn template(&self, name: &str, resources: &str, command: &str) -> Result<TaskTemplate, Bad> {
        let resources = Resources::parse(resources, &Role::any())
            .map_err(|why| self.bad(&format!("{name}: resources"), why))?;
        Ok(TaskTemplate {
            name: name.to_owned(),
            resources,
            command: CommandInfo::shell(command),
            ..TaskTemplate::default()
        })
    }

    fn service(&self, name: &str, entry: &scenario::Service) -> Result<Logic, Bad> {
        let mut task = self.template(name, &entry.resources, &entry.command)?;
        if entry.ignores_sigterm {
            task.labels.push(Label {
                key: crate::host::STUBBORN_LABEL.to_owned(),
                value: None,
            });
        }
        let base = service::Config {
            task,
            instances: entry.instances,
            ..service::Config::default()
        };
        let config: service::Config = self.apply(name, &base, &entry.settings)?;
        config.validate().map_err(|why| self.bad(name, why))?;
        Ok(Logic::Service(config))
    }

    fn batch(&self, name: &str, entry: &scenario::Batch) -> Result<Logic, Bad> {
        let random = batch::Random {
            jobs: Some(entry.jobs),
            interval: entry.every.0,
            duration_min: entry.lasts.0.0,
            duration_max: entry.lasts.1.0,
            ..batch::Random::default()
        };
        let base = batch::Config {
            task: self.template(name, &entry.resources, "true")?,
            arrivals: Arrivals::Random(random),
            ..batch::Config::default()
        };
        let config: batch::Config = self.apply(name, &base, &entry.settings)?;
        config.validate().map_err(|why| self.bad(name, why))?;
        Ok(Logic::Batch(config, Rng::from_seed(0, name)))
    }

    fn execute(&self, name: &str, entry: &scenario::Execute) -> Result<Logic, Bad> {
        let base = execute::Config {
            task: self.template(name, &entry.resources, &entry.command)?,
            instances: entry.instances,
            ..execute::Config::default()
        };
        let config: execute::Config = self.apply(name, &base, &entry.settings)?;
        config.validate().map_err(|why| self.bad(name, why))?;
        Ok(Logic::Execute(config))
    }

    fn reserver(&self, name: &str, entry: &scenario::Reserver) -> Result<Logic, Bad> {
        let base = reserver::Config {
            operations: entry.operations,
            ..reserver::Config::default()
        };
        let config: reserver::Config = self.apply(name, &base, &entry.settings)?;
        config.validate().map_err(|why| self.bad(name, why))?;
        if entry.framework.role == "*" {
            let why = "nothing can be reserved for '*': say framework: { role: NAME }";
            return Err(self.bad(name, why));
        }
        Ok(Logic::Reserver(config, Rng::from_seed(0, name)))
    }

    fn network(&self) -> NetworkConfig {
        let net = &self.scenario.cluster.network;
        let base = NetworkConfig::default();
        let or = |span: Option<crate::units::Span>, otherwise| span.map_or(otherwise, |s| s.0);
        NetworkConfig {
            latency: net.latency.unwrap_or(base.latency),
            loss: net.loss,
            duplication: net.duplication,
            duplication_delay: or(net.duplication_delay, base.duplication_delay),
            loopback: base.loopback,
            stall_timeout: or(net.stall_timeout, base.stall_timeout),
            connect_timeout: or(net.connect_timeout, base.connect_timeout),
        }
    }

    fn disks(&self) -> DiskConfig {
        let disk = &self.scenario.cluster.disk;
        let base = DiskConfig::default();
        DiskConfig {
            latency: disk.latency.unwrap_or(base.latency),
            stall: disk.stall,
            stall_for: disk.stall_for.map_or(base.stall_for, |span| span.0),
        }
    }
}
