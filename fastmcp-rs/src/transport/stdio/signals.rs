//! Requests to stop, from the operating system.

use std::io;
use std::task::{Context, Poll};

/// The signals that ask a server to stop.
pub(super) struct Signals {
    #[cfg(unix)]
    kinds: [tokio::signal::unix::Signal; 3],
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
        let [terminate, interrupt, hangup] = kinds;
        Ok(Signals { kinds: [signal(terminate)?, signal(interrupt)?, signal(hangup)?] })
    }

    #[cfg(windows)]
    pub(super) fn new() -> io::Result<Signals> {
        Ok(Signals { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    #[cfg(not(any(unix, windows)))]
    pub(super) fn new() -> io::Result<Signals> {
        Ok(Signals {})
    }

    /// Ready for each signal that came.
    pub(super) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<()> {
        #[cfg(unix)]
        for kind in &mut self.kinds {
            if kind.poll_recv(task).is_ready() {
                return Poll::Ready(());
            }
        }
        #[cfg(windows)]
        if self.interrupt.poll_recv(task).is_ready() {
            return Poll::Ready(());
        }
        let _ = task;
        Poll::Pending
    }
}
