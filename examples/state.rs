//! State: values that tools share, and extractors that run for each call.
//!
//! ```sh
//! cargo run --example state
//! ```

use std::collections::BTreeMap;
use std::sync::Mutex;

use fastmcp_rs::handler::{FromContext, Requirements};
use fastmcp_rs::prelude::*;

/// The stock. The whole server shares one value, so a lock protects it.
#[derive(Default)]
struct Stock(Mutex<BTreeMap<String, u32>>);

/// Adds articles to the stock.
#[mcp::tool]
async fn receive(article: String, #[arg(min = 1)] quantity: u32, stock: State<Stock>) -> Result<u32, ToolError> {
    let mut stock = stock.0.lock().map_err(|error| ToolError::internal(error.to_string()))?;
    let held = stock.entry(article).or_default();
    *held = held.checked_add(quantity).ok_or_else(|| ToolError::new("The shelf is full: reduce the quantity."))?;
    Ok(*held)
}

/// Lists the articles in stock.
#[mcp::tool(read_only)]
async fn inventory(stock: State<Stock>) -> Result<BTreeMap<String, u32>, ToolError> {
    let stock = stock.0.lock().map_err(|error| ToolError::internal(error.to_string()))?;
    Ok(stock.clone())
}

/// The currency of prices, extracted for each call from the information that the client sends.
struct Currency(&'static str);

impl FromContext for Currency {
    type Error = ToolError;

    async fn from_context(ctx: &Context) -> Result<Currency, ToolError> {
        let known: State<Currencies> = State::from_context(ctx).await?;
        let wanted = ctx.meta().get("com.example/currency").and_then(|value| value.as_str().map(str::to_owned));
        let wanted = wanted.as_deref().unwrap_or("EUR");
        let found = known.0.iter().find(|currency| **currency == wanted);
        found
            .map(|currency| Currency(currency))
            .ok_or_else(|| ToolError::new(format!("There are no prices in {wanted}.")))
    }

    // A server without this state does not start, and reports the tools that need it.
    fn requirements(requirements: &mut Requirements) {
        requirements.state::<Currencies>();
    }
}

struct Currencies([&'static str; 2]);

/// Returns the price of an article.
#[mcp::tool(read_only)]
async fn price(article: &str, currency: Currency) -> String {
    format!("{article}: 10 {}", currency.0)
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("stock").state(Stock::default()).state(Currencies(["EUR", "USD"])).run_stdio().await
}
