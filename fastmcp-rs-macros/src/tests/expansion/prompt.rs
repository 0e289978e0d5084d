//! `#[mcp::prompt]`, where it differs from `#[mcp::tool]`.

use expect_test::expect;
use quote::quote;

use super::check_expansion;
use crate::tests::prompt;

#[test]
fn an_argument_of_a_prompt_calls_its_completion_function() {
    let item = quote! {
        /// Reviews a refund.
        async fn refund_review(
            /// The order's reference.
            #[arg(complete = order_ids)]
            order_id: &str,
            urgent: Option<bool>,
            context: &Context,
        ) -> Vec<Message> {
            load()
        }
    };
    check_expansion(
        prompt(quote!(title = "Review", handle = Review, crate = other), item),
        expect![[r#"
            /// Reviews a refund.
            async fn refund_review(
                order_id: &str,
                urgent: Option<bool>,
                context: &Context,
            ) -> Vec<Message> {
                load()
            }
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            struct Review {}
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                use other::__private as __p;
                #[allow(unused_imports)]
                use other::__private::probe::*;
                impl __p::PromptHandle for Review {
                    const DEFINITION: &'static __p::PromptDefinition = &__p::PromptDefinition {
                        component: __p::ComponentDefinition {
                            name: "refund_review",
                            title: ::core::option::Option::Some("Review"),
                            description: "Reviews a refund.",
                            location: __p::Location {
                                file: ::core::file!(),
                                line: ::core::line!(),
                                module_path: ::core::module_path!(),
                            },
                            invoke: __invoke,
                            ..__p::ComponentDefinition::EMPTY
                        },
                    };
                }
                fn __invoke(__invocation: __p::Invocation<'_>) -> __p::Invoked {
                    const __PARAMETERS: &[__p::Parameter; 3] = &[
                        __p::Parameter {
                            name: "order_id",
                            description: "The order's reference.",
                            complete: ::core::option::Option::Some(|__completing, __context| __p::complete(
                                order_ids,
                                __completing,
                                __context,
                            )),
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "urgent",
                            ..__p::Parameter::EMPTY
                        },
                        __p::Parameter {
                            name: "context",
                            ..__p::Parameter::EMPTY
                        },
                    ];
                    let mut __0 = (&__p::Input::<str>::NEW)
                        .kind()
                        .configurable()
                        .slot_for::<str>(&__PARAMETERS[0]);
                    let mut __1 = (&__p::Input::<Option<bool>>::NEW)
                        .kind()
                        .slot_for::<Option<bool>>(&__PARAMETERS[1]);
                    let mut __2 = (&__p::Input::<Context>::NEW)
                        .kind()
                        .slot_for::<Context>(&__PARAMETERS[2]);
                    let __split = (&__p::Output::<Vec<Message>>::NEW).split();
                    let __value = (&&&&__split.value()).prompt_kind().checked();
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
                                let __value = refund_review(
                                        ::core::borrow::Borrow::<str>::borrow(&__0),
                                        __1,
                                        ::core::borrow::Borrow::<Context>::borrow(&__2),
                                    )
                                    .await;
                                ::core::result::Result::Ok(__value)
                            },
                        )
                }
                __p::inventory::submit! {
                    __p::RegisteredPrompt(< Review as __p::PromptHandle > ::DEFINITION)
                }
            };
        "#]],
    );
}
