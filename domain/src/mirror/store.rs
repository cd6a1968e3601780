//! The rows of the mirror.
//!
//! Whoever locks a survey and touches its persona takes the survey first.

pub mod forges;
pub mod forging;
pub mod mine;
pub mod personas;
pub mod responses;
pub mod surveys;
