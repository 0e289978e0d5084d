//! Authentication of requests: the user's function determines the principal from the request head.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, StatusCode};
use tokio::time::Sleep;

use crate::auth::principal::Principal;
use crate::util::{catch_panic, operator_log};

/// The reason why authentication refuses a request: 401, 403 or 503.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// async fn by_key(parts: &Parts) -> Result<Principal, AccessError> {
///     match parts.headers.get("x-api-key").map(|key| key.as_bytes()) {
///         // Compare secrets in constant time, for instance by comparing their digests.
///         Some(b"secret") => Ok(Principal::new("ada")),
///         _ => Err(AccessError::unauthorized()),
///     }
/// }
/// # let _ = by_key;
/// ```
#[derive(Debug)]
#[must_use]
pub struct AccessError {
    pub(crate) status: StatusCode,
    pub(crate) challenge: Option<HeaderValue>,
    pub(crate) message: &'static str,
}

impl AccessError {
    /// The credentials are missing or invalid: 401, with `WWW-Authenticate: Bearer`.
    pub fn unauthorized() -> AccessError {
        AccessError {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(HeaderValue::from_static("Bearer")),
            message: "Unauthorized: this server needs valid credentials",
        }
    }

    /// The credentials are valid but do not suffice: 403.
    pub fn forbidden() -> AccessError {
        AccessError {
            status: StatusCode::FORBIDDEN,
            challenge: None,
            message: "Forbidden: these credentials are not sufficient",
        }
    }

    /// The credentials cannot be checked now: 503. The response contains no cause; log the cause for the operator.
    pub fn unavailable() -> AccessError {
        AccessError {
            status: StatusCode::SERVICE_UNAVAILABLE,
            challenge: None,
            message: "Unavailable: credentials cannot be checked now; try again later",
        }
    }

    /// The error for an authentication function that panicked: 500.
    fn for_panic() -> AccessError {
        AccessError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            challenge: None,
            message: "Internal error: the credentials could not be checked; the details are in the server's log",
        }
    }

    /// Sets the value of `WWW-Authenticate`, such as `Bearer realm="orders"`. If the value is not valid in a header,
    /// the response has no `WWW-Authenticate` header.
    pub fn challenge(mut self, challenge: &str) -> AccessError {
        self.challenge = HeaderValue::from_str(challenge).ok();
        self
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message)
    }
}

impl std::error::Error for AccessError {}

/// A function that authenticates a request: `async fn(&http::request::Parts) -> Result<Principal, AccessError>`.
pub trait Authenticate<'a>: Send + Sync {
    /// The future that the function returns.
    type Future: Future<Output = Result<Principal, AccessError>> + Send + 'a;

    /// Returns the principal that makes the request with this head, or the reason to refuse the request.
    fn authenticate(&self, parts: &'a Parts) -> Self::Future;
}

impl<'a, F, Fut> Authenticate<'a> for F
where
    F: Fn(&'a Parts) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Principal, AccessError>> + Send + 'a,
{
    type Future = Fut;

    fn authenticate(&self, parts: &'a Parts) -> Fut {
        self(parts)
    }
}

type AuthenticateFn = dyn for<'a> Fn(&'a Parts) -> Pin<Box<dyn Future<Output = Result<Principal, AccessError>> + Send + 'a>>
    + Send
    + Sync;

/// The authentication function, with its type erased.
#[derive(Clone)]
pub(crate) struct Authenticator(Arc<AuthenticateFn>);

impl Authenticator {
    pub(crate) fn new(check: impl for<'a> Authenticate<'a> + 'static) -> Authenticator {
        Authenticator(Arc::new(move |parts| Box::pin(check.authenticate(parts))))
    }

    /// Authenticates a request. After `time`, logs a warning and returns [`AccessError::unavailable`].
    pub(crate) async fn authenticate_request(&self, parts: &Parts, time: Duration) -> Result<Principal, AccessError> {
        // The user's function may panic: a panic must neither end the connection nor admit the request.
        let failed = |catch_panic::CaughtPanic(text)| {
            operator_log::error(format_args!("the function of `authenticate` panicked: {text}"));
            AccessError::for_panic()
        };
        let mut future = catch_panic::run_catching(|| (self.0)(parts)).map_err(failed)?;
        let mut timer: Option<Pin<Box<Sleep>>> = None;
        let checked = poll_fn(|task| match catch_panic::run_catching(|| future.as_mut().poll(task)) {
            Ok(Poll::Ready(checked)) => Poll::Ready(checked),
            // The function nearly always returns at once, and then no timer is needed.
            Ok(Poll::Pending) => {
                let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
                timer.as_mut().poll(task).map(|()| {
                    operator_log::warn(format_args!("the function of `authenticate` took longer than {time:?}"));
                    Err(AccessError::unavailable())
                })
            }
            Err(panicked) => Poll::Ready(Err(failed(panicked))),
        })
        .await;
        catch_panic::run_catching(|| drop(future)).map_err(failed)?;
        checked
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authenticator")
    }
}
