//! Frames in, frames out: for tests of the protocol itself, which may send what no client would.

use super::peer::{InProcess, Peer};
use crate::app::App;
use crate::error::Error;
use crate::principal::Principal;

/// A client's end of a connection to an app in the same process, as lines of JSON.
///
/// It knows no protocol: what is sent is what the app gets. [`TestClient`](super::TestClient) speaks it for you.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// Doubles a number.
/// #[mcp::tool]
/// fn double(number: i64) -> i64 {
///     number * 2
/// }
///
/// # #[mcp::main]
/// # async fn main() -> Result<(), fastmcp_rs::Error> {
/// let mut wire = App::empty("numbers").tool::<double>().connect().await?;
/// wire.send(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
/// assert_eq!(wire.receive().await, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
/// # Ok(())
/// # }
/// ```
pub struct Wire {
    peer: InProcess,
    /// Frames that have come and are not yet received, each with its newline.
    frames: Vec<u8>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl App {
    /// Connects to this app in process, for tests that write frames by hand.
    ///
    /// # Errors
    ///
    /// Fails if the app cannot be served as it is configured (see [`App::check`]).
    pub async fn connect(self) -> Result<Wire, Error> {
        self.connect_by(None).await
    }

    /// Connects to this app in process as somebody whom the transport knows: what
    /// [`Context::principal`](crate::Context::principal) gives.
    ///
    /// # Errors
    ///
    /// Fails if the app cannot be served as it is configured (see [`App::check`]).
    pub async fn connect_as(self, principal: Principal) -> Result<Wire, Error> {
        self.connect_by(Some(principal)).await
    }

    async fn connect_by(self, principal: Option<Principal>) -> Result<Wire, Error> {
        Ok(Wire { peer: InProcess::new(self.start().await?, principal), frames: Vec::new() })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.peer.close();
    }
}

impl Wire {
    /// Sends one message: JSON text without a newline.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub fn send(&mut self, message: impl AsRef<[u8]>) {
        let mut answers = Vec::new();
        self.peer.receive(message.as_ref(), &mut answers);
        // As on standard output, what has waited goes first.
        self.frames.extend(self.peer.outbox().take_now().unwrap_or_default());
        self.frames.append(&mut answers);
    }

    /// Closes the client's end, and waits until the app has ended: its calls, and what [`App::on_shutdown`] was given.
    ///
    /// Without this, the latter runs as a task when the wire is dropped inside of a runtime.
    pub async fn close(self) {
        self.peer.end().await;
    }

    /// Waits for the next frame: JSON text without its newline.
    ///
    /// It waits for ever if none comes; use [`Wire::try_receive`] to look.
    pub async fn receive(&mut self) -> String {
        loop {
            if let Some(frame) = self.try_receive() {
                return frame;
            }
            let late = self.peer.outbox().take().await;
            self.frames.extend(late);
        }
    }

    /// The next frame, if one has come.
    pub fn try_receive(&mut self) -> Option<String> {
        self.frames.extend(self.peer.outbox().take_now().unwrap_or_default());
        let end = memchr::memchr(b'\n', &self.frames)?;
        let frame: Vec<u8> = self.frames.drain(..=end).collect();
        Some(String::from_utf8_lossy(&frame[..end]).into_owned())
    }
}
