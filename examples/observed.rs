//! Observability: log lines, Prometheus metrics and OpenTelemetry traces.
//!
//! ```sh
//! export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318
//! cargo run --features otel --example observed -- 127.0.0.1:8000
//! curl http://127.0.0.1:8000/metrics
//! ```

use fastmcp_rs::logging;
use fastmcp_rs::logging::Options;
use fastmcp_rs::prelude::*;

/// Looks up the price of an order, in cents.
#[mcp::tool]
async fn price_of(order: &str) -> Result<u64, ToolError> {
    tracing::info!("looking up the price");
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    order.strip_prefix("ORD-").and_then(|number| number.parse().ok()).ok_or(ToolError::new("unknown order"))
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    // Each line includes its request. Traces are sent if the variables of OpenTelemetry configure a destination.
    logging::init_with(Options::new().requests(true));
    let app = App::new("observed").http(HttpConfig::new().metrics(true));
    match std::env::args().nth(1) {
        Some(address) => app.run_http(address).await,
        None => {
            let metrics = app.metrics();
            app.run_stdio().await?;
            // There is no HTTP endpoint here, so the metrics are printed once at the end.
            eprint!("{metrics}");
            Ok(())
        }
    }
}
