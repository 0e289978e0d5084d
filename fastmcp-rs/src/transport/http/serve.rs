//! The server around the service: connections, paths, the end.
//!
//! The loop is our own, as a server for everybody has to close what is silent, slow or too much, and has to set
//! `TCP_NODELAY`: without it, each answer in two writes would wait 40 ms for the client's acknowledgement.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::body::ResponseBody;
use super::counted::{Counted, PerPeer};
use super::io::{Active, Activity, Guarded, Times};
use super::service::HttpService;
use crate::operator;

/// The largest head of a request, and the most headers in it.
const MAX_HEAD: usize = 32 << 10;
const MAX_HEADERS: usize = 64;
/// How long to wait before connections are accepted again that could not be for want of resources.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Serves until `stop` is ready, and then until what runs has ended or its time is over.
pub(crate) async fn serve(listener: TcpListener, service: HttpService, stop: impl Future<Output = ()>) {
    let config = service.shared.config.clone();
    let times = Times { header: config.header_time, idle: config.idle_time, write: config.write_time };
    let (stopping, stopped) = watch::channel(false);
    let connections = Arc::new(AtomicUsize::new(0));
    let addresses = config.max_connections_per_address.map(PerPeer::new);
    let mut tasks = JoinSet::new();
    let mut stop = pin!(stop);
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = {
            let mut accept = pin!(listener.accept());
            poll_fn(|task| match stop.as_mut().poll(task) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => accept.as_mut().poll(task).map(Some),
            })
            .await
        };
        while tasks.try_join_next().is_some() {}
        let (stream, peer) = match accepted {
            None => break,
            Some(Ok(accepted)) => accepted,
            Some(Err(error)) if is_the_peers(&error) => continue,
            Some(Err(error)) => {
                // Too many open files, most likely: to ask again at once would only burn time.
                operator::warn(format_args!("connections cannot be accepted: {error}; trying again in {pause:?}"));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        pause = FIRST_PAUSE;
        let Some(counted) = Counted::new(&connections, config.max_connections) else { continue };
        let of_address = match &addresses {
            None => None,
            Some(addresses) => match addresses.count(peer.ip().to_canonical()) {
                Some(counted) => Some(counted),
                None => continue,
            },
        };
        let connection = connection(stream, service.clone(), times, stopped.clone());
        tasks.spawn(async move {
            connection.await;
            drop((counted, of_address));
        });
    }
    drop(listener);
    service.close();
    let _ = stopping.send(true);
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(config.drain, drained).await.is_err() {
        operator::warn(format_args!("{} calls did not end in time, and are cancelled", service.calls()));
    }
    service.shared.end_sessions();
    tasks.shutdown().await;
    service.end().await;
}

/// Whether an error of `accept` is one of the connection that was to be accepted.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn connection(stream: TcpStream, service: HttpService, times: Times, mut stopped: watch::Receiver<bool>) {
    // An answer that goes out late is better than none.
    let _ = stream.set_nodelay(true);
    let activity = Activity::default();
    let io = TokioIo::new(Guarded::new(stream, activity.clone(), times));
    let mut builder = http1::Builder::new();
    // Times are kept by `Guarded`, which also knows how long a connection may rest.
    builder.header_read_timeout(None).max_buf_size(MAX_HEAD);
    let mut connection = pin!(builder.serve_connection(io, Paths { service, activity }));
    let mut stop = pin!(async { drop(stopped.wait_for(|stopped| *stopped).await) });
    let mut is_stopping = false;
    let ended = poll_fn(|task| {
        if !is_stopping && stop.as_mut().poll(task).is_ready() {
            is_stopping = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(task)
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(target: "fastmcp_rs", "a connection ended: {error}");
    }
}

/// The service at its path, and what tells that the server is there.
struct Paths {
    service: HttpService,
    activity: Activity,
}

impl hyper::service::Service<Request<Incoming>> for Paths {
    type Response = Response<Tracked>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let active = self.activity.begin();
        let service = self.service.clone();
        Box::pin(async move {
            let path = request.uri().path();
            let is_ours = path.strip_suffix('/').unwrap_or(path) == service.shared.config.path.trim_end_matches('/');
            let response = if request.headers().len() > MAX_HEADERS {
                plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers\n")
            } else if is_ours {
                service.serve(request).await
            } else if let Some(legacy) = service.legacy_sse_at(path) {
                legacy.serve(request).await
            } else {
                health(request.method(), path, &service)
            };
            Ok(response.map(|body| Tracked { body, _active: active }))
        })
    }
}

fn health(method: &Method, path: &str, service: &HttpService) -> Response<ResponseBody> {
    match path {
        "/healthz" | "/readyz" if !matches!(*method, Method::GET | Method::HEAD) => {
            plain(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n")
        }
        "/healthz" => plain(StatusCode::OK, "ok\n"),
        "/readyz" if service.is_closed() => plain(StatusCode::SERVICE_UNAVAILABLE, "ending\n"),
        "/readyz" => plain(StatusCode::OK, "ok\n"),
        _ => plain(StatusCode::NOT_FOUND, "not found\n"),
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A body that tells when it is written.
struct Tracked {
    body: ResponseBody,
    _active: Active,
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(task)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Ready when the process is asked to stop.
pub(crate) async fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            poll_fn(|task| {
                if terminate.poll_recv(task).is_ready() || interrupt.poll_recv(task).is_ready() {
                    return Poll::Ready(());
                }
                Poll::Pending
            })
            .await;
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
