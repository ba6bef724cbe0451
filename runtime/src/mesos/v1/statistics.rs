//! What a container uses.

use crate::mesos::v1::{self, Resource, SnmpStatistics, TrafficControlStatistics};

message! {
    DiskStatistics {
        optional source: v1::resource::disk_info::Source = 1;
        optional persistence: v1::resource::disk_info::Persistence = 2;
        optional limit_bytes: u64 = 3;
        optional used_bytes: u64 = 4;
    }

    ResourceStatistics {
        required timestamp: f64 = 1;
        optional processes: u32 = 30;
        optional threads: u32 = 31;
        optional cpus_user_time_secs: f64 = 2;
        optional cpus_system_time_secs: f64 = 3;
        optional cpus_limit: f64 = 4;
        optional cpus_soft_limit: f64 = 45;
        optional cpus_nr_periods: u32 = 7;
        optional cpus_nr_throttled: u32 = 8;
        optional cpus_throttled_time_secs: f64 = 9;
        optional mem_total_bytes: u64 = 36;
        optional mem_total_memsw_bytes: u64 = 37;
        optional mem_kmem_usage_bytes: u64 = 52;
        optional mem_kmem_tcp_usage_bytes: u64 = 53;
        optional mem_limit_bytes: u64 = 6;
        optional mem_soft_limit_bytes: u64 = 38;
        optional mem_file_bytes: u64 = 10;
        optional mem_anon_bytes: u64 = 11;
        optional mem_cache_bytes: u64 = 39;
        optional mem_rss_bytes: u64 = 5;
        optional mem_mapped_file_bytes: u64 = 12;
        optional mem_swap_bytes: u64 = 40;
        optional mem_unevictable_bytes: u64 = 41;
        optional mem_low_pressure_counter: u64 = 32;
        optional mem_medium_pressure_counter: u64 = 33;
        optional mem_critical_pressure_counter: u64 = 34;
        optional disk_limit_bytes: u64 = 26;
        optional disk_used_bytes: u64 = 27;
        repeated disk_statistics: DiskStatistics = 43;
        optional blkio_statistics: v1::cgroup_info::blkio::Statistics = 44;
        optional perf: PerfStatistics = 13;
        optional net_rx_packets: u64 = 14;
        optional net_rx_bytes: u64 = 15;
        optional net_rx_errors: u64 = 16;
        optional net_rx_dropped: u64 = 17;
        optional net_tx_packets: u64 = 18;
        optional net_tx_bytes: u64 = 19;
        optional net_tx_errors: u64 = 20;
        optional net_tx_dropped: u64 = 21;
        optional net_tx_rate_limit: u64 = 46;
        optional net_tx_burst_rate_limit: u64 = 47;
        optional net_tx_burst_size: u64 = 48;
        optional net_rx_rate_limit: u64 = 49;
        optional net_rx_burst_rate_limit: u64 = 50;
        optional net_rx_burst_size: u64 = 51;
        optional net_rate_statistics: resource_statistics::RateStatistics = 54;
        optional net_ephemeral_ports: v1::value::Range = 55;
        optional net_tcp_rtt_microsecs_p50: f64 = 22;
        optional net_tcp_rtt_microsecs_p90: f64 = 23;
        optional net_tcp_rtt_microsecs_p95: f64 = 24;
        optional net_tcp_rtt_microsecs_p99: f64 = 25;
        optional net_tcp_active_connections: f64 = 28;
        optional net_tcp_time_wait_connections: f64 = 29;
        repeated net_traffic_control_statistics: TrafficControlStatistics = 35;
        optional net_snmp_statistics: SnmpStatistics = 42;
    }

    ResourceUsage {
        repeated executors: resource_usage::Executor = 1;
        repeated total: Resource = 2;
    }

    PerfStatistics {
        required timestamp: f64 = 1;
        required duration: f64 = 2;
        optional cycles: u64 = 3;
        optional stalled_cycles_frontend: u64 = 4;
        optional stalled_cycles_backend: u64 = 5;
        optional instructions: u64 = 6;
        optional cache_references: u64 = 7;
        optional cache_misses: u64 = 8;
        optional branches: u64 = 9;
        optional branch_misses: u64 = 10;
        optional bus_cycles: u64 = 11;
        optional ref_cycles: u64 = 12;
        optional cpu_clock: f64 = 13;
        optional task_clock: f64 = 14;
        optional page_faults: u64 = 15;
        optional minor_faults: u64 = 16;
        optional major_faults: u64 = 17;
        optional context_switches: u64 = 18;
        optional cpu_migrations: u64 = 19;
        optional alignment_faults: u64 = 20;
        optional emulation_faults: u64 = 21;
        optional l1_dcache_loads: u64 = 22;
        optional l1_dcache_load_misses: u64 = 23;
        optional l1_dcache_stores: u64 = 24;
        optional l1_dcache_store_misses: u64 = 25;
        optional l1_dcache_prefetches: u64 = 26;
        optional l1_dcache_prefetch_misses: u64 = 27;
        optional l1_icache_loads: u64 = 28;
        optional l1_icache_load_misses: u64 = 29;
        optional l1_icache_prefetches: u64 = 30;
        optional l1_icache_prefetch_misses: u64 = 31;
        optional llc_loads: u64 = 32;
        optional llc_load_misses: u64 = 33;
        optional llc_stores: u64 = 34;
        optional llc_store_misses: u64 = 35;
        optional llc_prefetches: u64 = 36;
        optional llc_prefetch_misses: u64 = 37;
        optional dtlb_loads: u64 = 38;
        optional dtlb_load_misses: u64 = 39;
        optional dtlb_stores: u64 = 40;
        optional dtlb_store_misses: u64 = 41;
        optional dtlb_prefetches: u64 = 42;
        optional dtlb_prefetch_misses: u64 = 43;
        optional itlb_loads: u64 = 44;
        optional itlb_load_misses: u64 = 45;
        optional branch_loads: u64 = 46;
        optional branch_load_misses: u64 = 47;
        optional node_loads: u64 = 48;
        optional node_load_misses: u64 = 49;
        optional node_stores: u64 = 50;
        optional node_store_misses: u64 = 51;
        optional node_prefetches: u64 = 52;
        optional node_prefetch_misses: u64 = 53;
    }
}

/// What belongs to [`ResourceStatistics`].
pub mod resource_statistics {
    message! {
        RatePercentiles {
            optional min: u64 = 1;
            optional max: u64 = 2;
            optional p50: u64 = 3;
            optional p90: u64 = 4;
            optional p95: u64 = 5;
            optional p99: u64 = 6;
            optional p999: u64 = 7;
            optional p9999: u64 = 8;
            optional samples: u64 = 9;
        }

        RateStatistics {
            optional rx_rate: RatePercentiles = 1;
            optional rx_packet_rate: RatePercentiles = 2;
            optional rx_drop_rate: RatePercentiles = 3;
            optional rx_error_rate: RatePercentiles = 4;
            optional tx_rate: RatePercentiles = 5;
            optional tx_packet_rate: RatePercentiles = 6;
            optional tx_drop_rate: RatePercentiles = 7;
            optional tx_error_rate: RatePercentiles = 8;
            optional sampling_window_secs: f64 = 9;
            optional sampling_interval_secs: f64 = 10;
        }
    }
}

/// What belongs to [`ResourceUsage`].
pub mod resource_usage {
    use crate::mesos::v1::{ContainerId, ExecutorInfo, Resource, ResourceStatistics};

    message! {
        Executor {
            required executor_info: ExecutorInfo = 1;
            repeated allocated: Resource = 2;
            optional statistics: ResourceStatistics = 3;
            required container_id: ContainerId = 4;
            repeated tasks: executor::Task = 5;
        }
    }

    /// What belongs to [`Executor`].
    pub mod executor {
        use crate::mesos::v1::{Labels, Resource, TaskId};

        message! {
            Task {
                required name: String = 1;
                required id: TaskId = 2;
                repeated resources: Resource = 3;
                optional labels: Labels = 4;
            }
        }
    }
}
