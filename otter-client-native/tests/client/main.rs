//! The client against a scripted hub.

mod commands;
mod hub;
mod publishing;
mod scopes;
