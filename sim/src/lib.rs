//! Seeded, deterministic simulator: replays YAML failure scenarios against the core.
