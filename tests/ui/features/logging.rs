use fastmcp_rs::prelude::*;

fn main() {
    fastmcp_rs::logging::init();
    App::new("orders").check().unwrap();
}
