//! `#[mcp::resource]`, where it differs from `#[mcp::tool]`.

use expect_test::expect;
use quote::quote;

use super::{check_change, check_expansion};
use crate::tests::resource;

#[test]
fn the_options_of_a_resource_are_part_of_its_definition() {
    let item = quote! {
        /// The settings.
        fn config() -> Vec<u8> {
            load()
        }
    };
    let options = quote! {
        "config://app",
        title = "Settings",
        mime_type = "application/toml",
        size = 1_234,
        audience = ["user", "assistant"],
        priority = 1,
        last_modified = "2026-01-31T12:00:00Z",
        ttl = "1m30s",
        scope = "public",
        tags = ["app"],
    };
    check_change(
        resource(quote!("config://app"), item.clone()),
        resource(options, item),
        expect![[r#"
            +#[allow(unexpected_cfgs)]
            +const _: () = {
            +    #[cfg(rust_analyzer)]
            +    const _: () = {
            +        use ::fastmcp_rs::__private::options::resource::{
            +            title as _, mime_type as _, size as _, audience as _, priority as _,
            +            last_modified as _, ttl as _, scope as _, tags as _,
            +        };
            +    };
            +};
            +                    title: ::core::option::Option::Some("Settings"),
            +                    tags: &["app"],
            +                mime_type: ::core::option::Option::Some("application/toml"),
            +                size: ::core::option::Option::Some(1234u64),
            +                annotations: __p::ResourceAnnotations {
            +                    audience: &["user", "assistant"],
            +                    priority: ::core::option::Option::Some(1f64),
            +                    last_modified: ::core::option::Option::Some("2026-01-31T12:00:00Z"),
            +                },
            +                ttl: ::core::option::Option::Some(
            +                    ::core::time::Duration::new(90u64, 0u32),
            +                ),
            +                scope: ::core::option::Option::Some(__p::CacheScope::Public),
        "#]],
    );
}

#[test]
fn the_uri_of_a_resource_can_be_a_constant() {
    let item = quote! {
        /// The settings.
        fn config() -> Vec<u8> {
            load()
        }
    };
    check_change(
        resource(quote!("config://app"), item.clone()),
        resource(quote!(uris::CONFIG, title = "Settings"), item),
        expect![[r#"
            +#[allow(unexpected_cfgs)]
            +const _: () = {
            +    #[cfg(rust_analyzer)]
            +    const _: () = {
            +        use ::fastmcp_rs::__private::options::resource::title as _;
            +        const _: fn() = || {
            +            let _ = uris::CONFIG;
            +        };
            +    };
            +};
            +                    title: ::core::option::Option::Some("Settings"),
            -                uri: "config://app",
            +                uri: uris::CONFIG,
            +        const _: () = __p::check_constant_uri(
            +            <config as __p::ResourceHandle>::DEFINITION.uri,
            +        );
        "#]],
    );
}

#[test]
fn the_variables_of_a_template_become_arguments_and_other_parameters_are_injected() {
    let item = quote! {
        /// A file of a repository.
        #[cfg(unix)]
        pub async fn file(
            owner: &str,
            /// The path in the repository.
            #[arg(max_length = 200, complete = files::paths)]
            path: String,
            #[arg(default = 1, min = 1)] page: u32,
            #[arg(rename = "ref")] revision: Option<&str>,
            store: State<Store>,
        ) -> Result<&str, ToolError> {
            load()
        }
    };
    let options =
        quote!("repo://{owner}/{+path}{?page,ref}", priority = 0.8, allow_traversal = ["path"], timeout = "1s");
    check_expansion(
        resource(options, item),
        expect![[r##"
            #[cfg(unix)]
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = {
                    use ::fastmcp_rs::__private::options::resource::{
                        priority as _, allow_traversal as _, timeout as _,
                    };
                    use ::fastmcp_rs::__private::options::arg::{
                        max_length as _, complete as _, default as _, min as _, rename as _,
                    };
                    const _: fn() = || {
                        let _ = files::paths;
                    };
                };
            };
            /// A file of a repository.
            #[cfg(unix)]
            pub async fn file(
                owner: &str,
                path: String,
                page: u32,
                revision: Option<&str>,
                store: State<Store>,
            ) -> Result<&str, ToolError> {
                load()
            }
            #[cfg(unix)]
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code)]
            pub struct file {}
            #[cfg(unix)]
            #[allow(deprecated, unexpected_cfgs, unused_qualifications)]
            const _: () = {
                #[cfg(not(rust_analyzer))]
                const _: () = {
                    use ::fastmcp_rs::__private as __p;
                    #[allow(unused_imports)]
                    use ::fastmcp_rs::__private::probe::*;
                    impl __p::ResourceHandle for file {
                        const DEFINITION: &'static __p::ResourceDefinition = &__p::ResourceDefinition {
                            component: __p::ComponentDefinition {
                                name: "file",
                                description: "A file of a repository.",
                                timeout: ::core::option::Option::Some(
                                    ::core::time::Duration::new(1u64, 0u32),
                                ),
                                location: __p::Location {
                                    file: __p::file!(),
                                    line: __p::line!(),
                                    module_path: ::core::module_path!(),
                                },
                                invoke: __invoke,
                                ..__p::ComponentDefinition::EMPTY
                            },
                            uri: "repo://{owner}/{+path}{?page,ref}",
                            annotations: __p::ResourceAnnotations {
                                priority: ::core::option::Option::Some(0.8f64),
                                ..__p::ResourceAnnotations::EMPTY
                            },
                            allow_traversal: &["path"],
                            ..__p::ResourceDefinition::EMPTY
                        };
                    }
                    fn __invoke(__invocation: __p::Invocation<'_>) -> __p::InvocationResult {
                        const __PARAMETERS: &[__p::Parameter; 5] = &[
                            __p::Parameter {
                                name: "owner",
                                ..__p::Parameter::EMPTY
                            },
                            __p::Parameter {
                                name: "path",
                                description: "The path in the repository.",
                                constraints: __p::Constraints {
                                    max_length: ::core::option::Option::Some(200u64),
                                    ..__p::Constraints::EMPTY
                                },
                                complete: ::core::option::Option::Some(|__completing| __p::complete(
                                    files::paths,
                                    __completing,
                                )),
                                ..__p::Parameter::EMPTY
                            },
                            __p::Parameter {
                                name: "page",
                                constraints: __p::Constraints {
                                    min: ::core::option::Option::Some(__p::Number::Integer(1i128)),
                                    ..__p::Constraints::EMPTY
                                },
                                default: ::core::option::Option::Some("1"),
                                ..__p::Parameter::EMPTY
                            },
                            __p::Parameter {
                                name: "ref",
                                ..__p::Parameter::EMPTY
                            },
                            __p::Parameter {
                                name: "store",
                                ..__p::Parameter::EMPTY
                            },
                        ];
                        type __T0 = str;
                        type __T1 = String;
                        type __T2 = u32;
                        type __T3 = Option<<str as __p::Lend>::Owned>;
                        type __T4 = State<Store>;
                        (&__p::DefaultOf::<u32>::NEW).kind().integer();
                        let mut __0 = (&__p::Input::<__p::Same<__T0>>::NEW)
                            .kind()
                            .variable_for::<__p::Same<__T0>>(&__PARAMETERS[0]);
                        let mut __1 = (&__p::Input::<__T1>::NEW)
                            .kind()
                            .variable_for::<__T1>(&__PARAMETERS[1]);
                        let mut __2 = (&__p::Input::<__T2>::NEW)
                            .kind()
                            .variable_for::<__T2>(&__PARAMETERS[2]);
                        let mut __3 = (&__p::Input::<__p::Same<__T3>>::NEW)
                            .kind()
                            .variable_for::<__p::Same<__T3>>(&__PARAMETERS[3]);
                        let mut __4 = (&__p::Input::<__p::Same<__T4>>::NEW)
                            .kind()
                            .injected_for::<__p::Same<__T4>>(&__PARAMETERS[4]);
                        type __Returned = Result<&'static str, ToolError>;
                        let __split = (&__p::Output::<__Returned>::NEW).split();
                        let __value = (&&&&__split.value()).resource_kind().checked();
                        let __error = (&&&__split.error()).kind().checked();
                        let __output = __split.join(__value, __error);
                        let __call = match __invocation
                            .begin(
                                &mut [&mut __0, &mut __1, &mut __2, &mut __3, &mut __4],
                                &__output,
                            )
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
                                let __4 = __4.resolve(&__context).await?;
                                let __value = file(
                                        ::core::borrow::Borrow::<__T0>::borrow(&__0),
                                        __1,
                                        __2,
                                        __3.as_ref().map(::core::borrow::Borrow::<str>::borrow),
                                        __4,
                                    )
                                    .await;
                                __p::render(&__output, __value)
                            })
                    }
                    __p::inventory::submit! {
                        __p::RegisteredResource(< file as __p::ResourceHandle > ::DEFINITION)
                    }
                };
            };
        "##]],
    );
}
