use fastmcp_rs::Context;

fn report(ctx: &Context) {
    ctx.progress("3", 10, "third");
}

fn main() {}
