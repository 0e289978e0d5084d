//! The user's own routes beside the endpoint: a tower service that receives every request whose path the server does
//! not serve itself.
//!
//! The service's type is erased here, so that an app with routes has the same type as an app without. The routes
//! themselves are the user's responsibility. The server ensures that they cannot be reached under a foreign `Host` and
//! cannot bring down other requests: a panic becomes a 500 response, and a client that sends no body data runs into a
//! timeout.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::{Bytes, Incoming};
use tokio::time::Sleep;
use tower_service::Service;

use crate::transport::http::request::head;
use crate::transport::http::request::host_origin::AccessDenial;
use crate::transport::http::response::plain::{plain_response, with_connection_close};
use crate::transport::http::server::route_body::{BoxError, RouteBody, catch_route_panic};
use crate::transport::http::server::tracked_body::ServerBody;
use crate::transport::http::shared::ServiceState;
use crate::util::operator_log;

type RouteFuture = Pin<Box<dyn Future<Output = Result<Response<RouteBody>, BoxError>> + Send>>;

/// The user's service, with its type erased.
#[derive(Clone)]
pub(crate) struct Routes(Arc<dyn Fn(Request<RequestBody>) -> RouteFuture + Send + Sync>);

impl Routes {
    pub(crate) fn new<S, B>(service: S) -> Routes
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: Body + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Routes(Arc::new(move |request| {
            let mut service = service.clone();
            Box::pin(async move {
                poll_fn(|task| service.poll_ready(task)).await.map_err(Into::into)?;
                let response = service.call(request).await.map_err(Into::into)?;
                Ok(response.map(RouteBody::new))
            })
        }))
    }

    pub(crate) async fn response(&self, request: Request<Incoming>, shared: &ServiceState) -> Response<ServerBody> {
        let own = |response: Response<_>| response.map(ServerBody::Own);
        if let Err(refused) = shared.access.check_host(request.uri(), head::read_headers(request.headers()).0.host) {
            if refused != AccessDenial::InvalidHost {
                return own(plain_response(StatusCode::FORBIDDEN, "this `Host` is not allowed\n"));
            }
            return own(with_connection_close(plain_response(
                StatusCode::BAD_REQUEST,
                "the request must have exactly one valid `Host`\n",
            )));
        }
        // CONNECT requests a tunnel, which this server does not provide.
        if request.method() == Method::CONNECT {
            return own(plain_response(StatusCode::METHOD_NOT_ALLOWED, "this server is not a proxy\n"));
        }
        let request = request.map(|body| RequestBody::new(body, shared.config.body_read_timeout));
        let mut answering = match catch_route_panic(|| (self.0)(request)) {
            Ok(answering) => answering,
            Err(error) => return own(failure_response(&*error)),
        };
        let response = poll_fn(|task| match catch_route_panic(|| answering.as_mut().poll(task)) {
            Ok(polled) => polled,
            Err(panicked) => Poll::Ready(Err(panicked)),
        });
        match response.await {
            Ok(response) => response.map(ServerBody::Route),
            Err(error) => own(failure_response(&*error)),
        }
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Routes").finish_non_exhaustive()
    }
}

fn failure_response(error: &(dyn StdError + Send + Sync)) -> Response<super::super::response::body::ResponseBody> {
    operator_log::error(format_args!("a route failed: {error}"));
    plain_response(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n")
}

/// The body of a request to one of the [routes](crate::App::routes) beside an app.
///
/// It implements [`http_body::Body`], so axum's extractors and `http_body_util::BodyExt::collect` can read it. It does
/// not limit the size: axum's extractors have a limit of 2 MB, and `http_body_util::Limited` adds a limit. Reading
/// fails if the client sends no data for as long as
/// [`HttpConfig::body_read_timeout`](crate::HttpConfig::body_read_timeout).
pub struct RequestBody {
    incoming: Incoming,
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    fn new(incoming: Incoming, timeout: Duration) -> RequestBody {
        RequestBody { incoming, timeout, timer: None }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(task) {
            this.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
        }
        let timeout = this.timeout;
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        timer
            .as_mut()
            .poll(task)
            .map(|()| Some(Err(io::Error::new(io::ErrorKind::TimedOut, "the client sent nothing"))))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RequestBody").finish_non_exhaustive()
    }
}
