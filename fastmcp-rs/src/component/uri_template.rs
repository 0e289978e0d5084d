//! The grammar of URI templates, which this crate shares with its macros.
//!
//! The source is `fastmcp-rs-macros/src/shared/uri_template.rs`. The macros check the templates in source code, and this
//! crate those of resources that are created at run time.

fastmcp_rs_macros::shared_source!(uri_template);
