use fastmcp_rs::prelude::*;

struct Order;

macro_rules! getter {
    ($name:ident, $ty:ty) => {
        /// Gets a value.
        #[mcp::tool]
        fn $name(value: $ty) -> $ty {
            value
        }
    };
}

getter!(number, u32);
getter!(order, Order);

fn main() {}
