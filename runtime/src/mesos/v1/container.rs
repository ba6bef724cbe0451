//! Containers: isolation, network, devices.

use crate::mesos::v1::{ContainerId, Labels, Volume};

message! {
    NetworkInfo {
        repeated ip_addresses: network_info::IpAddress = 5;
        optional name: String = 6;
        repeated groups: String = 3;
        optional labels: Labels = 4;
        repeated port_mappings: network_info::PortMapping = 7;
    }

    CapabilityInfo {
        repeated capabilities: capability_info::Capability = 1;
    }

    SeccompInfo {
        optional profile_name: String = 1;
        optional unconfined: bool = 2;
    }

    LinuxInfo {
        optional capability_info: CapabilityInfo = 1;
        optional bounding_capabilities: CapabilityInfo = 2;
        optional effective_capabilities: CapabilityInfo = 3;
        optional share_pid_namespace: bool = 4;
        optional seccomp: SeccompInfo = 5;
        optional ipc_mode: linux_info::IpcMode = 6;
        optional shm_size: u32 = 7;
        optional share_cgroups: bool = 8 [Bool(true)];
    }

    RLimitInfo {
        repeated rlimits: r_limit_info::RLimit = 1;
    }

    TtyInfo {
        optional window_size: tty_info::WindowSize = 1;
    }

    ContainerInfo {
        required r#type: container_info::Type = 1;
        repeated volumes: Volume = 2;
        optional hostname: String = 4;
        optional docker: Box<container_info::DockerInfo> = 3;
        optional mesos: Box<container_info::MesosInfo> = 5;
        repeated network_infos: NetworkInfo = 7;
        optional linux_info: Box<LinuxInfo> = 8;
        optional rlimit_info: Box<RLimitInfo> = 9;
        optional tty_info: TtyInfo = 10;
    }

    ContainerStatus {
        optional container_id: ContainerId = 4;
        repeated network_infos: NetworkInfo = 1;
        optional cgroup_info: CgroupInfo = 2;
        optional executor_pid: u32 = 3;
    }

    CgroupInfo {
        optional net_cls: cgroup_info::NetCls = 1;
    }

    Device {
        optional path: String = 1;
        optional number: device::Number = 2;
    }

    DeviceAccess {
        required device: Device = 1;
        required access: device_access::Access = 2;
    }

    DeviceWhitelist {
        repeated allowed_devices: DeviceAccess = 1;
    }
}

/// What belongs to [`NetworkInfo`].
pub mod network_info {
    enumeration! {
        Protocol {
            Ipv4 = 1 => "IPv4",
            Ipv6 = 2 => "IPv6",
        }
    }

    message! {
        IpAddress {
            optional protocol: Protocol = 1 [Enum("IPv4")];
            optional ip_address: String = 2;
        }

        PortMapping {
            required host_port: u32 = 1;
            required container_port: u32 = 2;
            optional protocol: String = 3;
        }
    }
}

/// What belongs to [`CapabilityInfo`].
pub mod capability_info {
    enumeration! {
        Capability {
            Unknown = 0 => "UNKNOWN",
            Chown = 1000 => "CHOWN",
            DacOverride = 1001 => "DAC_OVERRIDE",
            DacReadSearch = 1002 => "DAC_READ_SEARCH",
            Fowner = 1003 => "FOWNER",
            Fsetid = 1004 => "FSETID",
            Kill = 1005 => "KILL",
            Setgid = 1006 => "SETGID",
            Setuid = 1007 => "SETUID",
            Setpcap = 1008 => "SETPCAP",
            LinuxImmutable = 1009 => "LINUX_IMMUTABLE",
            NetBindService = 1010 => "NET_BIND_SERVICE",
            NetBroadcast = 1011 => "NET_BROADCAST",
            NetAdmin = 1012 => "NET_ADMIN",
            NetRaw = 1013 => "NET_RAW",
            IpcLock = 1014 => "IPC_LOCK",
            IpcOwner = 1015 => "IPC_OWNER",
            SysModule = 1016 => "SYS_MODULE",
            SysRawio = 1017 => "SYS_RAWIO",
            SysChroot = 1018 => "SYS_CHROOT",
            SysPtrace = 1019 => "SYS_PTRACE",
            SysPacct = 1020 => "SYS_PACCT",
            SysAdmin = 1021 => "SYS_ADMIN",
            SysBoot = 1022 => "SYS_BOOT",
            SysNice = 1023 => "SYS_NICE",
            SysResource = 1024 => "SYS_RESOURCE",
            SysTime = 1025 => "SYS_TIME",
            SysTtyConfig = 1026 => "SYS_TTY_CONFIG",
            Mknod = 1027 => "MKNOD",
            Lease = 1028 => "LEASE",
            AuditWrite = 1029 => "AUDIT_WRITE",
            AuditControl = 1030 => "AUDIT_CONTROL",
            Setfcap = 1031 => "SETFCAP",
            MacOverride = 1032 => "MAC_OVERRIDE",
            MacAdmin = 1033 => "MAC_ADMIN",
            Syslog = 1034 => "SYSLOG",
            WakeAlarm = 1035 => "WAKE_ALARM",
            BlockSuspend = 1036 => "BLOCK_SUSPEND",
            AuditRead = 1037 => "AUDIT_READ",
            Perfmon = 1038 => "PERFMON",
            Bpf = 1039 => "BPF",
            CheckpointRestore = 1040 => "CHECKPOINT_RESTORE",
        }
    }
}

/// What belongs to [`LinuxInfo`].
pub mod linux_info {
    enumeration! {
        IpcMode {
            Unknown = 0 => "UNKNOWN",
            Private = 1 => "PRIVATE",
            ShareParent = 2 => "SHARE_PARENT",
        }
    }
}

/// What belongs to [`RLimitInfo`].
pub mod r_limit_info {
    message! {
        RLimit {
            optional r#type: r_limit::Type = 1;
            optional hard: u64 = 2;
            optional soft: u64 = 3;
        }
    }

    /// What belongs to [`RLimit`].
    pub mod r_limit {
        enumeration! {
            Type {
                Unknown = 0 => "UNKNOWN",
                As = 1 => "RLMT_AS",
                Core = 2 => "RLMT_CORE",
                Cpu = 3 => "RLMT_CPU",
                Data = 4 => "RLMT_DATA",
                Fsize = 5 => "RLMT_FSIZE",
                Locks = 6 => "RLMT_LOCKS",
                Memlock = 7 => "RLMT_MEMLOCK",
                Msgqueue = 8 => "RLMT_MSGQUEUE",
                Nice = 9 => "RLMT_NICE",
                Nofile = 10 => "RLMT_NOFILE",
                Nproc = 11 => "RLMT_NPROC",
                Rss = 12 => "RLMT_RSS",
                Rtprio = 13 => "RLMT_RTPRIO",
                Rttime = 14 => "RLMT_RTTIME",
                Sigpending = 15 => "RLMT_SIGPENDING",
                Stack = 16 => "RLMT_STACK",
            }
        }
    }
}

/// What belongs to [`TtyInfo`].
pub mod tty_info {
    message! {
        WindowSize {
            required rows: u32 = 1;
            required columns: u32 = 2;
        }
    }
}

/// What belongs to [`ContainerInfo`].
pub mod container_info {
    use crate::mesos::v1::{Image, Parameter};

    enumeration! {
        Type {
            Docker = 1 => "DOCKER",
            Mesos = 2 => "MESOS",
        }
    }

    message! {
        DockerInfo {
            required image: String = 1;
            optional network: docker_info::Network = 2 [Enum("HOST")];
            repeated port_mappings: docker_info::PortMapping = 3;
            optional privileged: bool = 4 [Bool(false)];
            repeated parameters: Parameter = 5;
            optional force_pull_image: bool = 6;
            optional volume_driver: String = 7;
        }

        MesosInfo {
            optional image: Image = 1;
        }
    }

    /// What belongs to [`DockerInfo`].
    pub mod docker_info {
        enumeration! {
            Network {
                Host = 1 => "HOST",
                Bridge = 2 => "BRIDGE",
                None = 3 => "NONE",
                User = 4 => "USER",
            }
        }

        message! {
            PortMapping {
                required host_port: u32 = 1;
                required container_port: u32 = 2;
                optional protocol: String = 3;
            }
        }
    }
}

/// What belongs to [`CgroupInfo`].
pub mod cgroup_info {
    message! {
        Blkio {}

        NetCls {
            optional classid: u32 = 1;
        }
    }

    /// What belongs to [`Blkio`].
    pub mod blkio {
        enumeration! {
            Operation {
                Unknown = 0 => "UNKNOWN",
                Total = 1 => "TOTAL",
                Read = 2 => "READ",
                Write = 3 => "WRITE",
                Sync = 4 => "SYNC",
                Async = 5 => "ASYNC",
                Discard = 6 => "DISCARD",
            }
        }

        message! {
            Value {
                optional op: Operation = 1;
                optional value: u64 = 2;
            }

            Cfq {}

            Throttling {}

            Statistics {
                repeated cfq: cfq::Statistics = 1;
                repeated cfq_recursive: cfq::Statistics = 2;
                repeated throttling: throttling::Statistics = 3;
            }
        }

        /// What belongs to [`Cfq`].
        pub mod cfq {
            use crate::mesos::v1;

            message! {
                Statistics {
                    optional device: v1::device::Number = 1;
                    optional sectors: u64 = 2;
                    optional time: u64 = 3;
                    repeated io_serviced: super::Value = 4;
                    repeated io_service_bytes: super::Value = 5;
                    repeated io_service_time: super::Value = 6;
                    repeated io_wait_time: super::Value = 7;
                    repeated io_merged: super::Value = 8;
                    repeated io_queued: super::Value = 9;
                }
            }
        }

        /// What belongs to [`Throttling`].
        pub mod throttling {
            use crate::mesos::v1;

            message! {
                Statistics {
                    optional device: v1::device::Number = 1;
                    repeated io_serviced: super::Value = 2;
                    repeated io_service_bytes: super::Value = 3;
                }
            }
        }
    }
}

/// What belongs to [`Device`].
pub mod device {
    message! {
        Number {
            required major_number: u64 = 1;
            required minor_number: u64 = 2;
        }
    }
}

/// What belongs to [`DeviceAccess`].
pub mod device_access {
    message! {
        Access {
            optional read: bool = 1;
            optional write: bool = 2;
            optional mknod: bool = 3;
        }
    }
}
