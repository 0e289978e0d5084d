//! Progress, log messages and cancellation.
//!
//! ```sh
//! cargo run --example progress
//! ```

use std::time::Duration;

use fastmcp_rs::prelude::*;

/// Boils eggs, one after the other.
#[mcp::tool]
async fn boil(
    #[arg(min = 1, max = 12)] eggs: u32,
    /// Milliseconds for each egg.
    #[arg(default = 100, max = 60_000)]
    each: u64,
    ctx: &Context,
) -> String {
    for egg in 1..=eggs {
        // A cancelled call is dropped here, at its `await`, without further code.
        tokio::time::sleep(Duration::from_millis(each)).await;
        ctx.progress(egg, eggs, format!("egg {egg} is done"));
    }
    ctx.info("the stove is off");
    format!("{eggs} eggs")
}

/// Counts the primes below a number.
#[mcp::tool(read_only, timeout = "2m")]
fn primes(#[arg(max = 1_000_000)] below: u32, ctx: &Context) -> Result<usize, ToolError> {
    let mut found = 0;
    // `track` reports after each item. At most 20 notifications per second are sent, without duplicates.
    for number in ctx.track(2..below) {
        // A `fn` runs on its own thread, which cannot be stopped from outside, so it checks for cancellation.
        if ctx.is_cancelled() {
            return Err(ToolError::new("cancelled"));
        }
        let is_prime = (2..).take_while(|divisor| divisor * divisor <= number).all(|divisor| number % divisor != 0);
        found += usize::from(is_prime);
    }
    Ok(found)
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("kitchen").run_stdio().await
}
