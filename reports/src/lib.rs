//! Turns results into tables, plots and pages.
