//! Settings of the transport of 2024-11-05, and their check at startup.
//!
//! Without the feature `legacy-sse` there are none.

pub(crate) use body::StreamConfig;

#[cfg(feature = "legacy-sse")]
mod body {
    use http::uri::PathAndQuery;

    use crate::transport::http::paths::{METRICS_PATH, check_path, is_same_path};

    #[derive(Clone, Debug, Default)]
    pub(crate) struct StreamConfig {
        /// The path of the endpoint in `App::run_http`, if it is served there.
        pub(crate) path: Option<String>,
        /// The path prefix that is stripped before requests arrive.
        pub(crate) public_prefix: Option<String>,
    }

    impl StreamConfig {
        /// Checks the settings beside the path of Streamable HTTP; the error lists the problems.
        pub(crate) fn check(&self, endpoint: &str, has_metrics: bool) -> Result<(), Vec<String>> {
            if let Some(prefix) = &self.public_prefix {
                // A prefix must not look like the name of another server (`//`), nor contain characters that would end the line
                // of the event.
                let is_path =
                    prefix.parse().is_ok_and(|path: PathAndQuery| path.query().is_none() && path.path() == prefix);
                // Clients take `\\` for `/`, and some end lines at characters beyond ASCII.
                let is_plain = prefix.is_ascii() && !prefix.contains('\\');
                if !is_path || !is_plain || !prefix.starts_with('/') || prefix.starts_with("//") {
                    return Err(vec![format!(
                        "`HttpConfig::public_prefix`: `{}` is not a path: write it as in a URL, such as \"/tools\"",
                        prefix.escape_debug()
                    )]);
                }
            }
            let Some(path) = &self.path else { return Ok(()) };
            check_path(path).map_err(|problem| vec![format!("`HttpConfig::legacy_sse`: {problem}")])?;
            if has_metrics && is_same_path(path, METRICS_PATH) {
                return Err(vec![format!("`HttpConfig::legacy_sse`: `{path}` is the path of the metrics")]);
            }
            if is_same_path(path, endpoint) {
                return Err(vec![format!(
                    "`{path}` is the path of Streamable HTTP: set `HttpConfig::legacy_sse` to another one, such as \"/sse\""
                )]);
            }
            Ok(())
        }
    }
}

#[cfg(not(feature = "legacy-sse"))]
mod body {
    #[derive(Clone, Debug, Default)]
    pub(crate) struct StreamConfig(());

    impl StreamConfig {
        pub(crate) fn check(&self, _endpoint: &str, _has_metrics: bool) -> Result<(), Vec<String>> {
            Ok(())
        }
    }
}
