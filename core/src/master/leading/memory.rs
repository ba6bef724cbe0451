use super::Leading;
use crate::ids::AgentId;
use crate::registry::Registry;
use alloc::format;
use alloc::string::String;

impl Leading {
    /// Whether it holds exactly the registry's agents, each as the registry has it: what is
    /// stored takes effect in memory while the same input is handled, and nothing else does.
    pub(in crate::master) fn compare(&self, registry: &Registry) -> Result<(), String> {
        let agents = &self.agents;
        let sizes = [
            (
                agents.by_id.len() + agents.recovered.len(),
                registry.admitted().len(),
            ),
            (agents.unreachable.len(), registry.unreachable().len()),
            (agents.gone.len(), registry.gone().len()),
        ];
        for (name, (here, there)) in ["admitted", "unreachable", "gone"].iter().zip(sizes) {
            if here != there {
                return Err(format!("{here} agents are {name}, {there} in the registry"));
            }
        }
        let differs = |id: &AgentId| Err(format!("agent {id} is not as the registry has it"));
        for (id, admission) in registry.admitted() {
            let here = match agents.by_id.get(id) {
                Some(index) => Some(&agents.arena[*index].info),
                None => agents.recovered.get(id).map(|admission| &admission.info),
            };
            if here != Some(&admission.info) {
                return differs(id);
            }
        }
        for (id, unreachable) in registry.unreachable() {
            if agents.unreachable.get(id).map(|here| here.since) != Some(unreachable.since) {
                return differs(id);
            }
        }
        for (id, since) in registry.gone() {
            if agents.gone.get(id) != Some(since) {
                return differs(id);
            }
        }
        Ok(())
    }
}
