//! Methods of features that are off, which fail to compile with a message that names the feature.
//!
//! rustc names the feature of a module or a type that is configured out, but not that of a method. So each of these
//! methods also exists without its feature, with a bound that no type satisfies.

/// Infers the type parameter `B` of these methods, because it has one implementation. A bound on a type that is known
/// from the start would only make rustc deny that the method exists.
#[cfg(not(all(feature = "stdio", feature = "http", feature = "metrics", feature = "testing")))]
#[doc(hidden)]
pub trait BuiltAs<B> {}

/// The build of this crate.
#[cfg(not(all(feature = "stdio", feature = "http", feature = "metrics", feature = "testing")))]
#[doc(hidden)]
#[allow(dead_code, unreachable_pub)]
pub struct Build;

#[cfg(not(all(feature = "stdio", feature = "http", feature = "metrics", feature = "testing")))]
impl BuiltAs<Build> for crate::app::App {}

/// A build with the feature `stdio`.
#[cfg(not(feature = "stdio"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this method needs the feature `stdio` of fastmcp-rs",
    label = "the feature `stdio` is off",
    note = "turn it on in `Cargo.toml`: `cargo add fastmcp-rs --features stdio`"
)]
pub trait WithStdio {
    type Output;
}

/// A build with the feature `http`.
#[cfg(not(feature = "http"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this method needs the feature `http` of fastmcp-rs",
    label = "the feature `http` is off",
    note = "turn it on in `Cargo.toml`: `cargo add fastmcp-rs --features http`"
)]
pub trait WithHttp {
    type Output;
}

/// A build with the feature `metrics`.
#[cfg(not(feature = "metrics"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this method needs the feature `metrics` of fastmcp-rs",
    label = "the feature `metrics` is off",
    note = "turn it on in `Cargo.toml`: `cargo add fastmcp-rs --features metrics`"
)]
pub trait WithMetrics {
    type Output;
}

/// A build with the feature `testing`.
#[cfg(not(feature = "testing"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this method needs the feature `testing` of fastmcp-rs",
    label = "the feature `testing` is off",
    note = "turn it on for tests, in `[dev-dependencies]`: `cargo add fastmcp-rs --dev --features testing`"
)]
pub trait WithTesting {
    type Output;
}

/// Generates methods that need a feature. Their result is a type of the missing implementation, so that rustc reports
/// the bound, and nothing that follows from it.
macro_rules! missing_methods {
    ($feature:literal, $build:ident: $($method:ident($($argument:ident)?)),+) => {
        #[cfg(not(feature = $feature))]
        impl crate::app::App {$(
            #[doc(hidden)]
            pub fn $method<$($argument,)? B: $build>(self $(, _: $argument)?) -> B::Output
            where
                Self: BuiltAs<B>,
            {
                ::core::unreachable!()
            }
        )+}
    };
}

missing_methods!("stdio", WithStdio: stdout(A), max_line(A), watch_parent(A), run_stdio());
missing_methods!("http", WithHttp: authenticate(A), routes(A), into_service());
missing_methods!("http", WithHttp: run_http(A), run_http_on(A), run_http_unix(A), run_http_unix_on(A));
missing_methods!("metrics", WithMetrics: metrics());
missing_methods!("testing", WithTesting: test_client(), connect());

#[cfg(not(feature = "http"))]
impl crate::app::App {
    /// The bound is on the argument, because rustc has reported its type already: `HttpConfig` is missing too.
    #[doc(hidden)]
    pub fn http<A: WithHttp>(self, _: A) -> A::Output {
        ::core::unreachable!()
    }
}
