//! Encoding of server-sent events.

use hyper::body::Bytes;

use crate::transport::http::response::backlog;

/// Encodes frames, one per line, as events.
pub(crate) fn encode_events(frames: &[u8]) -> Bytes {
    let mut events = Vec::with_capacity(frames.len() + 16);
    for frame in split_frames(frames) {
        events.extend_from_slice(b"data: ");
        events.extend_from_slice(frame);
        events.extend_from_slice(b"\n\n");
    }
    events.into()
}

/// Replaces events that end with a response by an error event. Other events are returned unchanged.
pub(crate) fn replace_response(events: Bytes) -> Bytes {
    let last = split_frames(&events).last().and_then(|line| line.strip_prefix(b"data: "));
    last.and_then(backlog::build_dropped_error).map_or(events, |error| self::encode_events(&error))
}

pub(crate) fn split_frames(frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    frames.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}
