//! What users see at compile time: each file in `tests/ui/fail` holds one mistake and the message that
//! it gets, each in `tests/ui/pass` something that must compile and run.
//!
//! Messages of traits vary between compilers, so this runs on the toolchain that CI pins. After a change,
//! run it with `TRYBUILD=overwrite` and read what changed as a user would.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("../tests/ui/fail/*.rs");
    cases.pass("../tests/ui/pass/*.rs");
}
