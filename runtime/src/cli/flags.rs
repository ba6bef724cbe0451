//! What flags are made of: Mesos' durations, addresses, and groups of flags that several
//! subcommands share.

use crate::mesos::convert::agent::domain_to_core;
use crate::mesos::json;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;
use tepui_core::model::Domain;

/// Mesos' units, longest name first where one ends with another.
const UNITS_NANOS: [(&str, f64); 8] = [
    ("weeks", 604_800e9),
    ("days", 86_400e9),
    ("hrs", 3_600e9),
    ("mins", 60e9),
    ("secs", 1e9),
    ("ms", 1e6),
    ("us", 1e3),
    ("ns", 1.0),
];

/// Reads a duration as Mesos writes it: `15secs`, `1.5mins`, `500ms`.
///
/// # Errors
/// Says which units there are.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let found = UNITS_NANOS
        .iter()
        .find_map(|(unit, nanos)| text.strip_suffix(unit).map(|number| (number, nanos)));
    let Some((number, nanos)) = found else {
        return Err(String::from(
            "a duration is a number and one of ns, us, ms, secs, mins, hrs, days, weeks: 15secs",
        ));
    };
    match number.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => {
            let nanos = (value * nanos).min(u64::MAX as f64);
            Ok(Duration::from_nanos(nanos as u64))
        }
        _ => Err(format!("'{number}' is not a number of zero or more")),
    }
}

/// Writes a duration as Mesos does: in the largest unit in which it is at least one.
#[must_use]
pub fn as_mesos_writes(duration: Duration) -> String {
    let nanos = duration.as_nanos() as f64;
    let unit = UNITS_NANOS.iter().find(|(_, size)| nanos >= *size);
    let (unit, size) = unit.unwrap_or(&("ns", 1.0));
    format!("{}{unit}", nanos / size)
}

/// Checks that `text` is `host:port`.
///
/// # Errors
/// Says what is missing.
pub fn address(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => match port.parse::<u16>() {
            Ok(port) if port > 0 => Ok(String::from(text)),
            _ => Err(format!("'{port}' is not a port from 1 to 65535")),
        },
        _ => Err(format!("'{text}' must be HOST:PORT")),
    }
}

/// Reads a domain as Mesos writes it, in JSON or `file://` and the path of a file that holds it.
///
/// # Errors
/// Says what it must be.
pub fn domain(text: &str) -> Result<Domain, String> {
    let held = match text.strip_prefix("file://") {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?,
        None => String::from(text),
    };
    let info = json::decode(held.as_bytes()).map_err(|error| error.to_string())?;
    domain_to_core(&info).ok_or_else(|| {
        String::from(
            "a domain is {\"fault_domain\":{\"region\":{\"name\":..},\"zone\":{\"name\":..}}}",
        )
    })
}

/// Where a master or an agent listens and how others reach it.
#[derive(Clone, Debug, Args)]
pub struct Listen {
    /// The address to listen on.
    #[arg(long, env = "TEPUI_IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub ip: IpAddr,
    /// The address that others are told, if it differs from --ip.
    #[arg(long = "advertise_ip", env = "TEPUI_ADVERTISE_IP")]
    pub advertise_ip: Option<IpAddr>,
    /// The port that others are told, if it differs from --port.
    #[arg(long = "advertise_port", env = "TEPUI_ADVERTISE_PORT")]
    pub advertise_port: Option<u16>,
    /// The host's name for people and frameworks; the advertised address unless given.
    #[arg(long, env = "TEPUI_HOSTNAME")]
    pub hostname: Option<String>,
}

impl Listen {
    /// The address that others use: what is advertised, else what is listened on; a wildcard is
    /// of no use to others, so that this host's name stands in for it.
    #[must_use]
    pub fn advertised_host(&self) -> String {
        let ip = self.advertise_ip.unwrap_or(self.ip);
        if !ip.is_unspecified() {
            return match ip {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            };
        }
        nix::unistd::gethostname()
            .ok()
            .and_then(|name| name.into_string().ok())
            .unwrap_or_else(|| String::from("localhost"))
    }

    /// That address, if it is one that names this host alone; else nothing.
    #[must_use]
    pub fn advertised_ip(&self) -> String {
        let ip = self.advertise_ip.unwrap_or(self.ip);
        let named = (!ip.is_unspecified()).then(|| ip.to_string());
        named.unwrap_or_default()
    }

    /// What frameworks and people see as this host's name.
    #[must_use]
    pub fn host_name(&self) -> String {
        self.hostname
            .clone()
            .unwrap_or_else(|| self.advertised_host())
    }
}

/// How much is logged, how and where.
#[derive(Clone, Debug, Args)]
pub struct Logging {
    /// The least severe messages to log.
    #[arg(long = "logging_level", env = "TEPUI_LOGGING_LEVEL", default_value = "INFO",
          value_parser = ["DEBUG", "INFO", "WARNING", "ERROR"], ignore_case = true)]
    pub logging_level: String,
    /// One line of text for each message, or one JSON object.
    #[arg(long = "logging_format", env = "TEPUI_LOGGING_FORMAT", default_value = "text",
          value_parser = ["text", "json"])]
    pub logging_format: String,
    /// Log into a file in this folder instead of standard error.
    #[arg(long = "log_dir", env = "TEPUI_LOG_DIR")]
    pub log_dir: Option<PathBuf>,
}

impl Logging {
    /// The file that a node of this name logs into, if it does.
    #[must_use]
    pub fn log_file(&self, name: &str) -> Option<PathBuf> {
        let folder = self.log_dir.as_ref()?;
        Some(folder.join(format!("{name}.log")))
    }
}

/// For processes that another process of ours keeps.
#[derive(Clone, Debug, Args)]
pub struct Kept {
    /// End as if by SIGTERM when the process that started this one is gone.
    #[arg(long = "end_with_parent", hide = true)]
    pub end_with_parent: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_mesos() {
        assert_eq!(duration("15secs"), Ok(Duration::from_secs(15)));
        assert_eq!(duration("1.5mins"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("0ns"), Ok(Duration::ZERO));
        for bad in ["15", "secs", "-1secs", "NaNsecs", "1 fortnight", ""] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in [
            "15secs", "1.5mins", "10mins", "1days", "2weeks", "0ns", "500ms", "75secs",
        ] {
            let duration = duration(text).unwrap();
            assert_eq!(
                super::duration(&as_mesos_writes(duration)),
                Ok(duration),
                "{text}"
            );
        }
        assert_eq!(as_mesos_writes(Duration::from_secs(600)), "10mins");
    }

    #[test]
    fn a_domain_is_a_region_and_a_zone() {
        let text = r#"{"fault_domain":{"region":{"name":"r"},"zone":{"name":"z"}}}"#;
        let read = domain(text).unwrap();
        assert_eq!((read.region.as_str(), read.zone.as_str()), ("r", "z"));
        for bad in ["", "{}", "r", r#"{"fault_domain":{"region":{"name":"r"}}}"#] {
            assert!(domain(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_needs_both_parts() {
        assert!(address("h:5050").is_ok() && address("[::1]:5050").is_ok());
        for bad in ["h", "h:", ":5050", "h:0", "h:65536", "h:x"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
