//! Every form of function that makes a state or ends an app.

use fastmcp_rs::prelude::*;

struct A;
struct B;
struct C;
struct D;

async fn a() -> Result<A, std::io::Error> {
    Ok(A)
}

fn b(_: State<A>) -> impl Future<Output = Result<B, ToolErrorOfMine>> + Send + 'static {
    std::future::ready(Ok(B))
}

#[derive(Debug)]
struct ToolErrorOfMine;

impl std::fmt::Display for ToolErrorOfMine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("mine")
    }
}

impl std::error::Error for ToolErrorOfMine {}

fn main() {
    let app = App::empty("x")
        .state_with(a)
        .state_with(b)
        .state_with(|_: State<A>, _: State<B>| async { Ok::<C, &str>(C) })
        .state_with(async |_: State<A>, _: State<B>, _: State<C>| Err::<D, String>("no".into()))
        .on_shutdown(|| async {})
        .on_shutdown(|a: State<A>| async move { drop(a) })
        .on_shutdown(async |_: State<A>, _: State<D>| {});
    app.check().unwrap();
}
