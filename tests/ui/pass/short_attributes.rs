use fastmcp_rs::prelude::*;

/// Adds two numbers.
#[tool]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// The configuration.
#[resource("config://app")]
fn config() -> String {
    "debug".to_owned()
}

mod orders {
    pub struct Orders;

    impl Orders {
        pub fn describe() -> &'static str {
            "} impl Orders {"
        }
    }

    pub mod prompts {
        use fastmcp_rs::prelude::*;

        /// Begins a review.
        #[prompt]
        pub fn review(order: &str) -> String {
            format!("Review {order}.")
        }
    }
}

fn main() -> Result<(), fastmcp_rs::Error> {
    /// Reads a file, whose errors are errors of the program.
    #[mcp::tool]
    fn inner() -> usize {
        orders::Orders::describe().len()
    }

    let text = std::fs::read_to_string("Cargo.toml")?;
    let app = App::empty("orders").tool::<add>().tool::<inner>().resource::<config>();
    assert!(!text.is_empty());
    app.prompt::<orders::prompts::review>().check()
}
