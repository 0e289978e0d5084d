//! Detects TLS, HTTP/2 or HTTP/1 from the first bytes of a connection, and replays these bytes to the reader.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

#[cfg(feature = "h2")]
use super::timeouts::{ConnectionTimeouts, FIRST_HEAD_FACTOR};

/// The bytes with which an HTTP/2 client begins; no HTTP/1 request begins with them.
#[cfg(feature = "h2")]
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The size of the first read, in bytes: most requests fit, so that the detection costs no extra read.
const FIRST_READ: usize = 4 << 10;

/// A stream whose first bytes were read in advance and are replayed.
pub(crate) struct PrefixedStream<S> {
    stream: S,
    /// The bytes that were read in advance; freed when all of them were replayed.
    prefix: Vec<u8>,
    read: usize,
}

impl<S: AsyncRead + Unpin> PrefixedStream<S> {
    pub(crate) fn new(stream: S) -> PrefixedStream<S> {
        PrefixedStream { stream, prefix: Vec::new(), read: 0 }
    }

    /// Returns the first byte without consuming it, or `None` if the stream ends before it.
    #[cfg(feature = "tls")]
    pub(crate) async fn peek_first_byte(&mut self) -> io::Result<Option<u8>> {
        self.read_more().await?;
        Ok(self.prefix.first().copied())
    }

    /// Returns whether the stream begins with the HTTP/2 preface. Waits for no more bytes than the decision needs.
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

    /// Reads more bytes into the prefix; returns `false` at the end of the stream.
    async fn read_more(&mut self) -> io::Result<bool> {
        self.prefix.reserve_exact(FIRST_READ - self.prefix.len().min(FIRST_READ));
        Ok(self.stream.read_buf(&mut self.prefix).await? > 0)
    }
}

/// Returns the stream, and whether it is HTTP/2; `None` if the bytes do not arrive in time or the read fails.
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
            // The bytes arrive one by one.
            let (mut client, server) = tokio::io::duplex(1);
            tokio::spawn(async move { client.write_all(bytes).await });
            let (mut stream, is_http2) = detect_protocol(server, timeouts).await.unwrap();
            assert_eq!(is_http2, expected);
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            assert_eq!(all, bytes);
        }
        let (_client, server) = tokio::io::duplex(1);
        assert!(detect_protocol(server, timeouts).await.is_none(), "a client that sends nothing is not waited for");
    }
}
