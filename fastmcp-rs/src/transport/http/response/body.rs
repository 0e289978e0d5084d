//! The body of a response.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use hyper::body::Bytes;

use crate::transport::http::response::backlog::{self, Meter};
use crate::transport::http::response::sse::EventStream;

/// The body of a response of [`HttpService`](super::super::HttpService).
#[derive(Debug)]
pub struct ResponseBody(BodyContent);

#[derive(Debug)]
pub(crate) enum BodyContent {
    Whole(Option<Bytes>),
    Events(Box<EventStream>),
}

impl ResponseBody {
    pub(crate) fn empty() -> ResponseBody {
        ResponseBody(BodyContent::Whole(None))
    }

    pub(crate) fn whole(bytes: impl Into<Bytes>) -> ResponseBody {
        ResponseBody(BodyContent::Whole(Some(bytes.into()).filter(|bytes: &Bytes| !bytes.is_empty())))
    }

    pub(crate) fn events(stream: EventStream) -> ResponseBody {
        ResponseBody(BodyContent::Events(Box::new(stream)))
    }

    /// Counts the bytes of the body until they are written. A response beyond the limit is replaced by an error.
    pub(crate) fn count_unread(&mut self, meter: impl FnOnce() -> Meter) {
        match &mut self.0 {
            BodyContent::Whole(Some(bytes)) if bytes.len() > backlog::SMALL_RESPONSE => {
                *bytes = meter().track_bytes(std::mem::take(bytes)).unwrap_or_else(|bytes| {
                    let mut error = backlog::build_dropped_error(&bytes).unwrap_or_default();
                    if error.is_empty() {
                        backlog::write_dropped_error(&mut error, None);
                    }
                    error.into()
                });
            }
            BodyContent::Whole(_) => {}
            BodyContent::Events(stream) => stream.count_unread(meter()),
        }
    }

    /// Returns true if the response must still be sent when the client has closed its side of the connection.
    pub(crate) fn outlives_input(&self) -> bool {
        matches!(&self.0, BodyContent::Events(stream) if stream.outlives_input())
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            BodyContent::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            BodyContent::Events(stream) => {
                stream.poll_next(task).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, BodyContent::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            BodyContent::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            BodyContent::Events(_) => SizeHint::default(),
        }
    }
}
