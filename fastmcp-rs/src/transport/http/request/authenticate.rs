//! Who makes a request: the author's own function decides, from the head of it.

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

/// Why a request is not served: who makes it is not known, or may not.
///
/// # Example
///
/// ```
/// use fastmcp_rs::{AccessError, Principal};
/// use http::request::Parts;
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
pub struct AccessError {
    pub(crate) status: StatusCode,
    pub(crate) challenge: Option<HeaderValue>,
    pub(crate) message: &'static str,
}

impl AccessError {
    /// There are no credentials, or they are not valid: 401, with `WWW-Authenticate: Bearer`.
    pub fn unauthorized() -> AccessError {
        AccessError {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(HeaderValue::from_static("Bearer")),
            message: "Unauthorized: this server wants valid credentials",
        }
    }

    /// The credentials are valid, and not enough: 403.
    pub fn forbidden() -> AccessError {
        AccessError {
            status: StatusCode::FORBIDDEN,
            challenge: None,
            message: "Forbidden: these credentials do not suffice",
        }
    }

    /// The credentials cannot be checked now: 503. What went wrong is for the operator, not for the client.
    pub fn unavailable() -> AccessError {
        AccessError {
            status: StatusCode::SERVICE_UNAVAILABLE,
            challenge: None,
            message: "Unavailable: credentials cannot be checked now",
        }
    }

    /// An error for a function that has panicked: 500.
    fn for_panic() -> AccessError {
        AccessError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            challenge: None,
            message: "Internal error: the credentials could not be checked; the details are in the server's log",
        }
    }

    /// The value of `WWW-Authenticate`, such as `Bearer realm="orders"`. One that cannot stand in a header is left
    /// out.
    #[must_use]
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

/// A function that tells who makes a request: `async fn(&http::request::Parts) -> Result<Principal, AccessError>`.
pub trait Authenticate<'a>: Send + Sync {
    /// What the function returns.
    type Future: Future<Output = Result<Principal, AccessError>> + Send + 'a;

    /// Looks at the head of a request.
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

/// The function, whatever its type.
#[derive(Clone)]
pub(crate) struct Authenticator(Arc<AuthenticateFn>);

impl Authenticator {
    pub(crate) fn new(check: impl for<'a> Authenticate<'a> + 'static) -> Authenticator {
        Authenticator(Arc::new(move |parts| Box::pin(check.authenticate(parts))))
    }

    /// Asks who makes a request, for at most that time.
    pub(crate) async fn authenticate_request(&self, parts: &Parts, time: Duration) -> Result<Principal, AccessError> {
        // The function is the author's, and may panic: that must not end the connection, nor let anybody in.
        let failed = |catch_panic::CaughtPanic(text)| {
            operator_log::error(format_args!("the function of `authenticate` panicked: {text}"));
            AccessError::for_panic()
        };
        let mut future = catch_panic::run_catching(|| (self.0)(parts)).map_err(failed)?;
        let mut timer: Option<Pin<Box<Sleep>>> = None;
        let checked = poll_fn(|task| match catch_panic::run_catching(|| future.as_mut().poll(task)) {
            Ok(Poll::Ready(checked)) => Poll::Ready(checked),
            // Nearly always the answer is there at once, and nothing has to be timed.
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
