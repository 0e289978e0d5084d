//! Extractors of the facts that the transport has about a request: headers, extensions and the address of the client.

use std::any::type_name;
#[cfg(feature = "http")]
use std::convert::Infallible;
use std::future::{Future, ready};
use std::ops::{Deref, DerefMut};
#[cfg(feature = "http")]
use std::sync::Arc;

#[cfg(feature = "http")]
use http::HeaderMap;

use crate::component::extract::{FromContext, OptionalFromContext};
use crate::context::Context;
use crate::context::transport_facts::ClientAddr;
use crate::error::ToolError;

/// A value that the transport attached to the request: the user record behind a token, the tenant of a host name.
///
/// It has two sources, of which the first has precedence:
///
/// - [`Principal::extension`](crate::Principal::extension), in the function of
///   [`App::authenticate`](crate::App::authenticate);
/// - the [extensions](https://docs.rs/http/1/http/struct.Extensions.html) of the HTTP request, to which a middleware in
///   front of [`App::into_service`](crate::App::into_service) adds it.
///
/// The value belongs to one request, even in a session of an older revision. A call whose request has no such value
/// fails with an internal error that names the type; `Option<Extension<T>>` is `None` instead. On standard input and
/// output there are no extensions. In tests, `TestClientBuilder::extension` provides them.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// #[derive(Clone)]
/// struct User {
///     name: String,
/// }
///
/// /// Greets the caller.
/// #[mcp::tool]
/// async fn greet(Extension(user): Extension<User>) -> String {
///     format!("Hello, {}!", user.name)
/// }
///
/// # #[mcp::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "testing")]
/// # {
/// let ada = Principal::new("ada").extension(User { name: "Ada".into() });
/// let client = App::empty("greeter").tool::<greet>().test_client().principal(ada).await?;
/// assert_eq!(client.call("greet", ()).await?.text(), "Hello, Ada!");
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Extension<T>(pub T);

impl<T> Deref for Extension<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Extension<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Clone + Send + Sync + 'static> FromContext for Extension<T> {
    type Error = ToolError;

    fn from_context(context: &Context) -> impl Future<Output = Result<Self, ToolError>> + Send {
        let value = context.extension().cloned().map(Extension);
        ready(value.ok_or_else(|| missing_extension(type_name::<T>())))
    }
}

impl<T: Clone + Send + Sync + 'static> OptionalFromContext for Extension<T> {
    type Error = ToolError;

    fn optional_from_context(context: &Context) -> impl Future<Output = Result<Option<Self>, ToolError>> + Send {
        ready(Ok(context.extension().cloned().map(Extension)))
    }
}

#[cold]
fn missing_extension(name: &str) -> ToolError {
    ToolError::internal(format!(
        "the request has no extension of type `{name}`: attach it with `Principal::extension` in the function of \
         `App::authenticate`, or add it to the extensions of the HTTP request in a middleware in front of the service; \
         `Option<Extension<T>>` is `None` instead"
    ))
}

/// The HTTP headers of the request that the app exposes.
///
/// [`App::expose_headers`](crate::App::expose_headers) names them; all others are absent. There are none on standard
/// input and output, so a tool that runs on both transports must not require them. In tests,
/// `TestClientBuilder::header` sets them.
///
/// A client can send anything, so a header proves nothing, unless a proxy in front of the server sets it and removes it
/// from the requests of clients.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// Returns the tenant of the request.
/// #[mcp::tool]
/// async fn tenant(headers: Headers) -> String {
///     let tenant = headers.get("x-tenant").and_then(|value| value.to_str().ok());
///     tenant.unwrap_or("none").to_owned()
/// }
///
/// let app = App::empty("tenants").tool::<tenant>().expose_headers(["x-tenant"]);
/// assert!(app.check().is_ok());
/// ```
#[cfg(feature = "http")]
#[derive(Clone, Debug, Default)]
pub struct Headers(pub Arc<HeaderMap>);

#[cfg(feature = "http")]
impl Deref for Headers {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        &self.0
    }
}

#[cfg(feature = "http")]
impl FromContext for Headers {
    type Error = Infallible;

    fn from_context(context: &Context) -> impl Future<Output = Result<Self, Infallible>> + Send {
        ready(Ok(Headers(context.shared_headers())))
    }
}

impl FromContext for ClientAddr {
    type Error = ToolError;

    fn from_context(context: &Context) -> impl Future<Output = Result<Self, ToolError>> + Send {
        let missing =
            || ToolError::internal("the address of the client is unknown; `Option<ClientAddr>` is `None` instead");
        ready(context.client_addr().ok_or_else(missing))
    }
}

impl OptionalFromContext for ClientAddr {
    type Error = ToolError;

    fn optional_from_context(context: &Context) -> impl Future<Output = Result<Option<Self>, ToolError>> + Send {
        ready(Ok(context.client_addr()))
    }
}
