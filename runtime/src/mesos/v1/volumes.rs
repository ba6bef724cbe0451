//! Images and volumes of containers.

message! {
    Image {
        required r#type: image::Type = 1;
        optional appc: image::Appc = 2;
        optional docker: image::Docker = 3;
        optional cached: bool = 4 [Bool(true)];
    }

    MountPropagation {
        optional mode: mount_propagation::Mode = 1;
    }

    Volume {
        required mode: volume::Mode = 3;
        required container_path: String = 1;
        optional host_path: String = 2;
        optional image: Box<Image> = 4;
        optional source: Box<volume::Source> = 5;
    }
}

/// What belongs to [`Image`].
pub mod image {
    use crate::mesos::v1::{Credential, Labels, Secret};

    enumeration! {
        Type {
            Appc = 1 => "APPC",
            Docker = 2 => "DOCKER",
        }
    }

    message! {
        Appc {
            required name: String = 1;
            optional id: String = 2;
            optional labels: Labels = 3;
        }

        Docker {
            required name: String = 1;
            optional credential: Credential = 2;
            optional config: Secret = 3;
        }
    }
}

/// What belongs to [`MountPropagation`].
pub mod mount_propagation {
    enumeration! {
        Mode {
            Unknown = 0 => "UNKNOWN",
            HostToContainer = 1 => "HOST_TO_CONTAINER",
            Bidirectional = 2 => "BIDIRECTIONAL",
        }
    }
}

/// What belongs to [`Volume`].
pub mod volume {
    use crate::mesos::v1::Secret;

    enumeration! {
        Mode {
            Rw = 1 => "RW",
            Ro = 2 => "RO",
        }
    }

    message! {
        Source {
            optional r#type: source::Type = 1;
            optional docker_volume: source::DockerVolume = 2;
            optional host_path: source::HostPath = 5;
            optional sandbox_path: source::SandboxPath = 3;
            optional secret: Secret = 4;
            optional csi_volume: source::CsiVolume = 6;
        }
    }

    /// What belongs to [`Source`].
    pub mod source {
        use crate::mesos::v1::{MountPropagation, Parameters};

        enumeration! {
            Type {
                Unknown = 0 => "UNKNOWN",
                DockerVolume = 1 => "DOCKER_VOLUME",
                HostPath = 4 => "HOST_PATH",
                SandboxPath = 2 => "SANDBOX_PATH",
                Secret = 3 => "SECRET",
                CsiVolume = 5 => "CSI_VOLUME",
            }
        }

        message! {
            DockerVolume {
                optional driver: String = 1;
                required name: String = 2;
                optional driver_options: Parameters = 3;
            }

            HostPath {
                required path: String = 1;
                optional mount_propagation: MountPropagation = 2;
            }

            SandboxPath {
                optional r#type: sandbox_path::Type = 1;
                required path: String = 2;
            }

            CsiVolume {
                required plugin_name: String = 1;
                optional static_provisioning: csi_volume::StaticProvisioning = 2;
            }
        }

        /// What belongs to [`SandboxPath`].
        pub mod sandbox_path {
            enumeration! {
                Type {
                    Unknown = 0 => "UNKNOWN",
                    Itself = 1 => "SELF",
                    Parent = 2 => "PARENT",
                }
            }
        }

        /// What belongs to [`CsiVolume`].
        pub mod csi_volume {
            use crate::mesos::v1::Secret;

            message! {
                VolumeCapability {
                    optional block: volume_capability::BlockVolume = 1;
                    optional mount: volume_capability::MountVolume = 2;
                    required access_mode: volume_capability::AccessMode = 3;
                }

                StaticProvisioning {
                    required volume_id: String = 1;
                    required volume_capability: VolumeCapability = 2;
                    map node_stage_secrets: Secret = 3;
                    map node_publish_secrets: Secret = 4;
                    map volume_context: String = 5;
                }
            }

            /// What belongs to [`VolumeCapability`].
            pub mod volume_capability {
                message! {
                    BlockVolume {}

                    MountVolume {
                        optional fs_type: String = 1;
                        repeated mount_flags: String = 2;
                    }

                    AccessMode {
                        required mode: access_mode::Mode = 1;
                    }
                }

                /// What belongs to [`AccessMode`].
                pub mod access_mode {
                    enumeration! {
                        Mode {
                            Unknown = 0 => "UNKNOWN",
                            SingleNodeWriter = 1 => "SINGLE_NODE_WRITER",
                            SingleNodeReaderOnly = 2 => "SINGLE_NODE_READER_ONLY",
                            MultiNodeReaderOnly = 3 => "MULTI_NODE_READER_ONLY",
                            MultiNodeSingleWriter = 4 => "MULTI_NODE_SINGLE_WRITER",
                            MultiNodeMultiWriter = 5 => "MULTI_NODE_MULTI_WRITER",
                        }
                    }
                }
            }
        }
    }
}
