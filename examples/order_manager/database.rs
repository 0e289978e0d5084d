//! The order database: where it is, how it is opened, and the queries.
//!
//! Whatever a model sends reaches SQL as a bind parameter, so no argument can become part of a
//! statement; and the connections are such that SQLite itself refuses to write through them, so a
//! wrong query cannot change an order either.

use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};
use std::{env, fmt};

use fastmcp_rs::prelude::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection, FromRow};

/// How long a connection waits for another process that has the database locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How many order references are suggested at most: more would not be read.
const MAX_IDS: u32 = 1000;

/// One row of the `orders` table.
#[mcp::model]
#[derive(FromRow)]
pub struct Order {
    pub order_id: String,
    pub customer_email: String,
    pub status: String,
    pub total_amount: f64,
    pub is_refundable: bool,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Order ID: {}", self.order_id)?;
        writeln!(f, "Customer: {}", self.customer_email)?;
        writeln!(f, "Status: {}", self.status)?;
        writeln!(f, "Total: ${:.2}", self.total_amount)?;
        write!(f, "Refundable: {}", if self.is_refundable { "Yes" } else { "No" })
    }
}

/// Read-only access to the orders.
pub struct Orders {
    pool: SqlitePool,
}

impl Orders {
    /// Opens the database that `DATABASE_URL` names, or `orders.db`; creates it first if it is missing.
    ///
    /// # Errors
    ///
    /// Fails with a sentence for the person who starts the server, if the database can be neither
    /// opened nor created.
    pub async fn open() -> Result<Self, String> {
        let options = location()?.busy_timeout(BUSY_TIMEOUT);
        let started = Instant::now();
        loop {
            match Self::try_open(&options).await {
                Ok(orders) => return Ok(orders),
                // While another server creates the same file, SQLite reports that without waiting.
                Err(error) if is_busy(&error) && started.elapsed() < BUSY_TIMEOUT => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(cannot_open(options.get_filename(), &error)),
            }
        }
    }

    async fn try_open(options: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        create_if_missing(options).await?;
        let read_only = options.clone().read_only(true);
        let pool = SqlitePoolOptions::new().acquire_timeout(BUSY_TIMEOUT).connect_with(read_only).await?;
        Ok(Self { pool })
    }

    /// Finds one order by its reference.
    pub async fn find(&self, order_id: &str) -> Result<Option<Order>, ToolError> {
        sqlx::query_as("SELECT * FROM orders WHERE order_id = ?")
            .bind(order_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(for_the_model)
    }

    /// Lists the orders that have a status, in any case, sorted by reference.
    pub async fn with_status(&self, status: &str) -> Result<Vec<Order>, ToolError> {
        sqlx::query_as("SELECT * FROM orders WHERE status = ? COLLATE NOCASE ORDER BY order_id")
            .bind(status)
            .fetch_all(&self.pool)
            .await
            .map_err(for_the_model)
    }

    /// Lists the references of orders that contain a text, in any case, sorted.
    pub async fn ids_like(&self, text: &str) -> Result<Vec<String>, ToolError> {
        // Not by LIKE, for which `%` and `_` in the text would mean something.
        sqlx::query_scalar(
            "SELECT order_id FROM orders WHERE instr(lower(order_id), lower(?)) > 0 ORDER BY order_id LIMIT ?",
        )
        .bind(text)
        .bind(MAX_IDS)
        .fetch_all(&self.pool)
        .await
        .map_err(for_the_model)
    }

    /// Finds the statement that made the table.
    pub async fn schema(&self) -> Result<String, ToolError> {
        sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'orders'")
            .fetch_one(&self.pool)
            .await
            .map_err(for_the_model)
    }
}

/// Reads `DATABASE_URL`, which may be a `sqlite:` URL or simply a path.
fn location() -> Result<SqliteConnectOptions, String> {
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "orders.db".to_owned());
    if url.starts_with("sqlite:") && !url.contains(":memory:") {
        SqliteConnectOptions::from_str(&url).map_err(|error| format!("DATABASE_URL is {url:?}: {error}"))
    } else if url.is_empty() || url.contains("://") || url.contains(":memory:") {
        Err(format!(
            "DATABASE_URL is {url:?}, but the orders are kept in an SQLite file: set it to a path, e.g. orders.db"
        ))
    } else {
        Ok(SqliteConnectOptions::new().filename(Path::new(&url)))
    }
}

fn cannot_open(path: &Path, error: &sqlx::Error) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let path = path.display();
    format!("cannot open {path} ({error}): set DATABASE_URL to a file that this user may create and write")
}

/// Creates and fills the table, unless it is there: orders that were changed or deleted stay so.
async fn create_if_missing(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let writable = options.clone().create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let mut connection = writable.connect().await?;
    if !has_orders(&mut connection).await? {
        // It takes the write lock at its start, and only then looks: of two servers that start at once,
        // the second finds the work done.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        if !has_orders(&mut transaction).await? {
            sqlx::raw_sql(include_str!("orders.sql")).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    connection.close().await
}

async fn has_orders(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'orders')").fetch_one(connection).await
}

/// A busy database is worth another try, so the model is told. Any other failure is for the log.
fn for_the_model(error: sqlx::Error) -> ToolError {
    if is_busy(&error) { ToolError::new("The database is busy, try again.") } else { error.into() }
}

/// Whether the database, or every connection to it, is in use.
fn is_busy(error: &sqlx::Error) -> bool {
    // The low byte of SQLite's extended result code is the code itself.
    const SQLITE_BUSY: u32 = 5;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == SQLITE_BUSY) || matches!(error, sqlx::Error::PoolTimedOut)
}
