//! Limits the bytes of responses that wait until their clients read them. Otherwise an unread connection would hold its
//! response for the whole time that a client may read nothing, and an HTTP/2 connection would hold many.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::body::Bytes;

use super::super::peer::Peer;
use crate::engine::transport_api::write_error;
use crate::protocol::frame::Frame;
use crate::protocol::write::{RpcError, code};
use crate::util::sync::Mutex;

/// Responses up to this size are not counted.
pub(crate) const SMALL_RESPONSE: usize = 4 << 10;

/// The number of unread bytes, per peer and globally.
#[derive(Debug)]
pub(crate) struct Backlog {
    /// The maximum number of unread bytes for all clients; one peer may use a quarter of it. A single response may be
    /// larger.
    limit: usize,
    counts: Mutex<BacklogCounts>,
}

#[derive(Debug, Default)]
struct BacklogCounts {
    all: usize,
    of_peers: HashMap<Peer, usize>,
}

impl Backlog {
    pub(crate) fn new(limit: usize) -> Arc<Backlog> {
        Arc::new(Backlog { limit, counts: Mutex::default() })
    }
}

/// Counts the unread bytes of one client.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    backlog: Arc<Backlog>,
    peer: Option<Peer>,
}

impl Meter {
    pub(crate) fn new(backlog: &Arc<Backlog>, peer: Option<&Peer>) -> Meter {
        Meter { backlog: Arc::clone(backlog), peer: peer.cloned() }
    }

    /// Counts bytes until the connection has written all of them. Returns them as the error if too many are unread
    /// already.
    pub(crate) fn track_bytes(&self, bytes: Bytes) -> Result<Bytes, Bytes> {
        if bytes.len() <= SMALL_RESPONSE {
            return Ok(bytes);
        }
        let fits = |used: usize, limit: usize| used == 0 || used + bytes.len() <= limit;
        let mut counts = self.backlog.counts.lock();
        let of_peer = self.peer.as_ref().and_then(|peer| counts.of_peers.get(peer)).copied().unwrap_or_default();
        if !fits(counts.all, self.backlog.limit) || !fits(of_peer, self.backlog.limit / 4) {
            return Err(bytes);
        }
        counts.all += bytes.len();
        if let Some(peer) = &self.peer {
            *counts.of_peers.entry(peer.clone()).or_default() += bytes.len();
        }
        drop(counts);
        Ok(Bytes::from_owner(MeteredBytes { bytes, meter: self.clone() }))
    }
}

struct MeteredBytes {
    bytes: Bytes,
    meter: Meter,
}

impl AsRef<[u8]> for MeteredBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for MeteredBytes {
    fn drop(&mut self) {
        let mut counts = self.meter.backlog.counts.lock();
        counts.all -= self.bytes.len();
        let Some(peer) = &self.meter.peer else { return };
        if let Some(of_peer) = counts.of_peers.get_mut(peer) {
            *of_peer -= self.bytes.len();
            if *of_peer == 0 {
                counts.of_peers.remove(peer);
            }
        }
    }
}

/// Returns the error that replaces a response; `None` if the text is not the response to a single request.
pub(crate) fn build_dropped_error(response: &[u8]) -> Option<Vec<u8>> {
    let frame = Frame::parse(std::str::from_utf8(response).ok()?).ok()?;
    let id = frame.id.filter(|_| frame.method.is_none())?;
    let mut error = Vec::new();
    write_dropped_error(&mut error, Some(id.get()));
    Some(error)
}

/// Writes the same error for the request with that id.
pub(crate) fn write_dropped_error(out: &mut Vec<u8>, id: Option<&str>) {
    let text =
        "Internal error: the response was dropped, because the client has too many unread bytes of other responses";
    write_error(out, id, &RpcError::new(code::INTERNAL_ERROR, text));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u32) -> Peer {
        Peer::from_address(std::net::Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn unread_frames_are_bounded_per_peer_and_globally() {
        let backlog = Backlog::new(256 << 10);
        let kilobytes = |count: usize| Bytes::from(vec![b'x'; count << 10]);
        let of = |number| Meter::new(&backlog, Some(&peer(number)));
        let large = of(1).track_bytes(kilobytes(65)).unwrap();
        assert!(of(1).track_bytes(kilobytes(5)).is_err(), "the peer has more than its share");
        assert!(of(1).track_bytes(Bytes::from(vec![b'x'; SMALL_RESPONSE])).is_ok(), "small ones always fit");
        let others: Vec<_> = (2..5).map(|number| of(number).track_bytes(kilobytes(60)).unwrap()).collect();
        assert!(Meter::new(&backlog, None).track_bytes(kilobytes(12)).is_err());
        let part = large.slice(..1);
        drop(large);
        assert!(of(1).track_bytes(kilobytes(5)).is_err(), "a part of it still waits");
        drop(part);
        assert_eq!(of(1).track_bytes(kilobytes(5)).unwrap().len(), 5 << 10);
        drop(others);
        let counts = backlog.counts.lock();
        assert!(counts.all == 0 && counts.of_peers.is_empty());
    }

    #[test]
    fn an_error_replaces_only_a_response() {
        let error =
            String::from_utf8(build_dropped_error(br#"{"jsonrpc":"2.0","id":"a","result":{}}"#).unwrap()).unwrap();
        assert!(error.starts_with(r#"{"jsonrpc":"2.0","id":"a","error":{"code":-32603,"#), "{error}");
        for text in [&br#"{"jsonrpc":"2.0","method":"notifications/message"}"#[..], b"[]", b"\xff"] {
            assert_eq!(build_dropped_error(text), None);
        }
    }
}
