use fastmcp_rs::App;

struct Greet;

fn main() {
    let _ = App::empty("greeter").tool::<Greet>();
}
