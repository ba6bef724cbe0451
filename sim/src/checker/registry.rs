//! Replicas of the registry are equal wherever they have applied the same log.

use super::Broken;
use super::positions::Positions;
use tepui_core::log::Position;
use tepui_core::registry::Registry;

/// Up to this many entries a registry is compared after every change, a larger one now and then.
const SMALL: usize = 256;

/// All replicas of the registry.
#[derive(Debug, Default)]
pub struct RegistryChecker {
    digests: Positions<u64>,
    seen: Vec<Position>,
}

impl RegistryChecker {
    /// A replica handled an input.
    ///
    /// # Errors
    /// When it differs from another one at the same position.
    pub fn on_replica(
        &mut self,
        index: usize,
        applied: Position,
        registry: &Registry,
    ) -> Result<(), Broken> {
        if self.seen.len() <= index {
            self.seen.resize(index + 1, Position::default());
        }
        if self.seen[index] == applied {
            return Ok(());
        }
        self.seen[index] = applied;
        let known =
            registry.admitted().len() + registry.unreachable().len() + registry.gone().len();
        if known > SMALL && !applied.0.is_multiple_of(64) {
            return Ok(());
        }
        let mut hash = crate::hash::TraceHash::default();
        hash.value(&(
            registry.version(),
            registry.leader(),
            registry.admitted(),
            registry.unreachable(),
            registry.gone(),
            registry.operator(),
        ));
        let digest = hash.finish() as u64;
        match self.digests.find(applied) {
            Some(known) => Broken::unless(*known == digest, "registry.replicas-agree", || {
                format!("differs from another replica at position {applied}")
            }),
            None => {
                self.digests.set(applied, digest);
                Ok(())
            }
        }
    }
}
