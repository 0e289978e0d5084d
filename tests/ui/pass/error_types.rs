//! Error types that decide for each variant, and every error that `?` takes.

use std::error::Error;

use fastmcp_rs::prelude::*;

#[derive(Debug, thiserror::Error, mcp::ToolError)]
enum Failure {
    #[error("There is no order {0}.")]
    #[mcp(visible)]
    NotFound(String),
    #[error("locked: {holder} until {until}")]
    #[mcp(visible = "Another person has it until {until:>5}.")]
    Locked { holder: u32, until: &'static str },
    #[error("the database is gone")]
    Database(#[from] std::io::Error),
    #[error(transparent)]
    Closed(#[from] Closed),
}

#[derive(Debug, thiserror::Error, mcp::ToolError)]
#[error("It is closed.")]
#[mcp(visible)]
pub struct Closed;

#[derive(Debug, thiserror::Error, mcp::ToolError)]
enum Never {}

fn look(id: &str) -> Result<(), Failure> {
    match id {
        "locked" => Err(Failure::Locked { holder: 1, until: "noon" }),
        "closed" => Err(Closed)?,
        "file" => Err(std::io::Error::other("no file"))?,
        _ => Err(Failure::NotFound(id.to_owned())),
    }
}

/// Returns the error.
#[mcp::tool]
fn returned(id: &str) -> Result<(), Failure> {
    look(id)
}

/// Converts the error.
#[mcp::tool]
async fn converted(id: &str) -> Result<(), ToolError> {
    Ok(look(id)?)
}

/// Never fails.
#[mcp::tool]
async fn never() -> Result<u8, Never> {
    Ok(1)
}

/// Converts a box.
#[mcp::tool]
async fn boxed(id: &str) -> Result<(), ToolError> {
    fn look_in_box(id: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(look(id)?)
    }
    Ok(look_in_box(id)?)
}

/// Reads an order.
#[mcp::resource("orders://{id}")]
fn order(id: &str) -> Result<String, Failure> {
    look(id)?;
    Ok(id.to_owned())
}

/// Asks for an order.
#[mcp::prompt]
fn ask(id: &str) -> Result<String, Failure> {
    look(id)?;
    Ok(id.to_owned())
}

fn main() {
    #[derive(Debug, thiserror::Error, mcp::ToolError)]
    #[error("local")]
    #[mcp(visible = "A local error.")]
    struct Local;

    assert_eq!(ToolError::from(Local).to_string(), "A local error.");
    assert_eq!(ToolError::from(look("locked").unwrap_err()).to_string(), "Another person has it until  noon.");
    assert_eq!(ToolError::from(look("closed").unwrap_err()).to_string(), "It is closed.");
    assert!(!ToolError::from(look("file").unwrap_err()).is_visible());
    assert_eq!(returned("7").unwrap_err().to_string(), "There is no order 7.");
}
