//! `#[mcp::tool]`.

use expect_test::expect;
use proc_macro2::TokenStream;
use quote::quote;

use super::{check_change, check_expansion};
use crate::tests::tool;

fn add() -> TokenStream {
    quote! {
        /// Adds.
        fn add(a: i64, b: i64) -> i64 { a + b }
    }
}

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
        expect![[r##"
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = {
                    use ::fastmcp_rs::__private::options::arg::{
                        max_length as _, default as _, example as _, header as _,
                    };
                };
            };
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
            #[allow(deprecated, unexpected_cfgs, unused_qualifications)]
            const _: () = {
                #[cfg(not(rust_analyzer))]
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
                                    file: __p::file!(),
                                    line: __p::line!(),
                                    module_path: ::core::module_path!(),
                                },
                                invoke: __invoke,
                                ..__p::ComponentDefinition::EMPTY
                            },
                            ..__p::ToolDefinition::EMPTY
                        };
                    }
                    fn __invoke(__invocation: __p::Invocation<'_>) -> __p::InvocationResult {
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
                        type __T0 = str;
                        type __T1 = Option<u32>;
                        type __T2 = State<Pool>;
                        (&__p::DefaultOf::<str>::NEW).kind().text();
                        (&__p::Header::<str>::NEW).kind().check();
                        let mut __0 = (&__p::Input::<__p::Same<__T0>>::NEW)
                            .kind()
                            .configurable()
                            .slot_for::<__p::Same<__T0>>(&__PARAMETERS[0]);
                        let mut __1 = (&__p::Input::<__p::Same<__T1>>::NEW)
                            .kind()
                            .slot_for::<__p::Same<__T1>>(&__PARAMETERS[1]);
                        let mut __2 = (&__p::Input::<__p::Same<__T2>>::NEW)
                            .kind()
                            .slot_for::<__p::Same<__T2>>(&__PARAMETERS[2]);
                        type __Returned = Result<String, ToolError>;
                        let __split = (&__p::Output::<__Returned>::NEW).split();
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
                                            ::core::borrow::Borrow::<__T0>::borrow(&__0),
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
            };
        "##]],
    );
}

#[test]
fn a_plain_function_runs_on_a_thread_of_its_own() {
    check_change(
        tool(
            quote!(),
            quote!(
                /// Adds.
                async fn add(a: i64, b: i64) -> i64 {
                    a + b
                }
            ),
        ),
        tool(quote!(), add()),
        expect![[r#"
            -async fn add(a: i64, b: i64) -> i64 {
            +fn add(a: i64, b: i64) -> i64 {
            -                        let __value = add(__0, __1).await;
            -                        ::core::result::Result::Ok(__value)
            +                        __p::run_blocking(__context, move || add(__0, __1)).await
        "#]],
    );
}

#[test]
fn an_inline_function_is_called_in_place() {
    check_change(
        tool(quote!(), add()),
        tool(quote!(inline), add()),
        expect![[r#"
            +#[allow(unexpected_cfgs)]
            +const _: () = {
            +    #[cfg(rust_analyzer)]
            +    const _: () = {
            +        use ::fastmcp_rs::__private::options::tool::inline as _;
            +    };
            +};
            -                        __p::run_blocking(__context, move || add(__0, __1)).await
            +                        let __value = add(__0, __1);
            +                        ::core::result::Result::Ok(__value)
        "#]],
    );
}

#[test]
fn a_blocking_async_function_runs_on_a_thread_of_its_own() {
    let item = quote! {
        /// Waits.
        async fn wait() {}
    };
    check_change(
        tool(quote!(), item.clone()),
        tool(quote!(blocking), item),
        expect![[r#"
            +#[allow(unexpected_cfgs)]
            +const _: () = {
            +    #[cfg(rust_analyzer)]
            +    const _: () = {
            +        use ::fastmcp_rs::__private::options::tool::blocking as _;
            +    };
            +};
            -                        let __value = wait().await;
            -                        ::core::result::Result::Ok(__value)
            +                        __p::run_blocking_async(
            +                                __context,
            +                                move || async move { wait().await },
            +                            )
            +                            .await
        "#]],
    );
}

#[test]
fn a_tool_without_a_description_warns() {
    let documented = quote! {
        /// Waits.
        async fn wait() {}
    };
    check_change(
        tool(quote!(), documented),
        tool(
            quote!(),
            quote!(
                async fn wait() {}
            ),
        ),
        expect![[r#"
            -/// Waits.
            -                    description: "Waits.",
            +const _: () = {
            +    #[deprecated(
            +        note = "tool `wait` has no description: a model uses it to decide when to call the tool; add a doc comment"
            +    )]
            +    const fn description() {}
            +    description()
            +};
        "#]],
    );
}

#[test]
fn the_handle_and_the_path_of_the_crate_can_be_chosen() {
    check_change(
        tool(quote!(), add()),
        tool(quote!(handle = Sum, crate = other::mcp), add()),
        expect![[r#"
            +#[allow(unexpected_cfgs)]
            +const _: () = {
            +    #[cfg(rust_analyzer)]
            +    const _: () = {
            +        use other::mcp::__private::options::tool::handle as _;
            +    };
            +};
            -struct add {}
            +struct Sum {}
            -        use ::fastmcp_rs::__private as __p;
            +        use other::mcp::__private as __p;
            -        use ::fastmcp_rs::__private::probe::*;
            -        impl __p::ToolHandle for add {
            +        use other::mcp::__private::probe::*;
            +        impl __p::ToolHandle for Sum {
            -            __p::RegisteredTool(< add as __p::ToolHandle > ::DEFINITION)
            +            __p::RegisteredTool(< Sum as __p::ToolHandle > ::DEFINITION)
        "#]],
    );
}

#[test]
fn generated_items_exist_in_the_same_builds_as_the_function() {
    let add = add();
    let in_some_builds = quote! {
        #[cfg(unix)]
        #add
    };
    check_change(
        tool(quote!(), add),
        tool(quote!(), in_some_builds),
        expect![[r#"
            +#[cfg(unix)]
            +#[cfg(unix)]
            +#[cfg(unix)]
        "#]],
    );
}

#[test]
fn the_name_of_a_raw_identifier_is_the_identifier_without_its_prefix() {
    let plain = quote! {
        /// Waits.
        async fn kind() {}
    };
    let raw = quote! {
        /// Waits.
        async fn r#type() {}
    };
    check_change(
        tool(quote!(handle = Kind), plain),
        tool(quote!(handle = Kind), raw),
        expect![[r#"
            -async fn kind() {}
            +async fn r#type() {}
            -                    name: "kind",
            +                    name: "type",
            -                        let __value = kind().await;
            +                        let __value = r#type().await;
        "#]],
    );
}

#[test]
fn a_reference_borrows_from_an_owned_argument() {
    let owned = quote! {
        /// Lends.
        async fn lend(text: String, list: Vec<Cow<'_, str>>, context: Context, maybe: Option<Order>) -> String {
            text
        }
    };
    let borrowed = quote! {
        /// Lends.
        async fn lend<'a>(text: &'a str, list: &[Cow<'_, str>], context: &Context, maybe: Option<&Order>) -> &'a str {
            text
        }
    };
    check_change(
        tool(quote!(), owned),
        tool(quote!(), borrowed),
        expect![[r#"
            -async fn lend(
            -    text: String,
            -    list: Vec<Cow<'_, str>>,
            -    context: Context,
            -    maybe: Option<Order>,
            -) -> String {
            +async fn lend<'a>(
            +    text: &'a str,
            +    list: &[Cow<'_, str>],
            +    context: &Context,
            +    maybe: Option<&Order>,
            +) -> &'a str {
            -            type __T0 = String;
            -            type __T1 = Vec<Cow<'static, str>>;
            +            type __T0 = str;
            +            type __T1 = [Cow<'static, str>];
            -            type __T3 = Option<Order>;
            -            let mut __0 = (&__p::Input::<__T0>::NEW)
            +            type __T3 = Option<<Order as __p::Lend>::Owned>;
            +            let mut __0 = (&__p::Input::<__p::Same<__T0>>::NEW)
            -                .slot_for::<__T0>(&__PARAMETERS[0]);
            +                .slot_for::<__p::Same<__T0>>(&__PARAMETERS[0]);
            -            let mut __2 = (&__p::Input::<__T2>::NEW)
            +            let mut __2 = (&__p::Input::<__p::Same<__T2>>::NEW)
            -                .slot_for::<__T2>(&__PARAMETERS[2]);
            +                .slot_for::<__p::Same<__T2>>(&__PARAMETERS[2]);
            -            type __Returned = String;
            +            type __Returned = &'static str;
            -                .run(
            -                    __output,
            -                    async move {
            -                        let __0 = __0.resolve(&__context).await?;
            -                        let __1 = __1.resolve(&__context).await?;
            -                        let __2 = __2.resolve(&__context).await?;
            -                        let __3 = __3.resolve(&__context).await?;
            -                        let __value = lend(__0, __1, __2, __3).await;
            -                        ::core::result::Result::Ok(__value)
            -                    },
            -                )
            +                .run_rendered(async move {
            +                    let __0 = __0.resolve(&__context).await?;
            +                    let __1 = __1.resolve(&__context).await?;
            +                    let __2 = __2.resolve(&__context).await?;
            +                    let __3 = __3.resolve(&__context).await?;
            +                    let __value = lend(
            +                            ::core::borrow::Borrow::<__T0>::borrow(&__0),
            +                            ::core::borrow::Borrow::<__T1>::borrow(&__1),
            +                            ::core::borrow::Borrow::<__T2>::borrow(&__2),
            +                            __3.as_ref().map(::core::borrow::Borrow::<Order>::borrow),
            +                        )
            +                        .await;
            +                    __p::render(&__output, __value)
            +                })
        "#]],
    );
}

#[test]
fn a_parameter_with_a_pattern_is_injected() {
    let tool_of = |parameter| {
        tool(
            quote!(),
            quote! {
                /// Finds.
                async fn find(#parameter) -> String {
                    load()
                }
            },
        )
    };
    check_change(
        tool_of(quote!(pool: State<Pool>)),
        tool_of(quote!(State(pool): State<Pool>)),
        expect![[r#"
            -async fn find(pool: State<Pool>) -> String {
            +async fn find(State(pool): State<Pool>) -> String {
            -                    name: "pool",
            +                    name: "__pattern",
            -            let mut __0 = (&__p::Input::<__p::Same<__T0>>::NEW)
            +            let mut __0 = (&__p::Input::<__T0>::NEW)
            -                .slot_for::<__p::Same<__T0>>(&__PARAMETERS[0]);
            +                .pattern_for::<__T0>(&__PARAMETERS[0]);
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
        middleware = [Timing::new(), limit(3)],
        structured = false,
        wrapped,
        link_text = true,
        result_content = "both",
        handle = GetOrder,
    };
    let item = quote! {
        /// Ignored.
        fn get_order() {}
    };
    check_change(
        tool(quote!(handle = GetOrder), item.clone()),
        tool(options, item),
        expect![[r#"
            -        use ::fastmcp_rs::__private::options::tool::handle as _;
            +        use ::fastmcp_rs::__private::options::tool::{
            +            name as _, title as _, description as _, read_only as _, destructive as _,
            +            idempotent as _, open_world as _, tags as _, icons as _, meta as _,
            +            blocking as _, timeout as _, middleware as _, structured as _, wrapped as _,
            +            link_text as _, result_content as _, handle as _,
            +        };
            +        const _: fn() = || {
            +            let _ = Timing::new();
            +            let _ = limit(3);
            +        };
            -                    name: "get_order",
            -                    description: "Ignored.",
            +                    name: "orders.get",
            +                    title: ::core::option::Option::Some("Get an order"),
            +                    description: "Given.",
            +                    tags: &["orders", "read"],
            +                    icons: &[
            +                        __p::IconDefinition {
            +                            src: "https://example.com/icon.png",
            +                            ..__p::IconDefinition::EMPTY
            +                        },
            +                        __p::IconDefinition {
            +                            src: "data:image/png;base64,AA==",
            +                            mime_type: ::core::option::Option::Some("image/png"),
            +                            sizes: &["48x48", "any"],
            +                            theme: ::core::option::Option::Some("dark"),
            +                        },
            +                    ],
            +                    meta: ::core::option::Option::Some(
            +                        "{\"team\":\"billing\",\"nested\":{\"n\":[1,-2.5,null]}}",
            +                    ),
            +                    timeout: ::core::option::Option::Some(
            +                        ::core::time::Duration::new(90u64, 0u32),
            +                    ),
            +                    middleware: ::core::option::Option::Some(|__layers| {
            +                        __p::add_layer(__layers, Timing::new());
            +                        __p::add_layer(__layers, limit(3));
            +                    }),
            -                    ..__p::ComponentDefinition::EMPTY
            -                ..__p::ToolDefinition::EMPTY
            +                annotations: __p::ToolAnnotations {
            +                    read_only: ::core::option::Option::Some(true),
            +                    destructive: ::core::option::Option::Some(false),
            +                    idempotent: ::core::option::Option::Some(true),
            +                    open_world: ::core::option::Option::Some(false),
            +                },
            +                results: __p::ResultOptions {
            +                    structured: ::core::option::Option::Some(false),
            +                    wrapped: ::core::option::Option::Some(true),
            +                    link_text: ::core::option::Option::Some(true),
            +                    content: ::core::option::Option::Some(__p::ResultContent::Both),
            +                },
        "#]],
    );
}

#[test]
fn the_attributes_of_an_argument_are_part_of_its_parameter() {
    let plain = quote! {
        /// Finds an order.
        fn get_order(id: f64, code: String) {}
    };
    let constrained = quote! {
        /// Finds an order.
        fn get_order(
            #[arg(min = 1, max = 2.5, rename = "orderId")]
            #[arg(example = 1, example = [2])]
            id: f64,
            #[arg(min_length = 1, pattern = "^a\\d$")] code: String,
        ) {}
    };
    check_change(
        tool(quote!(), plain),
        tool(quote!(), constrained),
        expect![[r#"
            +#[allow(unexpected_cfgs)]
            +const _: () = {
            +    #[cfg(rust_analyzer)]
            +    const _: () = {
            +        use ::fastmcp_rs::__private::options::arg::{
            +            min as _, max as _, rename as _, example as _, example as _, min_length as _,
            +            pattern as _,
            +        };
            +    };
            +};
            -                    name: "id",
            +                    name: "orderId",
            +                    constraints: __p::Constraints {
            +                        min: ::core::option::Option::Some(__p::Number::Integer(1i128)),
            +                        max: ::core::option::Option::Some(__p::Number::Float(2.5f64)),
            +                        ..__p::Constraints::EMPTY
            +                    },
            +                    examples: &["1", "[2]"],
            +                    constraints: __p::Constraints {
            +                        min_length: ::core::option::Option::Some(1u64),
            +                        pattern: ::core::option::Option::Some("^a\\d$"),
            +                        ..__p::Constraints::EMPTY
            +                    },
            +                .configurable()
            +                .configurable()
        "#]],
    );
}

#[test]
fn a_default_that_is_no_literal_is_a_function_of_its_argument() {
    let before = quote! {
        /// Lists orders.
        fn list_orders(page_size: u32, kind: Kind, words: Vec<String>, order: Order) {}
    };
    let after = quote! {
        /// Lists orders.
        fn list_orders(
            #[arg(default = 2 * LIMIT)] page_size: u32,
            #[arg(default)] kind: Kind,
            #[arg(default = [])] words: Vec<String>,
            #[arg(flatten)] order: Order,
        ) {
        }
    };
    check_change(
        tool(quote!(), before),
        tool(quote!(rename_all = "camelCase"), after),
        expect![[r#"
            +#[allow(unexpected_cfgs)]
            +const _: () = {
            +    #[cfg(rust_analyzer)]
            +    const _: () = {
            +        use ::fastmcp_rs::__private::options::tool::rename_all as _;
            +        use ::fastmcp_rs::__private::options::arg::{
            +            default as _, default as _, default as _, flatten as _,
            +        };
            +        const _: fn() = || {
            +            let _ = 2 * LIMIT;
            +        };
            +    };
            +};
            -                    name: "page_size",
            +                    name: "pageSize",
            +                    default: ::core::option::Option::Some("[]"),
            +            (&__p::DefaultOf::<Vec<String>>::NEW).kind().list();
            -                .slot_for::<__T0>(&__PARAMETERS[0]);
            +                .configurable()
            +                .slot_for::<__T0>(&__PARAMETERS[0])
            +                .with_default(|| __p::IntoDefault::into_default(2 * LIMIT));
            -                .slot_for::<__T1>(&__PARAMETERS[1]);
            +                .configurable()
            +                .slot_for::<__T1>(&__PARAMETERS[1])
            +                .with_default(__p::Default::default);
            +                .configurable()
            -                .slot_for::<__T3>(&__PARAMETERS[3]);
            +                .configurable()
            +                .flat_slot_for::<__T3>(&__PARAMETERS[3]);
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
        expect![[r##"
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = {
                    use ::fastmcp_rs::__private::options::arg::min as _;
                };
            };
            /// Finds.
            async fn find(text: String) -> String {
                text
            }
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            struct find {}
            #[allow(deprecated, unexpected_cfgs, unused_qualifications)]
            const _: () = {
                #[cfg(not(rust_analyzer))]
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
                                    file: __p::file!(),
                                    line: __p::line!(),
                                    module_path: ::core::module_path!(),
                                },
                                invoke: __invoke,
                                ..__p::ComponentDefinition::EMPTY
                            },
                            ..__p::ToolDefinition::EMPTY
                        };
                    }
                    #[allow(unused_mut, unused_variables)]
                    fn __invoke(_: __p::Invocation<'_>) -> __p::InvocationResult {
                        {
                            type __T0 = String;
                            let _ = (&__p::Input::<__T0>::NEW)
                                .kind()
                                .slot_for::<__T0>(&__p::Parameter::EMPTY);
                        }
                        type __Returned = String;
                        let __split = (&__p::Output::<__Returned>::NEW).split();
                        let __value = (&&&&__split.value()).kind().checked();
                        let __error = (&&&__split.error()).kind().checked();
                        ::core::unreachable!()
                    }
                };
            };
            ::core::compile_error! {
                "`min` bounds a number, and this is a string: to bound its length, write `min_length`"
            }
        "##]],
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

#[test]
fn an_output_schema_is_a_static_that_checks_the_result() {
    let item = quote! {
        /// Finds.
        fn find() -> Result<ToolResult, ToolError> {}
    };
    check_change(
        tool(quote!(), item.clone()),
        tool(quote!(output_schema = Order), item),
        expect![[r#"
            +#[allow(unexpected_cfgs)]
            +const _: () = {
            +    #[cfg(rust_analyzer)]
            +    const _: () = {
            +        use ::fastmcp_rs::__private::options::tool::output_schema as _;
            +        const _: ::core::option::Option<Order> = ::core::option::Option::None;
            +    };
            +};
            -            let __value = (&&&&__split.value()).kind().checked();
            +            static __SCHEMA: __p::OutputSchema = __p::OutputSchema::new::<Order>();
            +            let __value = __split.value().composed().with_output_schema(&__SCHEMA);
        "#]],
    );
}
