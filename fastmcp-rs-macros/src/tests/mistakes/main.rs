//! The function under `#[mcp::main]`.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::tests::main;

#[test]
fn every_mistake_in_main_is_reported() {
    check_messages(
        main(
            quote!(worker_threads = 0, flavor = "x"),
            quote!(
                unsafe fn main<T>(args: Args) {}
            ),
        ),
        expect![[r#"
            a server needs at least one worker thread: write 1 or more
            `#[mcp::main]` has no option `flavor`: it takes `worker_threads` and `crate`
            `#[mcp::main]` starts the async runtime: write `async fn`, or remove the attribute
            `main` takes no arguments: read the command line with `std::env::args()`
            `main` cannot be generic: remove the parameters
            `main` is a plain `async fn`: remove this
        "#]],
    );
}
