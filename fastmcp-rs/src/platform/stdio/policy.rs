//! Handling of text that the program prints while standard output belongs to the protocol.

/// What becomes of text that is printed to standard output while that belongs to the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StdoutPolicy {
    /// It goes to standard error as it is. The default.
    ///
    /// Descriptor 1 is a pipe that is always emptied, so neither `println!` nor a child process waits for standard
    /// error to be read. Up to 1 MiB waits there. What comes beyond that is dropped, unless there is room within a
    /// quarter of a second because standard error is being read, and its bytes are counted: a line on standard error
    /// tells how many, as soon as that is read again. If standard error is the protocol's stream too (`2>&1`), everything
    /// is dropped.
    ///
    /// Descriptor 2 stays as it is: `eprintln!` waits as long as nobody reads standard error. A child process that
    /// outlives the server loses its standard output with it, as with any pipe.
    #[default]
    Stderr,
    /// It goes to the log, line by line, each with `stdout: ` before it. It can never hold up whoever prints either;
    /// lines that do not fit into the log are dropped and counted. Lines of more than 64 KiB are split.
    Log,
    /// It is dropped.
    Discard,
    /// Nothing is moved: what is printed corrupts the protocol, and child processes can read requests.
    Inherit,
}
