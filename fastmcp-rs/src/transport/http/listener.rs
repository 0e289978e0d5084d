//! Where connections come from, so that the loop of `serve` is the same for all of them.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// The bytes of a connection, both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Gives connections.
pub(crate) trait Listener {
    type Stream: Stream;

    /// Ready with a connection, and the address that it comes from if there is one.
    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, Option<SocketAddr>)>>;
}

impl Listener for TcpListener {
    type Stream = tokio::net::TcpStream;

    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, Option<SocketAddr>)>> {
        self.poll_accept(task).map_ok(|(stream, peer)| {
            // Without it each answer in two writes would wait 40 ms for the client's acknowledgement. If it cannot be
            // had, an answer that goes out late is better than none.
            let _ = stream.set_nodelay(true);
            (stream, Some(peer))
        })
    }
}
