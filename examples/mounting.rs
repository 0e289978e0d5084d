//! Mounting: apps inside an app, each with its own tools, states, start-up and shutdown.
//!
//! ```sh
//! cargo run --example mounting
//! ```

use fastmcp_rs::prelude::*;

mod payments {
    use std::sync::atomic::{AtomicU64, Ordering};

    use fastmcp_rs::prelude::*;

    pub struct Ledger {
        cents: AtomicU64,
    }

    /// Charges a card.
    #[mcp::tool]
    pub async fn charge(#[arg(min = 1)] cents: u64, ledger: State<Ledger>) -> String {
        let total = ledger.cents.fetch_add(cents, Ordering::Relaxed) + cents;
        format!("charged {cents}, {total} in all")
    }

    /// The total of all charges, in cents.
    #[mcp::resource("ledger://total")]
    pub async fn total(ledger: State<Ledger>) -> String {
        ledger.cents.load(Ordering::Relaxed).to_string()
    }

    pub fn app() -> App {
        App::from_module("payments", module_path!())
            .state_with(|| async { Ok::<_, std::io::Error>(Ledger { cents: AtomicU64::new(0) }) })
            .on_shutdown(|ledger: State<Ledger>| async move {
                eprintln!("the ledger closes at {} cents", ledger.cents.load(Ordering::Relaxed));
            })
    }
}

mod users {
    use fastmcp_rs::prelude::*;

    /// Finds users by the beginning of their name.
    #[mcp::tool(read_only)]
    pub fn find(prefix: &str) -> Vec<&'static str> {
        ["ada", "alan", "grace"].into_iter().filter(|name| name.starts_with(prefix)).collect()
    }

    /// Deletes a user.
    #[mcp::tool(destructive, tags = ["admin"])]
    pub fn delete(name: &str) -> String {
        format!("{name} was deleted")
    }

    pub fn app() -> App {
        // Only administrators see the admin tools, in every app that mounts this one.
        App::from_module("users", module_path!()).visible_if(|component, ctx| {
            !component.has_tag("admin") || ctx.meta().get("com.example/role").is_some_and(|role| role == "admin")
        })
    }
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    // The tools are `pay_charge`, `users_find` and `users_delete`; the resource is `ledger://pay/total`.
    App::empty("shop").mount("pay", payments::app()).mount("users", users::app()).run_stdio().await
}
