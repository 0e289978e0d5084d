//! A response body that marks its request as active until it is written.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use hyper::body::Bytes;

use crate::transport::http::response::body::ResponseBody;
use crate::transport::http::server::route_body::RouteBody;
use crate::transport::http::server::timeouts::ActivityGuard;

/// The content of a response: from this crate or from a user's route.
pub(crate) enum ServerBody {
    Own(ResponseBody),
    Route(RouteBody),
}

/// A body that holds its request's `ActivityGuard` until it is written.
pub(crate) struct TrackedBody {
    pub(crate) content: ServerBody,
    pub(crate) active: ActivityGuard,
}

impl ServerBody {
    /// Returns whether the body must still be sent to a client that has closed its side of the connection.
    pub(crate) fn outlives_input(&self) -> bool {
        matches!(self, ServerBody::Own(body) if body.outlives_input())
    }
}

impl Body for ServerBody {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            ServerBody::Own(body) => Pin::new(body).poll_frame(task).map_err(|never| match never {}),
            ServerBody::Route(body) => Pin::new(body).poll_frame(task),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ServerBody::Own(body) => body.is_end_stream(),
            ServerBody::Route(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ServerBody::Own(body) => body.size_hint(),
            ServerBody::Route(body) => body.size_hint(),
        }
    }
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.content).poll_frame(task);
        if polled.is_pending() {
            self.active.disconnect_if_closed(|| self.content.outlives_input());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
