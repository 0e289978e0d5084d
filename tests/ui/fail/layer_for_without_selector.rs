use fastmcp_rs::middleware::Timing;
use fastmcp_rs::prelude::*;

fn main() {
    let _ = App::empty("orders").layer_for("count", Timing::new());
}
