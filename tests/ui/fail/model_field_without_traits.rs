use fastmcp_rs::mcp;

struct Address {
    street: String,
}

/// A customer.
#[mcp::model]
struct Customer {
    name: String,
    #[arg(default = "?")]
    address: Address,
    #[arg(min_length = 1)]
    others: Vec<Customer>,
}

/// Finds a customer.
#[mcp::tool]
async fn find(name: String) -> Customer {
    Customer { name, address: Address { street: String::new() }, others: Vec::new() }
}

/// Adds customers.
#[mcp::tool]
async fn add(customers: Vec<Customer>) -> usize {
    customers.len()
}

fn main() {}
