use fastmcp_rs::prelude::*;

fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {
    App::empty("orders").tool::<add>();
    add(1, 2);
}
