//! Differences between operating systems: descriptors 0 and 1, signals, console events, dead parents.
//!
//! The room knows files and threads, but no protocol. Look here for code that is compiled for one system only; the one
//! file with unsafe code is `stdio/windows.rs`.

#[cfg(all(windows, any(feature = "http", feature = "stdio")))]
pub(crate) mod console;
#[cfg(feature = "stdio")]
pub(crate) mod stdio;
