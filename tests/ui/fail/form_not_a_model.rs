use fastmcp_rs::Form;

struct Order {
    article: String,
}

fn ask<T: Form>() {}

fn main() {
    ask::<Order>();
}
