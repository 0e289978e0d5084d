//! `#[mcp::server]`.

use expect_test::expect;
use quote::quote;

use super::{check_change, check_expansion};
use crate::tests::{messages, server};

#[test]
fn methods_and_associated_functions_become_components() {
    let item = quote! {
        /// Orders.
        #[cfg(unix)]
        #[expect(deprecated)]
        impl store::Orders<u8> {
            #![allow(unused)]
            const LIMIT: usize = 3;

            /// Finds an order.
            #[cfg(unix)]
            #[tool(read_only)]
            #[must_use]
            pub async fn find(&self, #[arg(min_length = 1)] id: &str) -> Option<Self> {
                self.lookup(id)
            }

            /// Order ids.
            #[mcp::resource("orders://all")]
            fn r#all(orders: State<Self>) -> Vec<u8> {
                Self::encode(&orders)
            }

            fn encode(&self, #[allow(unused)] n: u8) -> Vec<u8> {
                Vec::new()
            }

            generated! {}
        }
    };
    check_expansion(
        server(quote!(), item),
        expect![[r##"
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = {
                    use ::fastmcp_rs::__private::options::tool::read_only as _;
                    use ::fastmcp_rs::__private::options::arg::min_length as _;
                };
            };
            /// Orders.
            #[cfg(unix)]
            #[expect(deprecated)]
            impl store::Orders<u8> {
                #![allow(unused)]
                const LIMIT: usize = 3;
                /// Finds an order.
                #[cfg(unix)]
                #[must_use]
                pub async fn find(&self, id: &str) -> Option<Self> {
                    self.lookup(id)
                }
                /// Order ids.
                fn r#all(orders: State<Self>) -> Vec<u8> {
                    Self::encode(&orders)
                }
                fn encode(&self, #[allow(unused)] n: u8) -> Vec<u8> {
                    Vec::new()
                }
                generated! {}
            }
            #[cfg(unix)]
            #[allow(deprecated)]
            #[allow(unexpected_cfgs, unused_qualifications)]
            const _: () = {
                #[cfg(not(rust_analyzer))]
                const _: () = {
                    use ::fastmcp_rs::__private as __p;
                    #[allow(unused_imports)]
                    use ::fastmcp_rs::__private::probe::*;
                    #[allow(dead_code, deprecated)]
                    type __Self = store::Orders<u8>;
                    #[cfg(unix)]
                    #[doc(hidden)]
                    #[allow(non_camel_case_types, dead_code)]
                    struct __find {}
                    #[cfg(unix)]
                    #[allow(deprecated, unexpected_cfgs, unused_qualifications)]
                    const _: () = {
                        impl __p::ToolHandle for __find {
                            const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
                                component: __p::ComponentDefinition {
                                    name: "find",
                                    description: "Finds an order.",
                                    location: __p::Location {
                                        file: __p::file!(),
                                        line: __p::line!(),
                                        module_path: ::core::module_path!(),
                                    },
                                    invoke: __invoke,
                                    ..__p::ComponentDefinition::EMPTY
                                },
                                annotations: __p::ToolAnnotations {
                                    read_only: ::core::option::Option::Some(true),
                                    ..__p::ToolAnnotations::EMPTY
                                },
                                ..__p::ToolDefinition::EMPTY
                            };
                        }
                        fn __invoke(__invocation: __p::Invocation<'_>) -> __p::InvocationResult {
                            const __PARAMETERS: &[__p::Parameter; 2] = &[
                                __p::Parameter {
                                    name: "self",
                                    ..__p::Parameter::EMPTY
                                },
                                __p::Parameter {
                                    name: "id",
                                    constraints: __p::Constraints {
                                        min_length: ::core::option::Option::Some(1u64),
                                        ..__p::Constraints::EMPTY
                                    },
                                    ..__p::Parameter::EMPTY
                                },
                            ];
                            type __T1 = str;
                            let mut __0 = __p::receiver::<__Self>();
                            let mut __1 = (&__p::Input::<__p::Same<__T1>>::NEW)
                                .kind()
                                .configurable()
                                .slot_for::<__p::Same<__T1>>(&__PARAMETERS[1]);
                            type __Returned = Option<__Self>;
                            let __split = (&__p::Output::<__Returned>::NEW).split();
                            let __value = (&&&&__split.value()).kind().checked();
                            let __error = (&&&__split.error()).kind().checked();
                            let __output = __split.join(__value, __error);
                            let __call = match __invocation
                                .begin(&mut [&mut __0, &mut __1], &__output)
                            {
                                ::core::result::Result::Ok(__call) => __call,
                                ::core::result::Result::Err(__invoked) => return __invoked,
                            };
                            let __context = __call.context();
                            __call
                                .run(
                                    __output,
                                    async move {
                                        let __0 = __0.resolve(&__context).await?;
                                        let __1 = __1.resolve(&__context).await?;
                                        let __value = __Self::find(
                                                ::core::borrow::Borrow::<__p::State<__Self>>::borrow(&__0),
                                                ::core::borrow::Borrow::<__T1>::borrow(&__1),
                                            )
                                            .await;
                                        ::core::result::Result::Ok(__value)
                                    },
                                )
                        }
                        __p::inventory::submit! {
                            __p::RegisteredTool(< __find as __p::ToolHandle > ::DEFINITION)
                        }
                    };
                    #[doc(hidden)]
                    #[allow(non_camel_case_types, dead_code)]
                    struct __all {}
                    #[allow(deprecated, unexpected_cfgs, unused_qualifications)]
                    const _: () = {
                        impl __p::ResourceHandle for __all {
                            const DEFINITION: &'static __p::ResourceDefinition = &__p::ResourceDefinition {
                                component: __p::ComponentDefinition {
                                    name: "all",
                                    description: "Order ids.",
                                    location: __p::Location {
                                        file: __p::file!(),
                                        line: __p::line!(),
                                        module_path: ::core::module_path!(),
                                    },
                                    invoke: __invoke,
                                    ..__p::ComponentDefinition::EMPTY
                                },
                                uri: "orders://all",
                                ..__p::ResourceDefinition::EMPTY
                            };
                        }
                        fn __invoke(__invocation: __p::Invocation<'_>) -> __p::InvocationResult {
                            const __PARAMETERS: &[__p::Parameter; 1] = &[
                                __p::Parameter {
                                    name: "orders",
                                    ..__p::Parameter::EMPTY
                                },
                            ];
                            type __T0 = State<__Self>;
                            let mut __0 = (&__p::Input::<__p::Same<__T0>>::NEW)
                                .kind()
                                .injected_for::<__p::Same<__T0>>(&__PARAMETERS[0]);
                            type __Returned = Vec<u8>;
                            let __split = (&__p::Output::<__Returned>::NEW).split();
                            let __value = (&&&&__split.value()).resource_kind().checked();
                            let __error = (&&&__split.error()).kind().checked();
                            let __output = __split.join(__value, __error);
                            let __call = match __invocation.begin(&mut [&mut __0], &__output) {
                                ::core::result::Result::Ok(__call) => __call,
                                ::core::result::Result::Err(__invoked) => return __invoked,
                            };
                            let __context = __call.context();
                            __call
                                .run(
                                    __output,
                                    async move {
                                        let __0 = __0.resolve(&__context).await?;
                                        __p::run_blocking(__context, move || __Self::r#all(__0))
                                            .await
                                    },
                                )
                        }
                        __p::inventory::submit! {
                            __p::RegisteredResource(< __all as __p::ResourceHandle > ::DEFINITION)
                        }
                    };
                    #[allow(deprecated, unused_qualifications)]
                    impl __p::ServerBlockWithoutExtend for store::Orders<u8> {
                        const TOOLS: &'static [&'static __p::ToolDefinition] = &[
                            #[cfg(unix)]
                            <__find as __p::ToolHandle>::DEFINITION,
                        ];
                        const RESOURCES: &'static [&'static __p::ResourceDefinition] = &[
                            <__all as __p::ResourceHandle>::DEFINITION,
                        ];
                        const PROMPTS: &'static [&'static __p::PromptDefinition] = &[];
                    }
                };
            };
        "##]],
    );
}

#[test]
fn a_further_block_of_a_type_registers_its_components_by_the_type() {
    let block = quote! {
        impl Orders {
            /// Counts.
            #[tool]
            fn count(&self) -> usize {
                0
            }

            /// All orders.
            #[resource(Self::URI)]
            fn all() -> String {
                load()
            }
        }
    };
    check_change(
        server(quote!(), block.clone()),
        server(quote!(extend), block),
        expect![[r#"
            +        use ::fastmcp_rs::__private::options::server::extend as _;
            -        impl __p::ServerBlockWithoutExtend for Orders {
            -            const TOOLS: &'static [&'static __p::ToolDefinition] = &[
            -                <__count as __p::ToolHandle>::DEFINITION,
            -            ];
            -            const RESOURCES: &'static [&'static __p::ResourceDefinition] = &[
            -                <__all as __p::ResourceHandle>::DEFINITION,
            -            ];
            -            const PROMPTS: &'static [&'static __p::PromptDefinition] = &[];
            +        __p::inventory::submit! {
            +            __p::ServerExtension { server : ::core::any::TypeId::of:: < Orders >, tools :
            +            & [< __count as __p::ToolHandle > ::DEFINITION], resources : & [< __all as
            +            __p::ResourceHandle > ::DEFINITION], prompts : & [], }
        "#]],
    );
}

#[test]
fn a_method_with_mistakes_does_not_remove_the_others() {
    let item = quote! {
        impl Orders {
            /// Counts.
            #[tool]
            fn count(&mut self) {}

            /// Sums.
            #[tool]
            fn sum(&self) {}
        }
    };
    let expansion = server(quote!(krate = x), item);
    let found = messages(expansion.clone());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("`#[mcp::server]` has no option `krate`"), "{found:?}");
    assert!(found[1].contains("take `&self`"), "{found:?}");
    let text = expansion.to_string();
    assert!(text.contains("fn count (& mut self) { }"), "{text}");
    assert!(text.contains("__sum") && !text.contains("__count"), "{text}");
}

#[test]
fn an_item_that_is_not_an_impl_block_is_emitted_unchanged() {
    for (item, message) in [
        (
            quote!(
                fn count() {}
            ),
            "this is a function: on a function, put `#[mcp::tool]`",
        ),
        (
            quote!(
                enum Orders {}
            ),
            "this is an enum: put it on the `impl` block",
        ),
        (
            quote!(
                trait Orders {
                    fn count(&self);
                }
            ),
            "this is a trait: put it on an `impl` block of a type",
        ),
        (
            quote!(
                mod orders {}
            ),
            "this is a module: remove it",
        ),
        (quote!(impl Orders { fn }), "expected"),
        (quote!(impl { fn count() {} }), "expected"),
    ] {
        let expansion = server(quote!(), item.clone()).to_string();
        assert!(expansion.contains(message), "{expansion}");
        assert!(expansion.ends_with(&item.to_string()), "{expansion}");
    }
}
