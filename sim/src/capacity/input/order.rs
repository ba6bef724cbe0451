//! Orders: in which order tasks come, and machines win ties.

use super::read_text;
use crate::capacity::error::PlanError;
use crate::capacity::workload::{Order, Workload};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct OrderFile {
    arrivals: Vec<usize>,
    nodes: Option<Vec<usize>>,
}

/// Reads an order.
///
/// # Errors
/// When it is none, or another workload's.
pub fn read_order(path: &Path, workload: &Workload) -> Result<Order, PlanError> {
    let file = read_order_file(path)?;
    let order = Order {
        arrivals: file.arrivals,
        machines: file
            .nodes
            .unwrap_or_else(|| (0..workload.machines.len()).collect()),
    };
    order.check(workload)?;
    Ok(order)
}

/// Reads in which order tasks come; machines win ties by their names.
///
/// # Errors
/// When it is none, or another workload's.
pub fn read_arrivals(path: &Path, workload: &Workload) -> Result<Order, PlanError> {
    let order = Order {
        arrivals: read_order_file(path)?.arrivals,
        ..Order::by_name(workload)
    };
    order.check(workload)?;
    Ok(order)
}

fn read_order_file(path: &Path) -> Result<OrderFile, PlanError> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|error| PlanError::Line {
        path: path.display().to_string(),
        line: error.line(),
        problem: error.to_string(),
    })
}
