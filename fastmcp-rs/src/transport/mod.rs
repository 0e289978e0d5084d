//! Bytes in, frames out: standard input and output, HTTP, and memory for tests.
//!
//! Transports know frames and the engine's [`Connection`](crate::engine::transport_api::Connection), but no tools. Look
//! here for framing, limits of connections, HTTP statuses and headers, sessions and streams.

#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(any(feature = "testing", not(feature = "stdio")))]
pub(crate) mod in_memory;
#[cfg(feature = "stdio")]
pub(crate) mod stdio;
