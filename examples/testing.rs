//! A server whose tests stand beside it: calls in process, and a lock file of its tools.
//!
//! ```sh
//! cargo run --example testing     # what one call gives
//! cargo test --example testing    # the tests
//! ```

use fastmcp_rs::prelude::*;
use serde_json::json;

/// What a currency is worth.
struct Rates(Vec<(&'static str, f64)>);

/// An amount of money.
#[mcp::model]
struct Money {
    amount: f64,
    currency: String,
}

/// Converts euros to another currency.
#[mcp::tool(read_only)]
async fn convert(
    #[arg(min = 0)] euros: f64,
    /// Its code of three letters.
    #[arg(example = "CHF")]
    currency: &str,
    rates: State<Rates>,
) -> Result<Money, ToolError> {
    match rates.0.iter().find(|(code, _)| *code == currency) {
        Some((_, rate)) => Ok(Money { amount: euros * rate, currency: currency.into() }),
        None => {
            let known: Vec<&str> = rates.0.iter().map(|(code, _)| *code).collect();
            Err(ToolError::new(format!("use one of {}", known.join(", "))))
        }
    }
}

/// The server, as `main` runs it and the tests test it.
fn app(rates: Rates) -> App {
    App::from_module("money", module_path!()).state(rates)
}

#[mcp::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A server would end with `app(rates).run_stdio().await`; this one calls itself.
    let client = app(Rates(vec![("CHF", 0.95)])).test_client().await?;
    let reply = client.call("convert", json!({"euros": 100, "currency": "CHF"})).await?;
    println!("{}", reply.text());
    Ok(())
}

#[cfg(test)]
mod tests {
    use fastmcp_rs::Revision;
    use fastmcp_rs::testing::{Failure, TestClient, assert_tools_snapshot};

    use super::*;

    async fn client() -> TestClient {
        app(Rates(vec![("CHF", 0.95), ("USD", 1.25)])).test_client().await.expect("the app is right")
    }

    #[tokio::test]
    async fn euros_are_converted() -> Result<(), Failure> {
        let reply = client().await.call("convert", json!({"euros": 10, "currency": "USD"})).await?;
        assert_eq!(reply.structured::<Money>().amount, 12.5);
        Ok(())
    }

    #[tokio::test]
    async fn a_model_learns_which_currencies_there_are() -> Result<(), Failure> {
        let reply = client().await.call("convert", json!({"euros": 10, "currency": "DEM"})).await?;
        assert!(reply.is_error());
        assert_eq!(reply.text(), "use one of CHF, USD");
        Ok(())
    }

    #[tokio::test]
    async fn clients_of_the_first_revision_are_served() -> Result<(), Failure> {
        let app = app(Rates(vec![("CHF", 0.5)]));
        let client = app.test_client().revision(Revision::V2024_11_05).await.expect("the app is right");
        let reply = client.call("convert", json!({"euros": 10, "currency": "CHF"})).await?;
        assert_eq!(reply.text(), r#"{"amount":5.0,"currency":"CHF"}"#);
        Ok(())
    }

    #[test]
    fn the_tools_are_what_was_agreed_on() {
        assert_tools_snapshot!(app(Rates(Vec::new())), "examples/testing.json");
    }
}
