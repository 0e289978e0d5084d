//! What differs between operating systems: moving the standard streams away, reading and writing them,
//! and knowing that the parent process is gone.
//!
//! On Unix the streams are claimed: descriptors 0 and 1 are duplicated to private ones, which no child
//! inherits; 0 then reads nothing and 1 leads to standard error. That closes the print trap for this
//! program, for C libraries in it and for its children. It is never undone, as buffers that are flushed at
//! exit would still reach the client. Elsewhere the streams are used as they are.

#[cfg(not(unix))]
pub(super) use other::*;
#[cfg(unix)]
pub(super) use unix::*;

use std::sync::atomic::{AtomicBool, Ordering};

/// The two ends of the protocol's stream.
pub(crate) struct Wire {
    pub(super) input: Input,
    pub(super) output: Output,
}

/// A process has one standard input, so one server can have it.
fn claim_once() -> std::io::Result<()> {
    static CLAIMED: AtomicBool = AtomicBool::new(false);
    if CLAIMED.swap(true, Ordering::SeqCst) {
        return Err(std::io::Error::other("another server of this process has them already"));
    }
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Write};
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;

    use super::super::StdoutPolicy;
    use super::{Wire, claim_once};
    use crate::operator;

    pub(crate) struct Input(OwnedFd);
    pub(crate) struct Output(OwnedFd);

    /// Takes descriptors 0 and 1 for the protocol.
    pub(crate) fn claim(policy: StdoutPolicy) -> io::Result<Wire> {
        claim_once()?;
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        if policy != StdoutPolicy::Inherit {
            rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
            // Nobody prints half a line while the descriptor changes.
            let mut lock = io::stdout().lock();
            let shared = same_file(io::stdout().as_fd(), io::stderr().as_fd());
            if shared {
                // `2>&1`: standard error is the protocol's stream too, so nothing may be written to it.
                operator::mute();
            }
            match policy {
                StdoutPolicy::Stderr if !shared => rustix::stdio::dup2_stdout(io::stderr().as_fd())?,
                StdoutPolicy::Log if !shared => rustix::stdio::dup2_stdout(log_pipe()?)?,
                _ => rustix::stdio::dup2_stdout(OpenOptions::new().write(true).open("/dev/null")?)?,
            }
            if shared {
                rustix::stdio::dup2_stderr(OpenOptions::new().write(true).open("/dev/null")?)?;
            }
            // What was printed before, and is still in the buffer, goes there too.
            let _ = lock.flush();
        }
        Ok(Wire { input: Input(input), output: Output(output) })
    }

    fn same_file(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
        match (rustix::fs::fstat(one), rustix::fs::fstat(other)) {
            (Ok(one), Ok(other)) => {
                // Every terminal and /dev/null may be opened twice without being one stream.
                let is_stream = rustix::fs::FileType::from_raw_mode(one.st_mode);
                !matches!(is_stream, rustix::fs::FileType::CharacterDevice)
                    && (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
            }
            _ => false,
        }
    }

    /// A pipe whose lines go to the log.
    fn log_pipe() -> io::Result<OwnedFd> {
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        std::thread::Builder::new().name("mcp-prints".into()).spawn(move || {
            use std::io::BufRead;
            for line in io::BufReader::new(File::from(reader)).split(b'\n') {
                let Ok(line) = line else { return };
                let text = String::from_utf8_lossy(&line);
                tracing::info!(target: "fastmcp_rs::stdout", "{text}");
                if !tracing::dispatcher::has_been_set() {
                    operator::line(&format!("stdout: {text}"));
                }
            }
        })?;
        Ok(writer)
    }

    impl Input {
        /// Reads what there is, and waits if there is nothing. 0 is the end.
        pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
            loop {
                match rustix::io::read(&self.0, &mut *buffer) {
                    Ok(count) => return Ok(count),
                    Err(Errno::INTR) => {}
                    // The parent shares this descriptor, and may have made it non-blocking.
                    Err(Errno::AGAIN) => wait(self.0.as_fd(), PollFlags::IN)?,
                    // A terminal that is gone.
                    Err(Errno::IO) => return Ok(0),
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    impl Output {
        pub(crate) fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
            while !bytes.is_empty() {
                match rustix::io::write(&self.0, bytes) {
                    Ok(count) => bytes = &bytes[count..],
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => wait(self.0.as_fd(), PollFlags::OUT)?,
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        }
    }

    fn wait(descriptor: BorrowedFd<'_>, events: PollFlags) -> io::Result<()> {
        match poll(&mut [PollFd::from_borrowed_fd(descriptor, events)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends when the parent process has ended and another one has adopted us.
    pub(crate) async fn parent_ended(watch: bool) {
        let parent = rustix::process::getppid();
        // In a container the parent is outside, or process 1 from the beginning.
        let watch = watch && parent.is_some_and(|parent| !parent.is_init());
        if !watch {
            return std::future::pending().await;
        }
        while rustix::process::getppid() == parent {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::io::{self, Read, Write};

    use super::super::StdoutPolicy;
    use super::{Wire, claim_once};

    pub(crate) struct Input(());
    pub(crate) struct Output(());

    /// Uses the streams where they are; printing corrupts the protocol here.
    pub(crate) fn claim(_: StdoutPolicy) -> io::Result<Wire> {
        claim_once()?;
        Ok(Wire { input: Input(()), output: Output(()) })
    }

    impl Input {
        pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
            io::stdin().lock().read(buffer)
        }
    }

    impl Output {
        pub(crate) fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()
        }
    }

    pub(crate) async fn parent_ended(_: bool) {
        std::future::pending().await
    }
}
