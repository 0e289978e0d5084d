//! A server whose tools take and return each form of `docs/reference/types.md`, for third-party converters.
//!
//! `--open` and `--limits` enable the app's settings for schemas.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use fastmcp_rs::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

/// How it goes.
#[mcp::model]
enum Speed {
    /// Within three days.
    Slow,
    /// Over night.
    Fast,
}

#[mcp::model]
struct Address {
    /// With its number.
    #[arg(min_length = 1)]
    street: String,
    #[arg(pattern = "^[A-Z]{2}$", example = "DE")]
    country: Option<String>,
    speed: Option<Speed>,
}

#[mcp::model]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Payment {
    Card { number: String },
    Cash,
}

#[mcp::model]
#[serde(tag = "t", content = "c")]
enum Event {
    Moved(Address),
    Closed,
}

#[mcp::model]
enum Target {
    Everyone,
    Group(Vec<String>),
}

#[mcp::model]
#[serde(untagged)]
enum Amount {
    Whole(u32),
    Text(String),
}

#[mcp::model]
struct Customer {
    name: String,
    #[serde(flatten)]
    address: Address,
}

#[mcp::model]
struct Tree {
    name: String,
    #[serde(default)]
    children: Vec<Tree>,
}

macro_rules! takes {
    ($($name:ident: $ty:ty),* $(,)?) => {
        $(
            /// Takes a value, and gives it back.
            #[mcp::tool]
            async fn $name(
                /// The value.
                value: $ty,
                /// Another one, perhaps.
                other: Option<$ty>,
            ) -> ($ty, Option<$ty>) {
                (value, other)
            }
        )*

        fn registered(app: App) -> App {
            app$(.tool::<$name>())*
        }
    };
}

takes! {
    a_text: String,
    a_char: char,
    a_flag: bool,
    a_byte: u8,
    a_wide_integer: u64,
    a_signed_integer: i32,
    a_float: f64,
    a_list: Vec<String>,
    a_nested_list: Vec<Vec<i32>>,
    a_set: BTreeSet<String>,
    an_array: [f64; 3],
    a_pair: (f64, f64),
    a_tuple: (String, u8, bool),
    a_map: BTreeMap<String, u8>,
    a_struct: Address,
    an_enum: Speed,
    a_tagged_enum: Payment,
    an_adjacent_enum: Event,
    an_external_enum: Target,
    an_untagged_enum: Amount,
    a_flattened_struct: Customer,
    a_tree: Tree,
    a_list_of_optional: Vec<Option<u8>>,
    anything: Value,
    a_date: NaiveDate,
    a_time: NaiveTime,
    a_local_time: NaiveDateTime,
    an_instant: DateTime<Utc>,
    a_duration: jiff::SignedDuration,
    a_zoned_time: jiff::Zoned,
    an_id: Uuid,
    a_page: Url,
    a_price: Decimal,
    an_ip: std::net::IpAddr,
}

/// Takes nothing.
#[mcp::tool]
async fn nothing() -> u32 {
    3
}

/// Takes numbers within limits.
#[mcp::tool]
async fn limits(
    /// How many.
    #[arg(min = 1, max = 10, default = 3)]
    count: u8,
    /// Which ones.
    #[arg(min_length = 1, max_length = 5)]
    names: Vec<String>,
) -> bool {
    names.len() == usize::from(count)
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    let wants = |option: &str| std::env::args().any(|argument| argument == option);
    let mut app = registered(App::empty("shapes")).tool::<nothing>().tool::<limits>();
    if wants("--open") {
        app = app.open_schemas(true);
    }
    if wants("--limits") {
        app = app.describe_limits(true);
    }
    app.run_stdio().await
}
