use fastmcp_rs::Context;

fn report(ctx: &Context, message: Option<String>) {
    ctx.progress(1, None, message);
}

fn main() {}
