//! Testing: calls in process, scripted answers of the user, and a lock file of the tools.
//!
//! ```sh
//! cargo run --features testing --example testing    # prints the result of one call
//! cargo test --features testing --example testing   # the tests
//! ```

use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::ClientReply;
use serde_json::json;

/// Exchange rates by currency.
struct Rates(Vec<(&'static str, f64)>);

/// An amount of money.
#[mcp::model]
struct Money {
    amount: f64,
    currency: String,
}

/// Buys another currency for euros after the user has confirmed.
#[mcp::tool(destructive)]
async fn buy(
    #[arg(min = 0)] euros: f64,
    /// The three-letter code of the currency.
    #[arg(example = "CHF")]
    currency: &str,
    rates: State<Rates>,
    ctx: &Context,
) -> Result<Money, ToolError> {
    let Some((_, rate)) = rates.0.iter().find(|(code, _)| *code == currency) else {
        let known: Vec<&str> = rates.0.iter().map(|(code, _)| *code).collect();
        return Err(ToolError::new(format!("{currency} is not for sale: use one of {}", known.join(", "))));
    };
    let amount = euros * rate;
    match ctx.elicit::<bool>(format!("Buy {amount:.2} {currency} for {euros:.2} EUR?")).await? {
        ElicitationResult::Accepted(true) => Ok(Money { amount, currency: currency.into() }),
        _ => Err(ToolError::new("the user declined the purchase")),
    }
}

/// Builds the server for `main` and for the tests.
fn app(rates: Rates) -> App {
    App::from_module("money", module_path!()).state(rates)
}

#[mcp::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A real server would call `app(rates).run_stdio().await`; this one calls its own tool.
    let client = app(Rates(vec![("CHF", 0.95)])).test_client().on_elicitation(|question| {
        println!("{}", question.message);
        ClientReply::accept(json!({"value": true}))
    });
    let reply = client.await?.call("buy", json!({"euros": 100, "currency": "CHF"})).await?;
    println!("{}", reply.text());
    Ok(())
}

#[cfg(test)]
mod tests {
    use fastmcp_rs::Revision;
    use fastmcp_rs::testing::{RequestError, TestClientBuilder, assert_tools_snapshot};

    use super::*;

    fn client() -> TestClientBuilder {
        app(Rates(vec![("CHF", 0.95), ("USD", 1.25)])).test_client()
    }

    #[tokio::test]
    async fn a_confirmed_amount_is_bought() -> Result<(), RequestError> {
        // Clients of the newest revision, and clients with a session.
        for revision in [Revision::V2026_07_28, Revision::V2025_11_25] {
            let client = client().revision(revision).on_elicitation(|question| {
                assert_eq!(question.message, "Buy 12.50 USD for 10.00 EUR?");
                ClientReply::accept(json!({"value": true}))
            });
            let client = client.await.expect("the app is valid");
            let reply = client.call("buy", json!({"euros": 10, "currency": "USD"})).await?;
            assert_eq!(reply.structured::<Money>().amount, 12.5);
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_declined_amount_is_not_bought() -> Result<(), RequestError> {
        for answer in [ClientReply::accept(json!({"value": false})), ClientReply::decline(), ClientReply::cancel()] {
            let client = client().on_elicitation(move |_| answer.clone()).await.expect("the app is valid");
            let reply = client.call("buy", json!({"euros": 10, "currency": "USD"})).await?;
            assert!(reply.is_error());
            assert_eq!(reply.text(), "the user declined the purchase");
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_client_without_elicitation_buys_nothing() {
        let client = client().await.expect("the app is valid");
        let failure = client.call("buy", json!({"euros": 10, "currency": "USD"})).await.unwrap_err();
        assert_eq!(failure.code(), -32021);
    }

    #[tokio::test]
    async fn an_unknown_currency_is_refused_with_the_known_ones() -> Result<(), RequestError> {
        let client = client().await.expect("the app is valid");
        let reply = client.call("buy", json!({"euros": 10, "currency": "DEM"})).await?;
        assert_eq!(reply.text(), "DEM is not for sale: use one of CHF, USD");
        Ok(())
    }

    #[test]
    fn the_tools_match_the_lock_file() {
        assert_tools_snapshot!(app(Rates(Vec::new())), "examples/testing.json");
    }
}
