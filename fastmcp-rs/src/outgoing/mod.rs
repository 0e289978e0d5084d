//! Frames that wait to be written to one peer, bounded in bytes.
//!
//! A call waits with its response until the peer has read enough of the frames before it, and a notification that finds
//! no room is dropped, because it only informs. The room does no input or output.

pub(crate) mod queue;
