use fastmcp_rs::Context;

fn report(ctx: &Context, done: usize, total: Option<u64>) {
    ctx.progress(done, total, "working");
}

fn main() {}
