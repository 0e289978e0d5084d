//! Frames that wait to be written to one peer, bounded in bytes.
//!
//! A call waits with its response until the peer has read enough of the frames before it, and a notification that finds
//! no room is dropped, because it only informs. The room does no input or output. The engine adds frames to `queue`;
//! each transport takes them through its own view of it: `stdio` (standard output), `stream` (HTTP) or `tap` (tests).

pub(crate) mod depth;
pub(crate) mod queue;
#[cfg(feature = "stdio")]
pub(crate) mod stdio;
#[cfg(feature = "http")]
pub(crate) mod stream;
#[cfg(feature = "testing")]
pub(crate) mod tap;
