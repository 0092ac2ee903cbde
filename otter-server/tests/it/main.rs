//! The hub from outside: real sockets, real files.

mod auth;
mod http;
mod net;
