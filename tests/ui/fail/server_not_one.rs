use fastmcp_rs::App;

struct Orders;

fn main() {
    App::empty("orders").server::<Orders>();
}
