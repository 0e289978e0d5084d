//! Streamable HTTP: both eras, and everything that may come over a socket.

mod client;
mod h2;
mod modern;
mod mounted;
mod processes;
mod routes;
mod security;
mod sessions;
#[allow(dead_code, unused_imports)]
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod tools;
#[cfg(unix)]
mod unix;
