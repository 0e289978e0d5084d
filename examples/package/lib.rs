//! The examples of fastmcp-rs, one idea each: `cargo run --example hello`. This library is empty.
