//! Quotas of roles.

use super::super::{Effect, Leading};
use crate::message::operator::{Amount, QuotaConfig, Refusal};
use crate::model::{Limits, Quota, listed};
use crate::outbox::Outbox;
use crate::registry::Operation;
use crate::resources::{Quantities, Role, Scalar};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The most memory or disk, in MB: an exabyte.
const BYTES_MAX_MB: f64 = 1_099_511_627_776.0;
/// The most of anything else.
const AMOUNT_MAX: f64 = 1e12;

fn invalid(why: String) -> Refusal {
    Refusal::Invalid(why)
}

/// What is wrong with one amount, if anything is.
fn flaw(amount: &Amount) -> Option<&'static str> {
    match amount.value {
        value if value.is_nan() => Some("NaN not supported"),
        value if value.is_infinite() => Some("Infinite values not supported"),
        value if value.is_subnormal() => Some("Subnormal values not supported"),
        value if value < 0.0 => Some("Negative values not supported"),
        _ => None,
    }
}

fn check_size(amounts: &[Amount]) -> Result<(), String> {
    for Amount { name, value } in amounts {
        let is_bytes = name == "mem" || name == "disk";
        let (max, what) = if is_bytes {
            (BYTES_MAX_MB, "1 exabyte (1099511627776)")
        } else {
            (AMOUNT_MAX, "1 trillion (1000000000000)")
        };
        if *value > max {
            return Err(alloc::format!(
                "{{'{name}': {value}}} is invalid: values greater than {what} are not supported"
            ));
        }
    }
    Ok(())
}

fn scalars(amounts: &[Amount], kind: &str) -> Result<BTreeMap<String, Scalar>, String> {
    let mut scalars = BTreeMap::new();
    for amount in amounts {
        let Amount { name, value } = amount;
        let configuration = alloc::format!("Invalid {kind} configuration {{'{name}': {value}}}");
        if let Some(flaw) = flaw(amount) {
            return Err(alloc::format!("{configuration}: {flaw}"));
        }
        let scalar = Scalar::from_f64(*value);
        let scalar = scalar.map_err(|why| alloc::format!("{configuration}: {why}"))?;
        scalars.insert(name.clone(), scalar);
    }
    Ok(scalars)
}

/// The quota that a configuration means, by the rules that look at nothing else.
fn quota_of(guarantees: &[Amount], limits: &[Amount]) -> Result<Quota, String> {
    check_size(guarantees)
        .map_err(|why| alloc::format!("Invalid 'QuotaConfig.guarantees': {why}"))?;
    check_size(limits).map_err(|why| alloc::format!("Invalid 'QuotaConfig.limits': {why}"))?;
    let mut quota = Quota::default();
    for (name, amount) in scalars(guarantees, "guarantee")? {
        quota.guarantees.add_milli(&Arc::from(name), amount.milli());
    }
    for (name, limit) in scalars(limits, "limit")? {
        quota.limits.set(&name, limit);
    }
    if !quota.limits.contains(&quota.guarantees) {
        return Err(alloc::format!(
            "'QuotaConfig.guarantees' {} is not contained within the 'QuotaConfig.limits' {}",
            listed(&quota.guarantees),
            quota.limits
        ));
    }
    Ok(quota)
}

impl Leading {
    pub(super) fn check_update_quota(
        &self,
        configs: &[QuotaConfig],
        force: bool,
    ) -> Result<Operation, Refusal> {
        let mut quotas: BTreeMap<Role, Quota> = BTreeMap::new();
        for config in configs {
            if config.role.contains('/') {
                return Err(invalid(alloc::format!(
                    "Updating quota on nested role '{}' is not supported yet",
                    config.role
                )));
            }
            let role = Role::new(&config.role)
                .map_err(|why| alloc::format!("Invalid 'QuotaConfig.role': {why}"));
            let quota = role.and_then(|role| {
                let quota = quota_of(&config.guarantees, &config.limits)?;
                Ok((role, quota))
            });
            let quota =
                quota.map_err(|why| invalid(alloc::format!("Invalid QuotaConfig: {why}")))?;
            quotas.extend([quota]);
        }
        if !force {
            self.check_consumption(&quotas)?;
            self.check_capacity(&quotas).map_err(|why| {
                let hint = "(use 'force' flag to bypass this check)";
                let why = alloc::format!("Invalid QuotaConfig: total quota {why} {hint}");
                invalid(why)
            })?;
        }
        let quotas = quotas.into_iter().collect();
        Ok(Operation::UpdateQuota { quotas })
    }

    /// Whether what each role uses is within its new limits.
    fn check_consumption(&self, quotas: &BTreeMap<Role, Quota>) -> Result<(), Refusal> {
        let limited = |(_, quota): &(&Role, &Quota)| !quota.limits.is_empty();
        let limited: Vec<(&Role, &Quota)> = quotas.iter().filter(limited).collect();
        if limited.is_empty() {
            return Ok(());
        }
        let offered = self.offered_unreserved();
        for (role, quota) in limited {
            // What is only offered to a role does not count.
            let mut consumed = self.allocation.allocator().consumed(role);
            if let Some(offered) = offered.get(role) {
                consumed.sub(offered);
            }
            if !quota.limits.contains(&consumed) {
                return Err(invalid(alloc::format!(
                    "Invalid QuotaConfig: Role '{role}' is already consuming '{}'; this is more \
                     than the requested limits '{}' (use 'force' flag to bypass this check)",
                    listed(&consumed),
                    quota.limits
                )));
            }
        }
        Ok(())
    }

    /// Whether the cluster has what all roles would be sure to get.
    fn check_capacity(&self, quotas: &BTreeMap<Role, Quota>) -> Result<(), String> {
        let before = self.operator.state.quotas.iter();
        let before = before.filter(|(role, _)| !quotas.contains_key(*role));
        let mut total = Quantities::ZERO;
        for (_, quota) in before.chain(quotas) {
            total.add(&quota.guarantees);
        }
        let capacity = self.allocation.allocator().totals();
        if capacity.contains(&total) {
            return Ok(());
        }
        Err(alloc::format!(
            "guarantees '{}' exceed cluster capacity '{}'",
            listed(&total),
            listed(capacity)
        ))
    }

    pub(super) fn check_set_quota(
        &self,
        role: &str,
        guarantee: &[Amount],
        force: bool,
    ) -> Result<Operation, Refusal> {
        let refuse = |why: String| {
            invalid(alloc::format!(
                "Failed to validate set quota request: {why}"
            ))
        };
        let known = Role::new(role);
        let known =
            known.map_err(|why| refuse(alloc::format!("QuotaInfo with invalid role: {why}")))?;
        if guarantee.is_empty() {
            return Err(refuse("QuotaInfo with empty 'guarantee'".to_string()));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = guarantee.iter().find(|amount| !names.insert(&amount.name)) {
            return Err(refuse(alloc::format!(
                "QuotaInfo contains duplicate resource name '{}'",
                twice.name
            )));
        }
        if self.operator.state.quotas.contains_key(&known) {
            return Err(refuse(alloc::format!(
                "Cannot set quota for role '{role}' which already has quota"
            )));
        }
        if known.parent().is_some() {
            return Err(invalid(alloc::format!(
                "Setting quota on nested role '{role}' is not supported yet"
            )));
        }
        let quota = quota_of(guarantee, guarantee).map_err(refuse)?;
        let quotas = BTreeMap::from([(known, quota)]);
        if !force {
            self.check_capacity(&quotas).map_err(|why| {
                Refusal::Conflict(alloc::format!(
                    "Quota guarantees overcommit the cluster (use 'force' to bypass this \
                     check): Total quota {why}"
                ))
            })?;
        }
        let quotas = quotas.into_iter().collect();
        Ok(Operation::UpdateQuota { quotas })
    }

    pub(super) fn check_remove_quota(
        &self,
        role: &str,
        path: Option<&str>,
    ) -> Result<Operation, Refusal> {
        let known = Role::new(role).ok();
        let known = known.filter(|role| self.operator.state.quotas.contains_key(role));
        let Some(known) = known else {
            let place = path.map(|path| alloc::format!(" for path '{path}'"));
            let place = place.unwrap_or_default();
            return Err(invalid(alloc::format!(
                "Failed to remove quota{place}: Role '{role}' has no quota set"
            )));
        };
        let quotas = [(known, Quota::default())].into();
        Ok(Operation::UpdateQuota { quotas })
    }

    /// What is offered to each top-level role and those below it. What is reserved is left out:
    /// it is consumed whether it is offered or not.
    fn offered_unreserved(&self) -> BTreeMap<Role, Quantities> {
        let mut sums: BTreeMap<Role, Quantities> = BTreeMap::new();
        for offered in self.offers.by_number.values() {
            let unreserved = offered.offer.resources.unreserved().quantities();
            let sum = sums.entry(offered.offer.role.top()).or_default();
            sum.add(&unreserved);
        }
        sums
    }

    /// Quotas changed: what is offered is taken back where it would be in their way.
    pub(super) fn on_quota_updated(&mut self, quotas: &[(Role, Quota)], fx: &mut Outbox<Effect>) {
        self.allocation.set_quotas(quotas);
        self.enforce_limits(fx);
        self.rescind_for_guarantees(fx);
    }

    /// Takes offers back from roles that came to be beyond their limits, if any may have.
    pub(in crate::master::leading) fn relieve(&mut self, fx: &mut Outbox<Effect>) {
        if self.allocation.take_pressed() {
            self.enforce_limits(fx);
        }
    }

    /// Takes offers back from roles that are beyond their limits.
    fn enforce_limits(&mut self, fx: &mut Outbox<Effect>) {
        let beyond = self.allocation.allocator().beyond_limits();
        let beyond: Vec<(Role, Limits)> = beyond
            .map(|(role, limits)| (role.clone(), limits.clone()))
            .collect();
        for (role, limits) in beyond {
            let numbers = self.offers_beyond(&role, &limits);
            self.rescind(&numbers, fx);
        }
    }

    /// Offers to a role and those below it that hold what its limits do not allow.
    fn offers_beyond(&self, role: &Role, limits: &Limits) -> Vec<u64> {
        let mut consumed = self.allocation.allocator().consumed(role);
        let mut numbers = Vec::new();
        for (number, offered) in self.offers.by_number.iter().rev() {
            let beyond: Vec<&str> = limits
                .iter()
                .filter(|(name, limit)| consumed.milli(name) > limit.milli())
                .map(|(name, _)| name)
                .collect();
            if beyond.is_empty() {
                break;
            }
            let held = offered.offer.resources.unreserved().quantities();
            let helps = beyond.iter().any(|name| held.milli(name) > 0);
            if helps && role.covers(&offered.offer.role) {
                consumed.sub(&held);
                numbers.push(*number);
            }
        }
        numbers
    }

    /// Takes back what others are offered, agent by agent, until what guarantees lack could be
    /// met out of it.
    fn rescind_for_guarantees(&mut self, fx: &mut Outbox<Effect>) {
        let mut lacking = self.allocation.headroom_lacking();
        let agents: Vec<_> = self.agents.arena.iter().map(|(index, _)| index).collect();
        for index in agents {
            if lacking.is_zero() {
                return;
            }
            let mut offered = Quantities::ZERO;
            for number in &self.agents.arena[index].offers {
                let offer = &self.offers.by_number[number].offer;
                offered.add(&offer.resources.unreserved().quantities());
            }
            if lacking.iter().any(|(name, _)| offered.milli(name) > 0) {
                self.rescind_agent(index, fx);
                lacking = lacking.saturating_sub(&offered);
            }
        }
    }
}
