//! The standard streams, signals and the parent process on Unix.

mod prints;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use prints::flush_prints;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::{ProtocolStreams, ShutdownEvent, WRITE_SIZE, claim_once};
use crate::platform::stdio::policy::StdoutPolicy;
use crate::util::operator_log;

pub(crate) struct ProtocolInput(OwnedFd);
pub(crate) struct ProtocolOutput(OwnedFd);

/// Mutes the operator log on standard error if that is also the protocol's stream (`2>&1`).
pub(crate) fn mute_shared_stderr() {
    if is_same_file(io::stdout().as_fd(), io::stderr().as_fd()) {
        operator_log::mute();
    }
}

/// Claims descriptors 0 and 1 for the protocol.
pub(crate) fn claim(policy: StdoutPolicy) -> io::Result<ProtocolStreams> {
    claim_once()?;
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    if policy != StdoutPolicy::Inherit {
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        // The lock keeps other threads from printing half a line while the descriptor changes.
        let mut lock = io::stdout().lock();
        let shared = is_same_file(io::stdout().as_fd(), io::stderr().as_fd());
        if shared {
            // `2>&1`: standard error is also the protocol's stream, so nothing may be written to it.
            operator_log::mute();
        }
        match policy {
            StdoutPolicy::Stderr | StdoutPolicy::Log if !shared => {
                rustix::stdio::dup2_stdout(prints::open(policy)?)?;
            }
            _ => rustix::stdio::dup2_stdout(OpenOptions::new().write(true).open("/dev/null")?)?,
        }
        if shared {
            rustix::stdio::dup2_stderr(OpenOptions::new().write(true).open("/dev/null")?)?;
        }
        // Text that was printed before, and is still in the buffer, goes there too.
        let _ = lock.flush();
    }
    Ok(ProtocolStreams { input: ProtocolInput(input), output: ProtocolOutput(output) })
}

fn is_same_file(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    match (rustix::fs::fstat(one), rustix::fs::fstat(other)) {
        (Ok(one), Ok(other)) => {
            // Terminals and /dev/null can be opened twice without being one stream.
            let is_stream = rustix::fs::FileType::from_raw_mode(one.st_mode);
            !matches!(is_stream, rustix::fs::FileType::CharacterDevice)
                && (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
        }
        _ => false,
    }
}

/// Creates a pipe that child processes do not inherit.
///
/// Apple systems have no `pipe2`. There, a child that another thread starts between the calls inherits both ends. That
/// is harmless: no end of file is awaited on these pipes, so an end that stays open elsewhere blocks nothing.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(not(target_vendor = "apple"))]
    let ends = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    #[cfg(target_vendor = "apple")]
    let ends = {
        use rustix::io::{FdFlags, fcntl_setfd};
        let ends = rustix::pipe::pipe()?;
        fcntl_setfd(&ends.0, FdFlags::CLOEXEC)?;
        fcntl_setfd(&ends.1, FdFlags::CLOEXEC)?;
        ends
    };
    Ok(ends)
}

impl ProtocolInput {
    /// Waits for input or its end, at most for `limit`. Returns whether there is any.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let mut input = [PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)];
        // After a signal there may be input; a read then finds out.
        poll(&mut input, Some(&timeout(limit))) != Ok(0)
    }

    /// Reads the available bytes, and waits if there are none. 0 is the end.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(&self.0, &mut *buffer) {
                Ok(count) => return Ok(count),
                Err(Errno::INTR) => {}
                // The parent shares this descriptor, and may have made it non-blocking.
                Err(Errno::AGAIN) => wait(self.0.as_fd(), PollFlags::IN)?,
                // The terminal is gone.
                Err(Errno::IO) => return Ok(0),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl ProtocolOutput {
    /// Writes everything; `record_progress` is called after each part except the last.
    pub(crate) fn write_all(&self, mut bytes: &[u8], record_progress: impl Fn()) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.0, &bytes[..bytes.len().min(WRITE_SIZE)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    if !bytes.is_empty() {
                        record_progress();
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => wait(self.0.as_fd(), PollFlags::OUT)?,
                // The terminal is gone.
                Err(Errno::IO) if is_character_device(&self.0) => return Err(io::ErrorKind::BrokenPipe.into()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn is_character_device(descriptor: &OwnedFd) -> bool {
    use rustix::fs::FileType;
    rustix::fs::fstat(descriptor)
        .is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice)
}

fn timeout(limit: Duration) -> Timespec {
    Timespec { tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: limit.subsec_nanos().into() }
}

fn wait(descriptor: BorrowedFd<'_>, events: PollFlags) -> io::Result<()> {
    match poll(&mut [PollFd::from_borrowed_fd(descriptor, events)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Sends events.
#[derive(Clone)]
pub(crate) struct EventNotifier(Arc<OwnedFd>);

/// Waits for events without a runtime, because a server must end even if its runtime is blocked.
pub(crate) struct ShutdownEvents {
    pipe: OwnedFd,
    input: Arc<ProtocolInput>,
    /// True while a process still writes to the input.
    input_is_open: bool,
    parent: Option<Pid>,
}

/// The poll events that report that the client has closed its end. A hang-up is always reported, but a socket whose
/// peer has only shut down writing has none.
#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOSE_EVENTS: PollFlags = PollFlags::RDHUP;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const CLOSE_EVENTS: PollFlags = PollFlags::empty();

/// The interval between checks of the parent.
const PARENT_INTERVAL: Duration = Duration::from_secs(4);

pub(crate) fn events(watch_parent: bool, input: Arc<ProtocolInput>) -> io::Result<(ShutdownEvents, EventNotifier)> {
    let (pipe, writer) = pipe()?;
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        // The handler writes one byte per signal.
        signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
    }
    // In a container the parent is outside, or process 1 from the beginning.
    let parent = rustix::process::getppid().filter(|parent| watch_parent && !parent.is_init());
    Ok((ShutdownEvents { pipe, input, input_is_open: true, parent }, EventNotifier(Arc::new(writer))))
}

const END_OF_INPUT: u8 = b'I';
const END_OF_OUTPUT: u8 = b'O';
const PARENT_ENDED: u8 = b'P';

impl EventNotifier {
    pub(crate) fn notify(&self, event: ShutdownEvent) {
        let byte = match event {
            ShutdownEvent::EndOfInput => END_OF_INPUT,
            ShutdownEvent::EndOfOutput => END_OF_OUTPUT,
            // The byte that a signal handler writes.
            ShutdownEvent::Signal => b'X',
            ShutdownEvent::ParentEnded => PARENT_ENDED,
        };
        // A full pipe already wakes the reader.
        let _ = rustix::io::write(&*self.0, &[byte]);
    }
}

impl ShutdownEvents {
    /// Returns true if the client has closed its end, even if unread input remains.
    pub(crate) fn input_has_hung_up(&self) -> bool {
        !self.input_is_open
    }

    /// Returns true if there is no unread input.
    pub(crate) fn input_is_empty(&self) -> bool {
        rustix::io::ioctl_fionread(&self.input.0).is_ok_and(|count| count == 0)
    }

    /// Returns the next event, or `None` after `limit` or an earlier wake-up.
    pub(crate) fn next(&mut self, limit: Duration) -> Option<ShutdownEvent> {
        let limit = if self.parent.is_some() { limit.min(PARENT_INTERVAL) } else { limit };
        let unpumped = prints::unpumped();
        // An unwatched descriptor is replaced by a watched one without flags.
        let nothing = || PollFd::from_borrowed_fd(self.pipe.as_fd(), PollFlags::empty());
        let mut descriptors = [
            PollFd::from_borrowed_fd(self.pipe.as_fd(), PollFlags::IN),
            if self.input_is_open { PollFd::from_borrowed_fd(self.input.0.as_fd(), CLOSE_EVENTS) } else { nothing() },
            unpumped.map_or_else(nothing, |prints| PollFd::from_borrowed_fd(prints, PollFlags::IN)),
        ];
        let _ = poll(&mut descriptors, Some(&timeout(limit)));
        let [told, hung_up, printed] = descriptors.map(|descriptor| !descriptor.revents().is_empty());
        self.input_is_open &= !hung_up;
        if printed {
            prints::pump();
        }
        if told {
            let mut byte = [0];
            return match rustix::io::read(&self.pipe, &mut byte) {
                Ok(1) if byte[0] == END_OF_INPUT => Some(ShutdownEvent::EndOfInput),
                Ok(1) if byte[0] == END_OF_OUTPUT => Some(ShutdownEvent::EndOfOutput),
                Ok(1) if byte[0] == PARENT_ENDED => Some(ShutdownEvent::ParentEnded),
                Ok(1) => Some(ShutdownEvent::Signal),
                _ => None,
            };
        }
        let orphaned = self.parent.is_some() && rustix::process::getppid() != self.parent;
        if orphaned {
            self.parent = None;
        }
        orphaned.then_some(ShutdownEvent::ParentEnded)
    }
}
