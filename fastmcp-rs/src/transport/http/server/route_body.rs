//! The body of a response from the user's routes.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Buf, Bytes};

use crate::util::{catch_panic, operator_log};

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

pub(crate) fn catch_route_panic<T>(work: impl FnOnce() -> T) -> Result<T, BoxError> {
    catch_panic::run_catching(work).map_err(|catch_panic::CaughtPanic(text)| format!("it panicked: {text}").into())
}

/// The body of a route's response, with its type erased.
pub(crate) struct RouteBody(UnsyncBoxBody<Bytes, BoxError>);

impl RouteBody {
    pub(crate) fn new<B>(body: B) -> RouteBody
    where
        B: Body + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let body = body.map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())));
        RouteBody(body.map_err(Into::into).boxed_unsync())
    }
}

impl Body for RouteBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // The head has been sent, so the body can only be aborted and the error logged.
        let polled = catch_route_panic(|| Pin::new(&mut self.0).poll_frame(task))
            .unwrap_or_else(|error| Poll::Ready(Some(Err(error))));
        if let Poll::Ready(Some(Err(error))) = &polled {
            operator_log::error(format_args!("the response of a route ended early: {error}"));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
