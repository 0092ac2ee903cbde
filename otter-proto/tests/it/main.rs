//! The contract as files: every fixture of `schemas/v1/fixtures` and every generated file.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod files;
mod fixtures;
mod page;
mod refused;
mod schemas;
mod vectors;
