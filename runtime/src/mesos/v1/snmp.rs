//! Counters of a container's network, named as the kernel names them.

#![allow(non_snake_case)]

message! {
    TrafficControlStatistics {
        required id: String = 1;
        optional backlog: u64 = 2;
        optional bytes: u64 = 3;
        optional drops: u64 = 4;
        optional overlimits: u64 = 5;
        optional packets: u64 = 6;
        optional qlen: u64 = 7;
        optional ratebps: u64 = 8;
        optional ratepps: u64 = 9;
        optional requeues: u64 = 10;
    }

    IpStatistics {
        optional Forwarding: i64 = 1;
        optional DefaultTTL: i64 = 2;
        optional InReceives: i64 = 3;
        optional InHdrErrors: i64 = 4;
        optional InAddrErrors: i64 = 5;
        optional ForwDatagrams: i64 = 6;
        optional InUnknownProtos: i64 = 7;
        optional InDiscards: i64 = 8;
        optional InDelivers: i64 = 9;
        optional OutRequests: i64 = 10;
        optional OutDiscards: i64 = 11;
        optional OutNoRoutes: i64 = 12;
        optional ReasmTimeout: i64 = 13;
        optional ReasmReqds: i64 = 14;
        optional ReasmOKs: i64 = 15;
        optional ReasmFails: i64 = 16;
        optional FragOKs: i64 = 17;
        optional FragFails: i64 = 18;
        optional FragCreates: i64 = 19;
    }

    IcmpStatistics {
        optional InMsgs: i64 = 1;
        optional InErrors: i64 = 2;
        optional InCsumErrors: i64 = 3;
        optional InDestUnreachs: i64 = 4;
        optional InTimeExcds: i64 = 5;
        optional InParmProbs: i64 = 6;
        optional InSrcQuenchs: i64 = 7;
        optional InRedirects: i64 = 8;
        optional InEchos: i64 = 9;
        optional InEchoReps: i64 = 10;
        optional InTimestamps: i64 = 11;
        optional InTimestampReps: i64 = 12;
        optional InAddrMasks: i64 = 13;
        optional InAddrMaskReps: i64 = 14;
        optional OutMsgs: i64 = 15;
        optional OutErrors: i64 = 16;
        optional OutDestUnreachs: i64 = 17;
        optional OutTimeExcds: i64 = 18;
        optional OutParmProbs: i64 = 19;
        optional OutSrcQuenchs: i64 = 20;
        optional OutRedirects: i64 = 21;
        optional OutEchos: i64 = 22;
        optional OutEchoReps: i64 = 23;
        optional OutTimestamps: i64 = 24;
        optional OutTimestampReps: i64 = 25;
        optional OutAddrMasks: i64 = 26;
        optional OutAddrMaskReps: i64 = 27;
    }

    TcpStatistics {
        optional RtoAlgorithm: i64 = 1;
        optional RtoMin: i64 = 2;
        optional RtoMax: i64 = 3;
        optional MaxConn: i64 = 4;
        optional ActiveOpens: i64 = 5;
        optional PassiveOpens: i64 = 6;
        optional AttemptFails: i64 = 7;
        optional EstabResets: i64 = 8;
        optional CurrEstab: i64 = 9;
        optional InSegs: i64 = 10;
        optional OutSegs: i64 = 11;
        optional RetransSegs: i64 = 12;
        optional InErrs: i64 = 13;
        optional OutRsts: i64 = 14;
        optional InCsumErrors: i64 = 15;
    }

    UdpStatistics {
        optional InDatagrams: i64 = 1;
        optional NoPorts: i64 = 2;
        optional InErrors: i64 = 3;
        optional OutDatagrams: i64 = 4;
        optional RcvbufErrors: i64 = 5;
        optional SndbufErrors: i64 = 6;
        optional InCsumErrors: i64 = 7;
        optional IgnoredMulti: i64 = 8;
    }

    SnmpStatistics {
        optional ip_stats: IpStatistics = 1;
        optional icmp_stats: IcmpStatistics = 2;
        optional tcp_stats: TcpStatistics = 3;
        optional udp_stats: UdpStatistics = 4;
    }
}
