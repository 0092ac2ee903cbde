//! The contract as files: every fixture of `schemas/v1/fixtures` and every generated file.

mod fixtures;
mod schemas;
