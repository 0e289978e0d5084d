//! Serves one connection from its first byte to its last: plain or TLS, HTTP/1.1 or HTTP/2.
//!
//! Plain HTTP/1.1 over TCP is the most frequent case, so its stream is not boxed: only generic wrappers stand between
//! hyper and the socket. The other cases are boxed, so that a connection without them does not reserve memory for them.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
#[cfg(any(feature = "h2", feature = "tls"))]
use tokio::sync::watch;

use crate::transport::http::server::coalesce_wakes::CoalescedWaker;
use crate::transport::http::server::front::{HttpConnection, MAX_HEAD};
use crate::transport::http::server::listener::IoStream;
use crate::transport::http::server::router::SiteService;
use crate::transport::http::server::timeouts::{Activity, GuardedStream, Http1Timeout, WriteTimeout};

impl HttpConnection {
    /// Serves `stream` until it ends, and then drops `held`.
    #[cfg(not(any(feature = "h2", feature = "tls")))]
    pub(crate) fn serve<S: IoStream>(self, stream: S, held: impl Send + 'static) -> impl Future<Output = ()> + Send {
        let activity = Activity::default();
        let stream = WriteTimeout::new(stream, activity.clone(), self.timeouts);
        self.http1(stream, activity, held)
    }

    /// Detects the protocol of `stream`, serves it until it ends, and then drops `held`.
    #[cfg(any(feature = "h2", feature = "tls"))]
    pub(crate) async fn serve<S: IoStream>(mut self, stream: S, held: impl Send + 'static) {
        let activity = Activity::default();
        let stream = WriteTimeout::new(stream, activity.clone(), self.timeouts);
        #[cfg(feature = "tls")]
        if let Some(tls) = self.front.tls.clone() {
            let accepted = unless_stopped(&mut self.stopped, tls.accept(stream, self.timeouts));
            let Some((stream, protocol)) = Box::pin(accepted).await else { return };
            let stream: Box<dyn IoStream> = Box::new(stream);
            return match protocol {
                super::tls::Protocol::Http1 => Box::pin(self.http1(stream, activity, held)).await,
                #[cfg(feature = "h2")]
                super::tls::Protocol::Http2 => Box::pin(super::h2::serve(stream, self, activity, held)).await,
            };
        }
        #[cfg(feature = "h2")]
        match Box::pin(unless_stopped(
            &mut self.stopped,
            super::protocol_detect::detect_protocol(stream, self.timeouts),
        ))
        .await
        {
            Some((stream, true)) => Box::pin(super::h2::serve(Box::new(stream), self, activity, held)).await,
            Some((stream, false)) => Box::pin(self.http1(stream, activity, held)).await,
            None => {}
        }
        #[cfg(not(feature = "h2"))]
        Box::pin(self.http1(stream, activity, held)).await;
    }

    /// Serves an HTTP/1.1 connection.
    ///
    /// It is not an `async fn`, because a future that awaits a value that was moved into it reserves memory for the
    /// value twice, and each connection has one of these futures. So nothing is moved inside the future, and rare cases
    /// are boxed.
    fn http1<S: IoStream>(
        self,
        stream: S,
        activity: Activity,
        held: impl Send + 'static,
    ) -> impl Future<Output = ()> + Send {
        let HttpConnection { front, timeouts, mut stopped } = self;
        let io = TokioIo::new(GuardedStream::new(stream, activity.clone()));
        let mut builder = http1::Builder::new();
        // `WriteTimeout` and `Http1Timeout` enforce the timeouts; they also know the idle timeout.
        builder.header_read_timeout(None).max_buf_size(MAX_HEAD).max_header_size(MAX_HEAD);
        let mut timeout = Http1Timeout::new(activity.clone(), timeouts);
        let mut connection = builder.serve_connection(io, SiteService { site: front.site, activity: activity.clone() });
        async move {
            let mut stop = pin!(async { drop(stopped.wait_for(|stopped| *stopped).await) });
            let mut is_stopping = false;
            let mut wakes = CoalescedWaker::default();
            let ended = poll_fn(|task| {
                let mut connection = Pin::new(&mut connection);
                if !is_stopping && stop.as_mut().poll(task).is_ready() {
                    is_stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                if let Poll::Ready(ended) = connection.poll(&mut Context::from_waker(wakes.waker_for(task))) {
                    return Poll::Ready(ended.map_err(|error| error.to_string()));
                }
                // A partial head is not a request yet.
                if is_stopping && activity.is_idle() {
                    return Poll::Ready(Ok(()));
                }
                timeout.poll_expired(task).map(|()| Err("the client sent nothing for too long".to_owned()))
            })
            .await;
            if let Err(why) = ended {
                tracing::debug!(target: "fastmcp_rs", "a connection ended: {why}");
            }
            drop(held);
        }
    }
}

/// Waits until a connection has been set up; returns `None` if the server is asked to stop first, because no request
/// has arrived on the connection yet.
#[cfg(any(feature = "h2", feature = "tls"))]
async fn unless_stopped<T>(stopped: &mut watch::Receiver<bool>, begun: impl Future<Output = Option<T>>) -> Option<T> {
    let mut begun = pin!(begun);
    let mut stop = pin!(async { drop(stopped.wait_for(|stopped| *stopped).await) });
    poll_fn(|task| match begun.as_mut().poll(task) {
        Poll::Pending => stop.as_mut().poll(task).map(|()| None),
        begun => begun,
    })
    .await
}
