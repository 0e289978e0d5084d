//! Streamable HTTP: both eras, and every input of a socket.

mod advisories;
mod client;
mod connections;
mod cors;
mod dockerfile;
#[cfg(target_os = "linux")]
mod flood;
mod h2;
mod issue_tracker;
mod legacy_sse;
mod limits;
mod modern;
mod mounted;
mod processes;
mod proxies;
mod replicas;
mod request_facts;
mod restored_sessions;
mod routes;
mod runtimes;
mod security;
mod separators;
mod session_limits;
mod session_requests;
mod sessions;
mod settings;
#[allow(dead_code, unused_imports)]
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod tools;
#[cfg(unix)]
mod unix;
