//! Handling of text that the program prints while standard output belongs to the protocol.

/// The destination of text that is printed to standard output while that belongs to the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StdoutPolicy {
    /// The text goes to standard error unchanged. The default.
    ///
    /// Descriptor 1 is a pipe that is always drained, so neither `println!` nor a child process waits for standard
    /// error to be read. Up to 1 MiB is queued. Text beyond that is dropped, unless standard error is read and space
    /// becomes free within a quarter of a second. The dropped bytes are counted, and a line on standard error reports
    /// the number as soon as standard error is read again. If standard error is also the protocol's stream (`2>&1`),
    /// all printed text is dropped.
    ///
    /// Descriptor 2 is unchanged: `eprintln!` waits while standard error is not read. A child process that outlives the
    /// server loses its standard output with it, as with any pipe.
    #[default]
    Stderr,
    /// The text goes to the log, line by line, each line with the prefix `stdout: `. Printing never waits; lines that
    /// do not fit into the log are dropped and counted. Lines of more than 64 KiB are split.
    Log,
    /// The text is dropped.
    Discard,
    /// Nothing is redirected: printed text corrupts the protocol, and child processes can read requests.
    Inherit,
}
