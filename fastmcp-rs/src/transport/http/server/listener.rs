//! Where connections come from, so that the loop of `serve` is the same for all of them.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// The bytes of a connection, both ways.
pub(crate) trait IoStream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> IoStream for S {}

/// Gives connections.
pub(crate) trait Listener {
    type Stream: IoStream;

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
            limit_unsent(&stream);
            (stream, Some(peer))
        })
    }
}

/// The most bytes that the system keeps of what the client has no room for yet.
#[cfg(any(target_os = "android", target_os = "linux"))]
const MAX_UNSENT: u32 = 64 << 10;

/// Makes a socket take more as soon as its client has read some.
///
/// By itself Linux keeps megabytes for a client, and takes more when a third of that has gone: a client that reads
/// steadily, but slowly, looks for a minute as if it did not read at all. This limits only what is not sent yet, so what
/// is on its way to a quick client has as much room as ever. Other systems tell of any room.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn limit_unsent(stream: &tokio::net::TcpStream) {
    // If it cannot be had, slow clients are cut off, and others served.
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT);
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn limit_unsent(_: &tokio::net::TcpStream) {}
