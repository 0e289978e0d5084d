//! Settings of the transport of 2024-11-05, and their check at startup.
//!
//! Without the feature `legacy-sse` there are none.

pub(crate) use body::StreamConfig;

#[cfg(feature = "legacy-sse")]
mod body {
    use crate::checks::http::{check_legacy_sse, check_public_prefix};
    use crate::checks::problem::Problem;

    #[derive(Clone, Debug, Default)]
    pub(crate) struct StreamConfig {
        /// The path of the endpoint in `App::run_http`, if it is served there.
        pub(crate) path: Option<String>,
        /// The path prefix that is stripped before requests arrive.
        pub(crate) public_prefix: Option<String>,
    }

    impl StreamConfig {
        /// Checks the settings beside the path of Streamable HTTP.
        pub(crate) fn check(&self, endpoint: &str, has_metrics: bool) -> Result<(), Problem> {
            self.public_prefix.as_deref().map_or(Ok(()), check_public_prefix)?;
            self.path.as_deref().map_or(Ok(()), |path| check_legacy_sse(path, endpoint, has_metrics))
        }
    }
}

#[cfg(not(feature = "legacy-sse"))]
mod body {
    use crate::checks::problem::Problem;

    #[derive(Clone, Debug, Default)]
    pub(crate) struct StreamConfig(());

    impl StreamConfig {
        pub(crate) fn check(&self, _endpoint: &str, _has_metrics: bool) -> Result<(), Problem> {
            Ok(())
        }
    }
}
