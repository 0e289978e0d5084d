//! Listeners behind one trait, so that `accept::serve` has one loop for all of them.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// A bidirectional byte stream of a connection.
pub(crate) trait IoStream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> IoStream for S {}

/// A source of incoming connections.
pub(crate) trait Listener {
    type Stream: IoStream;

    /// Is ready with a connection and its peer address, if it has one.
    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, Option<SocketAddr>)>>;
}

impl Listener for TcpListener {
    type Stream = tokio::net::TcpStream;

    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, Option<SocketAddr>)>> {
        self.poll_accept(task).map_ok(|(stream, peer)| {
            // Without `TCP_NODELAY`, each response of two writes would wait 40 ms for the client's acknowledgement. If
            // it cannot be set, a late response is better than none.
            let _ = stream.set_nodelay(true);
            limit_unsent(&stream);
            (stream, Some(peer))
        })
    }
}

/// The maximum number of unsent bytes that the kernel buffers for a client that has no room for them yet.
#[cfg(any(target_os = "android", target_os = "linux"))]
const MAX_UNSENT: u32 = 64 << 10;

/// Makes a socket writable again as soon as its client has read some data.
///
/// By default Linux buffers megabytes for a client, and reports the socket as writable only when a third of that is
/// free: a client that reads steadily but slowly then seems not to read at all for a minute. This option limits only
/// unsent data, so data on its way to a fast client has as much room as before. Other systems report any free room.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn limit_unsent(stream: &tokio::net::TcpStream) {
    // If the option cannot be set, slow clients are disconnected, and others are served as usual.
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT);
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn limit_unsent(_: &tokio::net::TcpStream) {}
