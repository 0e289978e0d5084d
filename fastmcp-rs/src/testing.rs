//! An app under test: frames in, frames out, without a process or a pipe.
//!
//! The frames are really encoded and pass through the very code that serves standard input.

use std::sync::Arc;

use crate::app::App;
use crate::engine::Connection;
use crate::error::Error;
use crate::principal::Principal;
use crate::registry::View;
use crate::transport::memory;

/// A client's end of a connection to an app in the same process.
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
/// let mut wire = App::empty("numbers").tool::<double>().connect()?;
/// wire.send(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
/// assert_eq!(wire.receive().await, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Wire {
    connection: Handle,
    view: View,
    /// Frames that have come and are not yet received, each with its newline.
    frames: Vec<u8>,
}

struct Handle(Arc<Connection>);

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl App {
    /// Connects to this app in process, for tests.
    ///
    /// # Errors
    ///
    /// Fails if the app cannot be served as it is configured (see [`App::check`]).
    pub fn connect(self) -> Result<Wire, Error> {
        self.connect_by(None)
    }

    /// Connects to this app in process as somebody whom the transport knows: what
    /// [`Context::principal`](crate::Context::principal) gives.
    ///
    /// # Errors
    ///
    /// Fails if the app cannot be served as it is configured (see [`App::check`]).
    pub fn connect_as(self, principal: Principal) -> Result<Wire, Error> {
        self.connect_by(Some(principal))
    }

    fn connect_by(self, principal: Option<Principal>) -> Result<Wire, Error> {
        let connection = memory::connect(self.build()?, principal);
        let view = connection.view();
        Ok(Wire { connection: Handle(connection), view, frames: Vec::new() })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Nobody is left to hear of the calls that still run.
        self.connection.0.cancel_all();
        self.connection.0.outbox().close();
    }
}

impl Wire {
    /// Sends one message: JSON text without a newline.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub fn send(&mut self, message: impl AsRef<[u8]>) {
        self.connection.0.receive(&mut self.view, message.as_ref(), &mut self.frames);
    }

    /// Waits for the next frame: JSON text without its newline.
    ///
    /// It waits for ever if none comes; use [`Wire::try_receive`] to look.
    pub async fn receive(&mut self) -> String {
        loop {
            if let Some(frame) = self.try_receive() {
                return frame;
            }
            let late = self.connection.0.outbox().take().await;
            self.frames.extend(late);
        }
    }

    /// The next frame, if one has come.
    pub fn try_receive(&mut self) -> Option<String> {
        self.frames.extend(self.connection.0.outbox().take_now().unwrap_or_default());
        let end = memchr::memchr(b'\n', &self.frames)?;
        let frame: Vec<u8> = self.frames.drain(..=end).collect();
        Some(String::from_utf8_lossy(&frame[..end]).into_owned())
    }
}
