//! A raw connection for tests of the protocol itself, which may send frames that no client would.

use super::peer::{Caller, InProcessServer, TestServer};
use crate::app::App;
use crate::auth::principal::Principal;
use crate::error::Error;

/// The client's end of a connection to an app in the same process, as lines of JSON.
///
/// It does not interpret frames: the app receives exactly the text that is sent. [`TestClient`](super::TestClient)
/// implements the protocol.
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
/// let mut client = App::empty("numbers").tool::<double>().connect().await?;
/// client.send(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
/// assert_eq!(client.receive().await, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
/// # Ok(())
/// # }
/// ```
pub struct RawClient {
    peer: InProcessServer,
    /// Frames that have arrived but were not received yet, each with its newline.
    frames: Vec<u8>,
}

impl std::fmt::Debug for RawClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RawClient").finish_non_exhaustive()
    }
}

impl App {
    /// Connects to this app in process, for tests that write frames by hand.
    ///
    /// # Errors
    ///
    /// Fails if the app cannot be served as it is configured (see [`App::check`]).
    pub async fn connect(self) -> Result<RawClient, Error> {
        self.connect_by(None).await
    }

    /// Connects to this app in process as an authenticated principal, which handlers get from
    /// [`Context::principal`](crate::Context::principal).
    ///
    /// # Errors
    ///
    /// Fails if the app cannot be served as it is configured (see [`App::check`]).
    pub async fn connect_as(self, principal: Principal) -> Result<RawClient, Error> {
        self.connect_by(Some(principal)).await
    }

    async fn connect_by(self, principal: Option<Principal>) -> Result<RawClient, Error> {
        let caller = Caller { principal, ..Caller::default() };
        Ok(RawClient { peer: InProcessServer::new(self.start().await?, caller), frames: Vec::new() })
    }
}

impl Drop for RawClient {
    fn drop(&mut self) {
        self.peer.close();
    }
}

impl RawClient {
    /// Sends one message: JSON text without a newline.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub fn send(&mut self, message: impl AsRef<[u8]>) {
        let mut answers = Vec::new();
        self.peer.receive(message.as_ref(), &mut answers);
        // As on standard output, queued frames come first.
        self.frames.extend(self.peer.frames().take());
        self.frames.append(&mut answers);
    }

    /// Closes the client's end, and waits until the app's calls and the function passed to [`App::on_shutdown`] have
    /// ended.
    ///
    /// Without this, that function runs as a task when the client is dropped inside of a runtime.
    pub async fn close(self) {
        self.peer.shut_down().await;
    }

    /// Waits for the next frame: JSON text without its newline.
    ///
    /// It waits for ever if no frame arrives; [`RawClient::try_receive`] does not wait.
    pub async fn receive(&mut self) -> String {
        loop {
            if let Some(frame) = self.try_receive() {
                return frame;
            }
            self.peer.frames().wait().await;
        }
    }

    /// Returns the next frame, if one has arrived.
    pub fn try_receive(&mut self) -> Option<String> {
        self.frames.extend(self.peer.frames().take());
        let end = memchr::memchr(b'\n', &self.frames)?;
        let frame: Vec<u8> = self.frames.drain(..=end).collect();
        Some(String::from_utf8_lossy(&frame[..end]).into_owned())
    }
}
