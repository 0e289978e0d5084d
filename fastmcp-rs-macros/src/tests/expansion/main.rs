//! `#[mcp::main]`.

use expect_test::expect;
use quote::quote;

use super::check_expansion;
use crate::tests::main;

#[test]
fn main_passes_its_future_to_the_runtime() {
    let item = quote! {
        /// Serves.
        #[allow(unused)]
        async fn main() -> Result<(), Error> {
            App::new("x").run_stdio().await
        }
    };
    check_expansion(
        main(quote!(), item),
        expect![[r#"
            /// Serves.
            #[allow(unused)]
            fn main() -> Result<(), Error> {
                #[allow(dead_code)]
                async fn main() -> Result<(), Error> {
                    App::new("x").run_stdio().await
                }
                ::fastmcp_rs::__private::run_main(
                    ::fastmcp_rs::__private::Main {
                        crate_name: ::core::env!("CARGO_PKG_NAME"),
                        crate_version: ::core::env!("CARGO_PKG_VERSION"),
                        worker_threads: ::core::option::Option::None,
                    },
                    main(),
                )
            }
        "#]],
    );
}

#[test]
fn the_options_of_main_are_passed_to_the_runtime() {
    check_expansion(
        main(
            quote!(worker_threads = 2),
            quote!(
                async fn main() {
                    run().await
                }
            ),
        ),
        expect![[r##"
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = {
                    use ::fastmcp_rs::__private::options::main::worker_threads as _;
                };
            };
            fn main() {
                #[allow(dead_code)]
                async fn main() {
                    run().await
                }
                ::fastmcp_rs::__private::run_main(
                    ::fastmcp_rs::__private::Main {
                        crate_name: ::core::env!("CARGO_PKG_NAME"),
                        crate_version: ::core::env!("CARGO_PKG_VERSION"),
                        worker_threads: ::core::option::Option::Some(2),
                    },
                    main(),
                )
            }
        "##]],
    );
}

#[test]
fn a_main_with_mistakes_keeps_its_body() {
    check_expansion(
        main(
            quote!(threads = 2),
            quote!(
                fn main(args: Args) {
                    run().await
                }
            ),
        ),
        expect![[r#"
            ::core::compile_error! {
                "`#[mcp::main]` has no option `threads`: it takes `worker_threads` and `crate`"
            }
            ::core::compile_error! {
                "`#[mcp::main]` starts the async runtime: write `async fn`, or remove the attribute"
            }
            ::core::compile_error! {
                "`main` takes no arguments: read the command line with `std::env::args()`"
            }
            fn main() {
                #[allow(dead_code)]
                async fn main(args: Args) {
                    run().await
                }
                ::core::unreachable!()
            }
        "#]],
    );
}
