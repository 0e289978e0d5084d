//! Errors: messages for the model, and details for the operator only.
//!
//! ```sh
//! cargo run --example errors
//! ```

use std::num::ParseIntError;

use fastmcp_rs::prelude::*;

/// Withdraws money from the account.
#[mcp::tool(destructive)]
async fn withdraw(
    /// The amount in whole euros.
    #[arg(min = 1, max = 1000)]
    amount: u32,
) -> Result<String, ToolError> {
    const BALANCE: u32 = 300;
    if amount > BALANCE {
        // For the model: the problem and its solution.
        return Err(ToolError::new(format!(
            "The balance is {BALANCE} euros: withdraw at most this amount, or ask for credit."
        )));
    }
    Ok(format!("{amount} euros withdrawn, {} left", BALANCE - amount))
}

/// Reads the account's statement.
#[mcp::tool(read_only)]
fn statement() -> Result<String, ToolError> {
    // For the operator: `?` logs the error under an id, and the model reads only the id. A path, a query
    // or a host name in it never leaves the machine.
    Ok(std::fs::read_to_string("/nowhere/statement.txt")?)
}

/// Adds a number to the balance.
#[mcp::tool(read_only)]
fn add(number: &str) -> Result<i64, ParseIntError> {
    // Any error type works. All of them are for the operator.
    Ok(300 + number.parse::<i64>()?)
}

/// The errors of transfers. Each variant decides whether the model reads it.
#[derive(Debug, thiserror::Error, mcp::ToolError)]
enum TransferError {
    #[error("There is no account {0}: use one of A-1 and A-2.")]
    #[mcp(visible)]
    UnknownAccount(String),
    // The model reads another text than the operator.
    #[error("account {account} is frozen by order {order}")]
    #[mcp(visible = "Account {account} cannot receive money.")]
    Frozen { account: String, order: u32 },
    // For the operator only, with its cause.
    #[error("the ledger is not available")]
    Ledger(#[from] std::io::Error),
}

/// Transfers money to another account.
#[mcp::tool(destructive)]
async fn transfer(
    /// The account, e.g. `A-1`.
    to: &str,
    #[arg(min = 1)] amount: u32,
) -> Result<String, TransferError> {
    match to {
        "A-1" => Ok(format!("{amount} euros transferred to {to}")),
        "A-2" => Err(TransferError::Frozen { account: to.into(), order: 17 }),
        "A-3" => Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))?,
        _ => Err(TransferError::UnknownAccount(to.into())),
    }
}

/// Divides the balance by the number of its owners.
#[mcp::tool(read_only)]
fn share(owners: u32) -> u32 {
    // Panics without owners. The call still gets a response, and the panic's message is in the log.
    300 / owners
}

/// Finds the branch of a town.
#[mcp::tool(read_only)]
fn branch(town: &str) -> Result<String, ToolError> {
    let address = address(town).map_err(|error| {
        // Both at once: the log has the cause, and the model reads a message.
        eprintln!("cannot search the directory of branches: {error}");
        ToolError::new(format!("There is no branch in {town}. There is one in Bonn."))
    })?;
    Ok(address.to_owned())
}

fn address(town: &str) -> Result<&'static str, std::io::Error> {
    match town {
        "Bonn" => Ok("Am Markt 1"),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    }
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("bank").run_stdio().await
}
