use fastmcp_rs::prelude::*;

fn main() {
    let app = App::new("orders").http(fastmcp_rs::HttpConfig::new());
    app.check().unwrap();
}
