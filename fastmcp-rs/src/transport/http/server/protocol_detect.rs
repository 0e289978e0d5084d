//! The first bytes of a connection, which tell what it is, and are then read again by whom it is for.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

#[cfg(feature = "h2")]
use super::timeouts::{ConnectionTimeouts, FIRST_HEAD_FACTOR};

/// What a client of HTTP/2 begins with; no request of HTTP/1 does.
#[cfg(feature = "h2")]
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How much is read at first: most requests as a whole, so that this costs no read of its own.
const FIRST_READ: usize = 4 << 10;

/// A stream whose first bytes are known.
pub(crate) struct PrefixedStream<S> {
    stream: S,
    /// What is known and was not read again. Given up when all of it was.
    prefix: Vec<u8>,
    read: usize,
}

impl<S: AsyncRead + Unpin> PrefixedStream<S> {
    pub(crate) fn new(stream: S) -> PrefixedStream<S> {
        PrefixedStream { stream, prefix: Vec::new(), read: 0 }
    }

    /// The first byte; `None` if there is none.
    #[cfg(feature = "tls")]
    pub(crate) async fn peek_first_byte(&mut self) -> io::Result<Option<u8>> {
        self.read_more().await?;
        Ok(self.prefix.first().copied())
    }

    /// Whether this is HTTP/2. Waits for no more bytes than are needed to tell.
    #[cfg(feature = "h2")]
    async fn is_http2(&mut self) -> io::Result<bool> {
        loop {
            let known = self.prefix.len().min(PREFACE.len());
            if self.prefix[..known] != PREFACE[..known] {
                return Ok(false);
            }
            if known == PREFACE.len() {
                return Ok(true);
            }
            if !self.read_more().await? {
                return Ok(false);
            }
        }
    }

    /// Gets to know more bytes; `false` at the end.
    async fn read_more(&mut self) -> io::Result<bool> {
        self.prefix.reserve_exact(FIRST_READ - self.prefix.len().min(FIRST_READ));
        Ok(self.stream.read_buf(&mut self.prefix).await? > 0)
    }
}

/// The stream, and whether it is one of HTTP/2; `None` if nothing comes.
#[cfg(feature = "h2")]
pub(crate) async fn detect_protocol<S: AsyncRead + Unpin>(
    stream: S,
    timeouts: ConnectionTimeouts,
) -> Option<(PrefixedStream<S>, bool)> {
    let mut stream = PrefixedStream::new(stream);
    let is_http2 = tokio::time::timeout(timeouts.header * FIRST_HEAD_FACTOR, stream.is_http2()).await.ok()?.ok()?;
    Some((stream, is_http2))
}

impl<S: AsyncRead + Unpin> AsyncRead for PrefixedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.stream).poll_read(task, buffer);
        }
        let rest = &self.prefix[self.read..];
        let taken = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..taken]);
        self.read += taken;
        if self.read == self.prefix.len() {
            self.prefix = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PrefixedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(task, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}

#[cfg(all(test, feature = "h2"))]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_bytes_of_a_connection_are_replayed() {
        let timeouts = ConnectionTimeouts {
            header: std::time::Duration::from_secs(1),
            idle: std::time::Duration::from_secs(1),
            write: std::time::Duration::from_secs(1),
        };
        for (bytes, expected) in [
            (&b"POST /mcp HTTP/1.1\r\n\r\n"[..], false),
            (b"PUT / HTTP/1.1\r\n\r\n", false),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrest", true),
            (b"PRI * HTTP/2.0\r\n\r\nSMX", false),
            (b"PR", false),
            (b"", false),
        ] {
            // As it comes, byte by byte.
            let (mut client, server) = tokio::io::duplex(1);
            tokio::spawn(async move { client.write_all(bytes).await });
            let (mut stream, is_http2) = detect_protocol(server, timeouts).await.unwrap();
            assert_eq!(is_http2, expected);
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            assert_eq!(all, bytes);
        }
        let (_client, server) = tokio::io::duplex(1);
        assert!(detect_protocol(server, timeouts).await.is_none(), "who says nothing is not waited for");
    }
}
