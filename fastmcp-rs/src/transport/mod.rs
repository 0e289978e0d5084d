//! Bytes in, frames out. Transports know nothing of tools.

#[cfg(all(windows, any(feature = "http", feature = "stdio")))]
mod console;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "testing")]
pub(crate) mod memory;
#[cfg(feature = "stdio")]
pub(crate) mod stdio;
