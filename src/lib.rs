//! Nothing but the README, so that its code is compiled with everything that it names.
#![doc = include_str!("../README.md")]
