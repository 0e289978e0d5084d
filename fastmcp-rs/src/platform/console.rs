//! The events by which Windows asks a console program to stop.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown,
};

/// Ctrl-C, Ctrl-Break, the closing of the console, and the end of the Windows session. They need no runtime.
///
/// After the last two kinds Windows ends the process by itself, usually five seconds later.
pub(crate) struct ConsoleEvents(CtrlC, CtrlBreak, CtrlClose, CtrlLogoff, CtrlShutdown);

impl ConsoleEvents {
    /// Starts to listen. From here on these events no longer end the process by themselves.
    pub(crate) fn new() -> io::Result<ConsoleEvents> {
        Ok(ConsoleEvents(ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?))
    }

    /// Waits for the next event.
    pub(crate) async fn next(&mut self) {
        poll_fn(|task| self.poll(task)).await;
    }

    fn poll(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let ConsoleEvents(c, r#break, close, logoff, shutdown) = self;
        let came = [
            c.poll_recv(task).is_ready(),
            r#break.poll_recv(task).is_ready(),
            close.poll_recv(task).is_ready(),
            logoff.poll_recv(task).is_ready(),
            shutdown.poll_recv(task).is_ready(),
        ];
        if came.contains(&true) { Poll::Ready(()) } else { Poll::Pending }
    }
}
