//! `#[mcp::tool]`.

use expect_test::expect;
use quote::quote;

use super::check_expansion;
use crate::tests::tool;

#[test]
fn an_async_tool_reads_its_arguments_and_awaits_its_future() {
    let item = quote! {
        /// Finds an order.
        ///
        /// - by its reference
        pub(crate) async fn get_order(
            /// The order's reference.
            #[arg(max_length = 20, default = "ORD-1", example = "ORD-101", header = "Order")]
            order_id: &str,
            mut limit: Option<u32>,
            db: State<Pool>,
        ) -> Result<String, ToolError> {
            load()
        }
    };
    check_expansion(
        tool(quote!(), item),
        expect![[r#"
            /// Finds an order.
            ///
            /// - by its reference
            pub(crate) async fn get_order(
                order_id: &str,
                mut limit: Option<u32>,
                db: State<Pool>,
            ) -> Result<String, ToolError> {
                load()
            }
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            pub(crate) struct get_order {}
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl __p::ToolHandle for get_order {
                    const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
                        component: __p::ComponentDefinition {
                            name: "get_order",
                            description: "Finds an order.\n\n- by its reference",
                            location: __p::Location {
                                file: ::core::file!(),
                                line: ::core::line!(),
                                module_path: ::core::module_path!(),
                            },
                            invoke: __invoke,
                            ..__p::ComponentDefinition::EMPTY
                        },
                        ..__p::ToolDefinition::EMPTY
                    };
                }
                fn __invoke(__invocation: __p::Invocation<'_>) -> __p::Invoked {
                    const __PARAMETERS: &[__p::Parameter; 3] = &[
                        __p::Parameter {
                            name: "order_id",
                            description: "The order's reference.",
                            constraints: __p::Constraints {
                                max_length: ::core::option::Option::Some(20u64),
                                ..__p::Constraints::EMPTY
                            },
                            default: ::core::option::Option::Some("\"ORD-1\""),
                            examples: &["\"ORD-101\""],
                            header: ::core::option::Option::Some("Order"),
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "limit",
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "db",
                            ..__p::Parameter::EMPTY
                        },
                    ];
                    (&__p::DefaultOf::<str>::NEW).kind().text();
                    (&__p::Header::<str>::NEW).kind().check();
                    let mut __0 = (&__p::Input::<str>::NEW)
                        .kind()
                        .configurable()
                        .slot_for::<str>(&__PARAMETERS[0]);
                    let mut __1 = (&__p::Input::<Option<u32>>::NEW)
                        .kind()
                        .slot_for::<Option<u32>>(&__PARAMETERS[1]);
                    let mut __2 = (&__p::Input::<State<Pool>>::NEW)
                        .kind()
                        .slot_for::<State<Pool>>(&__PARAMETERS[2]);
                    let __split = (&__p::Output::<Result<String, ToolError>>::NEW).split();
                    let __value = (&&&&__split.value()).kind().checked();
                    let __error = (&&&__split.error()).kind().checked();
                    let __output = __split.join(__value, __error);
                    let __call = match __invocation
                        .begin(&mut [&mut __0, &mut __1, &mut __2], &__output)
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
                                let __2 = __2.resolve(&__context).await?;
                                let __value = get_order(
                                        ::core::borrow::Borrow::<str>::borrow(&__0),
                                        __1,
                                        __2,
                                    )
                                    .await;
                                ::core::result::Result::Ok(__value)
                            },
                        )
                }
                __p::inventory::submit! {
                    __p::RegisteredTool(< get_order as __p::ToolHandle > ::DEFINITION)
                }
            };
        "#]],
    );
}

#[test]
fn a_plain_function_runs_on_a_thread_of_its_own() {
    let item = quote! {
        /// Adds.
        fn add(a: i64, b: i64) -> i64 { a + b }
    };
    check_expansion(
        tool(quote!(), item),
        expect![[r#"
            /// Adds.
            fn add(a: i64, b: i64) -> i64 {
                a + b
            }
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            struct add {}
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl __p::ToolHandle for add {
                    const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
                        component: __p::ComponentDefinition {
                            name: "add",
                            description: "Adds.",
                            location: __p::Location {
                                file: ::core::file!(),
                                line: ::core::line!(),
                                module_path: ::core::module_path!(),
                            },
                            invoke: __invoke,
                            ..__p::ComponentDefinition::EMPTY
                        },
                        ..__p::ToolDefinition::EMPTY
                    };
                }
                fn __invoke(__invocation: __p::Invocation<'_>) -> __p::Invoked {
                    const __PARAMETERS: &[__p::Parameter; 2] = &[
                        __p::Parameter {
                            name: "a",
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "b",
                            ..__p::Parameter::EMPTY
                        },
                    ];
                    let mut __0 = (&__p::Input::<i64>::NEW).kind().slot_for::<i64>(&__PARAMETERS[0]);
                    let mut __1 = (&__p::Input::<i64>::NEW).kind().slot_for::<i64>(&__PARAMETERS[1]);
                    let __split = (&__p::Output::<i64>::NEW).split();
                    let __value = (&&&&__split.value()).kind().checked();
                    let __error = (&&&__split.error()).kind().checked();
                    let __output = __split.join(__value, __error);
                    let __call = match __invocation.begin(&mut [&mut __0, &mut __1], &__output) {
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
                                __p::run_blocking(__context, move || add(__0, __1)).await
                            },
                        )
                }
                __p::inventory::submit! {
                    __p::RegisteredTool(< add as __p::ToolHandle > ::DEFINITION)
                }
            };
        "#]],
    );
}

#[test]
fn an_inline_function_is_called_in_place() {
    let item = quote! {
        /// Adds.
        fn add(a: i64, b: i64) -> i64 { a + b }
    };
    check_expansion(
        tool(quote!(inline), item),
        expect![[r#"
            /// Adds.
            fn add(a: i64, b: i64) -> i64 {
                a + b
            }
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            struct add {}
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl __p::ToolHandle for add {
                    const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
                        component: __p::ComponentDefinition {
                            name: "add",
                            description: "Adds.",
                            location: __p::Location {
                                file: ::core::file!(),
                                line: ::core::line!(),
                                module_path: ::core::module_path!(),
                            },
                            invoke: __invoke,
                            ..__p::ComponentDefinition::EMPTY
                        },
                        ..__p::ToolDefinition::EMPTY
                    };
                }
                fn __invoke(__invocation: __p::Invocation<'_>) -> __p::Invoked {
                    const __PARAMETERS: &[__p::Parameter; 2] = &[
                        __p::Parameter {
                            name: "a",
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "b",
                            ..__p::Parameter::EMPTY
                        },
                    ];
                    let mut __0 = (&__p::Input::<i64>::NEW).kind().slot_for::<i64>(&__PARAMETERS[0]);
                    let mut __1 = (&__p::Input::<i64>::NEW).kind().slot_for::<i64>(&__PARAMETERS[1]);
                    let __split = (&__p::Output::<i64>::NEW).split();
                    let __value = (&&&&__split.value()).kind().checked();
                    let __error = (&&&__split.error()).kind().checked();
                    let __output = __split.join(__value, __error);
                    let __call = match __invocation.begin(&mut [&mut __0, &mut __1], &__output) {
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
                                let __value = add(__0, __1);
                                ::core::result::Result::Ok(__value)
                            },
                        )
                }
                __p::inventory::submit! {
                    __p::RegisteredTool(< add as __p::ToolHandle > ::DEFINITION)
                }
            };
        "#]],
    );
}

#[test]
fn a_blocking_async_function_runs_on_a_thread_of_its_own() {
    let item = quote! {
        /// Waits.
        async fn wait() {}
    };
    check_expansion(
        tool(quote!(blocking), item),
        expect![[r#"
            /// Waits.
            async fn wait() {}
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            struct wait {}
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl __p::ToolHandle for wait {
                    const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
                        component: __p::ComponentDefinition {
                            name: "wait",
                            description: "Waits.",
                            location: __p::Location {
                                file: ::core::file!(),
                                line: ::core::line!(),
                                module_path: ::core::module_path!(),
                            },
                            invoke: __invoke,
                            ..__p::ComponentDefinition::EMPTY
                        },
                        ..__p::ToolDefinition::EMPTY
                    };
                }
                fn __invoke(__invocation: __p::Invocation<'_>) -> __p::Invoked {
                    const __PARAMETERS: &[__p::Parameter; 0] = &[];
                    let __split = (&__p::Output::<()>::NEW).split();
                    let __value = (&&&&__split.value()).kind().checked();
                    let __error = (&&&__split.error()).kind().checked();
                    let __output = __split.join(__value, __error);
                    let __call = match __invocation.begin(&mut [], &__output) {
                        ::core::result::Result::Ok(__call) => __call,
                        ::core::result::Result::Err(__invoked) => return __invoked,
                    };
                    let __context = __call.context();
                    __call
                        .run(
                            __output,
                            async move {
                                __p::run_blocking_async(
                                        __context,
                                        move || async move { wait().await },
                                    )
                                    .await
                            },
                        )
                }
                __p::inventory::submit! {
                    __p::RegisteredTool(< wait as __p::ToolHandle > ::DEFINITION)
                }
            };
        "#]],
    );
}

#[test]
fn a_tool_without_a_description_warns() {
    let item = quote! {
        #[allow(deprecated)]
        #[cfg(unix)]
        async fn r#type() {}
    };
    check_expansion(
        tool(quote!(handle = Kind, crate = other::mcp), item),
        expect![[r##"
            #[allow(deprecated)]
            #[cfg(unix)]
            async fn r#type() {}
            #[cfg(unix)]
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            struct Kind {}
            #[cfg(unix)]
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use other::mcp::__private as __p;
                #[allow(unused_imports)]
                use other::mcp::__private::probe::*;
                impl __p::ToolHandle for Kind {
                    const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
                        component: __p::ComponentDefinition {
                            name: "type",
                            location: __p::Location {
                                file: ::core::file!(),
                                line: ::core::line!(),
                                module_path: ::core::module_path!(),
                            },
                            invoke: __invoke,
                            ..__p::ComponentDefinition::EMPTY
                        },
                        ..__p::ToolDefinition::EMPTY
                    };
                }
                fn __invoke(__invocation: __p::Invocation<'_>) -> __p::Invoked {
                    const __PARAMETERS: &[__p::Parameter; 0] = &[];
                    let __split = (&__p::Output::<()>::NEW).split();
                    let __value = (&&&&__split.value()).kind().checked();
                    let __error = (&&&__split.error()).kind().checked();
                    let __output = __split.join(__value, __error);
                    let __call = match __invocation.begin(&mut [], &__output) {
                        ::core::result::Result::Ok(__call) => __call,
                        ::core::result::Result::Err(__invoked) => return __invoked,
                    };
                    let __context = __call.context();
                    __call
                        .run(
                            __output,
                            async move {
                                let __value = r#type().await;
                                ::core::result::Result::Ok(__value)
                            },
                        )
                }
                __p::inventory::submit! {
                    __p::RegisteredTool(< Kind as __p::ToolHandle > ::DEFINITION)
                }
            };
            #[cfg(unix)]
            #[allow(deprecated)]
            const _: () = {
                #[deprecated(
                    note = "tool `type` has no description: a model uses it to decide when to call the tool; add a doc comment"
                )]
                const fn description() {}
                description()
            };
        "##]],
    );
}

#[test]
fn a_reference_borrows_from_an_owned_argument() {
    let item = quote! {
        /// Lends.
        async fn lend<'a>(
            text: &'a str,
            list: &[Cow<'_, str>],
            context: &Context,
            maybe: Option<&Order>,
        ) -> Result<&'a str, Error> {
            text
        }
    };
    check_expansion(
        tool(quote!(), item),
        expect![[r#"
            /// Lends.
            async fn lend<'a>(
                text: &'a str,
                list: &[Cow<'_, str>],
                context: &Context,
                maybe: Option<&Order>,
            ) -> Result<&'a str, Error> {
                text
            }
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            struct lend {}
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl __p::ToolHandle for lend {
                    const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
                        component: __p::ComponentDefinition {
                            name: "lend",
                            description: "Lends.",
                            location: __p::Location {
                                file: ::core::file!(),
                                line: ::core::line!(),
                                module_path: ::core::module_path!(),
                            },
                            invoke: __invoke,
                            ..__p::ComponentDefinition::EMPTY
                        },
                        ..__p::ToolDefinition::EMPTY
                    };
                }
                fn __invoke(__invocation: __p::Invocation<'_>) -> __p::Invoked {
                    const __PARAMETERS: &[__p::Parameter; 4] = &[
                        __p::Parameter {
                            name: "text",
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "list",
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "context",
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "maybe",
                            ..__p::Parameter::EMPTY
                        },
                    ];
                    let mut __0 = (&__p::Input::<str>::NEW).kind().slot_for::<str>(&__PARAMETERS[0]);
                    let mut __1 = (&__p::Input::<[Cow<'static, str>]>::NEW)
                        .kind()
                        .slot_for::<[Cow<'static, str>]>(&__PARAMETERS[1]);
                    let mut __2 = (&__p::Input::<Context>::NEW)
                        .kind()
                        .slot_for::<Context>(&__PARAMETERS[2]);
                    let mut __3 = (&__p::Input::<Option<<Order as __p::Lend>::Owned>>::NEW)
                        .kind()
                        .slot_for::<Option<<Order as __p::Lend>::Owned>>(&__PARAMETERS[3]);
                    let __split = (&__p::Output::<Result<&'static str, Error>>::NEW).split();
                    let __value = (&&&&__split.value()).kind().checked();
                    let __error = (&&&__split.error()).kind().checked();
                    let __output = __split.join(__value, __error);
                    let __call = match __invocation
                        .begin(&mut [&mut __0, &mut __1, &mut __2, &mut __3], &__output)
                    {
                        ::core::result::Result::Ok(__call) => __call,
                        ::core::result::Result::Err(__invoked) => return __invoked,
                    };
                    let __context = __call.context();
                    __call
                        .run_rendered(async move {
                            let __0 = __0.resolve(&__context).await?;
                            let __1 = __1.resolve(&__context).await?;
                            let __2 = __2.resolve(&__context).await?;
                            let __3 = __3.resolve(&__context).await?;
                            let __value = lend(
                                    ::core::borrow::Borrow::<str>::borrow(&__0),
                                    ::core::borrow::Borrow::<[Cow<'static, str>]>::borrow(&__1),
                                    ::core::borrow::Borrow::<Context>::borrow(&__2),
                                    __3.as_ref().map(::core::borrow::Borrow::<Order>::borrow),
                                )
                                .await;
                            __p::render(&__output, __value)
                        })
                }
                __p::inventory::submit! {
                    __p::RegisteredTool(< lend as __p::ToolHandle > ::DEFINITION)
                }
            };
        "#]],
    );
}

#[test]
fn every_option_is_part_of_the_definition() {
    let options = quote! {
        name = "orders.get",
        title = "Get an order",
        description = "Given.",
        read_only,
        destructive = false,
        idempotent = true,
        open_world = false,
        tags = ["orders", "read"],
        icons = [
            "https://example.com/icon.png",
            { src = "data:image/png;base64,AA==", mime_type = "image/png", sizes = ["48x48", "any"], theme = "dark" },
        ],
        meta = { "team": "billing", "nested": { "n": [1, -2.5, null] } },
        blocking,
        timeout = "1m30s",
        handle = GetOrder,
    };
    let item = quote! {
        /// Ignored.
        fn get_order(
            #[arg(min = 1, max = 2.5, rename = "orderId")]
            #[arg(example = 1, example = [2])]
            id: f64,
            #[arg(min_length = 1, pattern = "^a\\d$")] code: String,
        ) {}
    };
    check_expansion(
        tool(options, item),
        expect![[r#"
            /// Ignored.
            fn get_order(id: f64, code: String) {}
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            struct GetOrder {}
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl __p::ToolHandle for GetOrder {
                    const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
                        component: __p::ComponentDefinition {
                            name: "orders.get",
                            title: ::core::option::Option::Some("Get an order"),
                            description: "Given.",
                            tags: &["orders", "read"],
                            icons: &[
                                __p::IconDefinition {
                                    src: "https://example.com/icon.png",
                                    ..__p::IconDefinition::EMPTY
                                },
                                __p::IconDefinition {
                                    src: "data:image/png;base64,AA==",
                                    mime_type: ::core::option::Option::Some("image/png"),
                                    sizes: &["48x48", "any"],
                                    theme: ::core::option::Option::Some("dark"),
                                },
                            ],
                            meta: ::core::option::Option::Some(
                                "{\"team\":\"billing\",\"nested\":{\"n\":[1,-2.5,null]}}",
                            ),
                            timeout: ::core::option::Option::Some(
                                ::core::time::Duration::new(90u64, 0u32),
                            ),
                            location: __p::Location {
                                file: ::core::file!(),
                                line: ::core::line!(),
                                module_path: ::core::module_path!(),
                            },
                            invoke: __invoke,
                        },
                        annotations: __p::ToolAnnotations {
                            read_only: ::core::option::Option::Some(true),
                            destructive: ::core::option::Option::Some(false),
                            idempotent: ::core::option::Option::Some(true),
                            open_world: ::core::option::Option::Some(false),
                        },
                        ..__p::ToolDefinition::EMPTY
                    };
                }
                fn __invoke(__invocation: __p::Invocation<'_>) -> __p::Invoked {
                    const __PARAMETERS: &[__p::Parameter; 2] = &[
                        __p::Parameter {
                            name: "orderId",
                            constraints: __p::Constraints {
                                min: ::core::option::Option::Some(__p::Number::Integer(1i128)),
                                max: ::core::option::Option::Some(__p::Number::Float(2.5f64)),
                                ..__p::Constraints::EMPTY
                            },
                            examples: &["1", "[2]"],
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "code",
                            constraints: __p::Constraints {
                                min_length: ::core::option::Option::Some(1u64),
                                pattern: ::core::option::Option::Some("^a\\d$"),
                                ..__p::Constraints::EMPTY
                            },
                            ..__p::Parameter::EMPTY
                        },
                    ];
                    let mut __0 = (&__p::Input::<f64>::NEW)
                        .kind()
                        .configurable()
                        .slot_for::<f64>(&__PARAMETERS[0]);
                    let mut __1 = (&__p::Input::<String>::NEW)
                        .kind()
                        .configurable()
                        .slot_for::<String>(&__PARAMETERS[1]);
                    let __split = (&__p::Output::<()>::NEW).split();
                    let __value = (&&&&__split.value()).kind().checked();
                    let __error = (&&&__split.error()).kind().checked();
                    let __output = __split.join(__value, __error);
                    let __call = match __invocation.begin(&mut [&mut __0, &mut __1], &__output) {
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
                                __p::run_blocking(__context, move || get_order(__0, __1)).await
                            },
                        )
                }
                __p::inventory::submit! {
                    __p::RegisteredTool(< GetOrder as __p::ToolHandle > ::DEFINITION)
                }
            };
        "#]],
    );
}

#[test]
fn a_tool_with_mistakes_keeps_every_name() {
    let item = quote! {
        /// Finds.
        async fn find(
            /// The text.
            #[arg(min = 1)]
            text: String,
        ) -> String { text }
    };
    check_expansion(
        tool(quote!(), item),
        expect![[r#"
            ::core::compile_error! {
                "`min` bounds a number, and this is a string: to bound its length, write `min_length`"
            }
            /// Finds.
            async fn find(text: String) -> String {
                text
            }
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            struct find {}
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use ::fastmcp_rs::__private as __p;
                #[allow(unused_imports)]
                use ::fastmcp_rs::__private::probe::*;
                impl __p::ToolHandle for find {
                    const DEFINITION: &'static __p::ToolDefinition = &__p::ToolDefinition {
                        component: __p::ComponentDefinition {
                            name: "find",
                            description: "Finds.",
                            location: __p::Location {
                                file: ::core::file!(),
                                line: ::core::line!(),
                                module_path: ::core::module_path!(),
                            },
                            invoke: __invoke,
                            ..__p::ComponentDefinition::EMPTY
                        },
                        ..__p::ToolDefinition::EMPTY
                    };
                }
                fn __invoke(_: __p::Invocation<'_>) -> __p::Invoked {
                    ::core::unreachable!()
                }
            };
        "#]],
    );
    let item = quote! {
        /// Finds.
        pub async fn find(&self, /** The text. */ text: String) -> String { text }
    };
    check_expansion(
        tool(quote!(), item),
        expect![[r#"
            ::core::compile_error! {
                "a method is a tool only in an `impl` block with `#[mcp::server]`: put that on the block, or move the function out of it and take its data as `State<T>`"
            }
            /// Finds.
            pub async fn find(&self, text: String) -> String {
                text
            }
        "#]],
    );
}

#[test]
fn a_body_that_does_not_parse_is_kept() {
    let item = quote! {
        /// Finds.
        async fn find() { let unfinished = ; }
    };
    let expansion = tool(quote!(), item).to_string();
    assert!(expansion.contains("let unfinished = ;"), "{expansion}");
    assert!(!expansion.contains("compile_error"), "{expansion}");
}
