//! Compile errors as users see them: each file in `tests/ui/fail` holds one mistake and its message, each in
//! `tests/ui/pass` a program that must compile and run.
//!
//! The two are separate sets, because trybuild checks a set in one run of cargo only if all its cases fail.
//!
//! Those in `tests/ui/features` need a build without the features that they use: `cargo test -p fastmcp-rs --test ui
//! a_feature`.
//!
//! Messages of traits vary between compilers, so this runs on the toolchain that CI pins. After a change, run it with
//! `TRYBUILD=overwrite` and read the changes as a user would.

#[test]
fn every_mistake_gets_its_message() {
    trybuild::TestCases::new().compile_fail("../tests/ui/fail/*.rs");
}

#[test]
fn every_program_compiles_and_runs() {
    trybuild::TestCases::new().pass("../tests/ui/pass/*.rs");
}

#[cfg(not(any(feature = "http", feature = "logging", feature = "metrics", feature = "testing")))]
#[test]
fn a_feature_that_is_off_is_named() {
    trybuild::TestCases::new().compile_fail("../tests/ui/features/*.rs");
}
