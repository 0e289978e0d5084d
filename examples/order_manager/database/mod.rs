//! The order database: its location, and its connections.
//!
//! All input from a model reaches SQL as a bind parameter, so no argument can become part of a statement. Read
//! operations use connections that are read-only in SQLite itself, so a wrong query cannot change an order. Write
//! operations take turns on one connection, and take the write lock before they read, so that nothing changes between
//! their read and their write.

mod changes;
mod notes;
mod order;
mod queries;

use std::env;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use fastmcp_rs::prelude::*;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
};
use sqlx::{ConnectOptions, Connection, Row, Sqlite, Transaction};

pub use notes::{Note, NoteMatch};
pub use order::{NewOrder, Order, OrderLine, OrderRow, Status};

/// The timeout for a database that another process has locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The `user_version` of a database that has every table.
const SCHEMA_VERSION: u32 = 1;

/// The orders with their lines and notes.
pub struct Orders {
    reader: SqlitePool,
    writer: SqlitePool,
}

impl Orders {
    /// Opens the database that `DATABASE_URL` names, or `orders.db`. Creates it if it is missing.
    ///
    /// # Errors
    ///
    /// Fails if the database can be neither opened nor created, with a sentence for the person who starts the server.
    pub async fn open() -> Result<Self, String> {
        let options = location()?.busy_timeout(BUSY_TIMEOUT);
        let started = Instant::now();
        loop {
            match Self::try_open(&options).await {
                Ok(orders) => return Ok(orders),
                // While another server creates the same file, SQLite reports it as busy without waiting.
                Err(error) if is_busy(&error) && started.elapsed() < BUSY_TIMEOUT => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(cannot_open(options.get_filename(), &error)),
            }
        }
    }

    async fn try_open(options: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        create_what_is_missing(options).await?;
        let pool = SqlitePoolOptions::new().acquire_timeout(BUSY_TIMEOUT);
        let writer = pool.clone().max_connections(1).connect_lazy_with(options.clone());
        let reader = pool.connect_with(options.clone().read_only(true)).await?;
        Ok(Self { reader, writer })
    }

    /// Starts a write transaction. It is rolled back unless it is committed, even if the call is cancelled.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }
}

/// Reads `DATABASE_URL`, which may be a `sqlite:` URL or a path.
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

/// Creates missing tables. Orders that were changed or deleted stay as they are.
async fn create_what_is_missing(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let writable = options.clone().create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let mut connection = writable.connect().await?;
    if !is_complete(&mut connection).await? {
        // The transaction takes the write lock before it checks again: if two servers start at the same time,
        // the second finds all tables in place.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        if !is_complete(&mut transaction).await? {
            if !has_orders(&mut transaction).await? {
                sqlx::raw_sql(include_str!("orders.sql")).execute(&mut *transaction).await?;
            }
            sqlx::raw_sql(include_str!("lines_and_notes.sql")).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    connection.close().await
}

async fn is_complete(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let version: u32 = sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await?;
    Ok(version >= SCHEMA_VERSION)
}

async fn has_orders(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'orders')").fetch_one(connection).await
}

/// Reads a text that may contain invalid UTF-8 from another program.
fn text(row: &SqliteRow, column: &str) -> Result<String, sqlx::Error> {
    let bytes: &[u8] = row.try_get_unchecked(column)?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// Converts an error for the model if the database is busy, because a retry can help. Other errors go to the log.
fn for_the_model(error: sqlx::Error) -> ToolError {
    if is_busy(&error) { ToolError::new("The database is busy, try again.") } else { error.into() }
}

/// Returns true if the database is locked or all connections to it are in use.
fn is_busy(error: &sqlx::Error) -> bool {
    // The low byte of SQLite's extended result code is the code itself.
    const SQLITE_BUSY: u32 = 5;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == SQLITE_BUSY) || matches!(error, sqlx::Error::PoolTimedOut)
}
