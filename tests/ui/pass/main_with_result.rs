//! `main` may return what it likes, and its types are inferred from that.

use fastmcp_rs::mcp;

/// Starts.
#[mcp::main(worker_threads = 1)]
pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number: u32 = "10".parse()?;
    std::future::ready(()).await;
    if number == 10 { Ok(()) } else { Err("not ten".into()) }
}
