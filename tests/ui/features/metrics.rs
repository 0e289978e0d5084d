use fastmcp_rs::prelude::*;

fn main() {
    let metrics = App::new("orders").metrics();
    println!("{}", metrics.render());
}
