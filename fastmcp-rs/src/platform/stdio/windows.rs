//! The standard streams, console events and the parent process on Windows.
//!
//! This is the only file with `unsafe` code: standard handles, and the C runtime's descriptors beside them, cannot be
//! replaced without it.
#![allow(unsafe_code)]

mod prints;

use std::ffi::c_int;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, IntoRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

pub(crate) use prints::flush_prints;
use windows_sys::Wdk::System::Threading::{NtQueryInformationProcess, ProcessBasicInformation};
use windows_sys::Win32::Foundation::{
    CompareObjectHandles, ERROR_BROKEN_PIPE, ERROR_PIPE_NOT_CONNECTED, FILETIME, HANDLE_FLAG_INHERIT,
    SetHandleInformation, WAIT_OBJECT_0,
};
use windows_sys::Win32::Globalization::CP_UTF8;
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_TYPE_CHAR, FILE_TYPE_DISK, GetFileInformationByHandle, GetFileType,
};
use windows_sys::Win32::System::Console::{
    GetStdHandle, STD_ERROR_HANDLE, STD_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetConsoleCP, SetConsoleOutputCP,
    SetStdHandle,
};
use windows_sys::Win32::System::Pipes::{CreatePipe, PeekNamedPipe};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetProcessTimes, OpenProcess, PROCESS_BASIC_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

use super::{ProtocolStreams, ShutdownEvent, WRITE_SIZE, claim_once};
use crate::platform::console::ConsoleEvents;
use crate::platform::stdio::policy::StdoutPolicy;
use crate::util::operator_log;
use crate::util::sync::Mutex;

/// The private handle that requests are read from.
pub(crate) struct ProtocolInput {
    stream: File,
    /// Held during a read: until that ends, every other operation on a synchronous handle waits.
    reading: Mutex<()>,
}

/// The private handle that responses are written to.
pub(crate) struct ProtocolOutput(File);

/// Keeps log lines off standard error where that is the protocol's stream too (`2>&1`).
pub(crate) fn mute_shared_stderr() {
    if is_same_file(io::stdout().as_handle(), io::stderr().as_handle()) {
        operator_log::mute();
    }
}

/// Takes standard input and output for the protocol.
pub(crate) fn claim(policy: StdoutPolicy) -> io::Result<ProtocolStreams> {
    claim_once()?;
    // The copies are not inherited by child processes. A `File` passes bytes on as they are, without `\r`.
    let input = File::from(io::stdin().as_handle().try_clone_to_owned()?);
    let output = File::from(io::stdout().as_handle().try_clone_to_owned()?);
    use_utf8(&input, &output);
    if policy != StdoutPolicy::Inherit {
        replace(StandardStream::INPUT, nul()?)?;
        // The lock keeps half a line from being printed while the handle changes.
        let mut lock = io::stdout().lock();
        let shared = is_same_file(io::stdout().as_handle(), io::stderr().as_handle());
        if shared {
            operator_log::mute();
        }
        let printed = match policy {
            StdoutPolicy::Stderr | StdoutPolicy::Log if !shared => prints::open(policy)?,
            _ => nul()?,
        };
        replace(StandardStream::OUTPUT, printed)?;
        if shared {
            replace(StandardStream::ERROR, nul()?)?;
        }
        // Text that was printed before, and is still in the buffer, goes there too.
        let _ = lock.flush();
    }
    Ok(ProtocolStreams {
        input: ProtocolInput { stream: input, reading: Mutex::new(()) },
        output: ProtocolOutput(output),
    })
}

fn nul() -> io::Result<OwnedHandle> {
    Ok(OpenOptions::new().read(true).write(true).open("NUL")?.into())
}

/// Switches a console to UTF-8, for manual tests of the server. Pipes and files have no code page.
fn use_utf8(input: &File, output: &File) {
    if input.is_terminal() {
        // SAFETY: the function takes a number and touches no memory of this process.
        unsafe { SetConsoleCP(CP_UTF8) };
    }
    if output.is_terminal() {
        // SAFETY: as above.
        unsafe { SetConsoleOutputCP(CP_UTF8) };
    }
}

/// A standard stream by its two names: that of Windows, and that of the C runtime.
struct StandardStream {
    handle: STD_HANDLE,
    descriptor: c_int,
}

impl StandardStream {
    const INPUT: Self = Self { handle: STD_INPUT_HANDLE, descriptor: 0 };
    const OUTPUT: Self = Self { handle: STD_OUTPUT_HANDLE, descriptor: 1 };
    const ERROR: Self = Self { handle: STD_ERROR_HANDLE, descriptor: 2 };
}

// The C runtime that this program is linked with.
unsafe extern "C" {
    fn _open_osfhandle(handle: isize, flags: c_int) -> c_int;
    fn _get_osfhandle(descriptor: c_int) -> isize;
    fn _dup2(from: c_int, to: c_int) -> c_int;
    fn _close(descriptor: c_int) -> c_int;
}

/// The mode in which the C runtime opens standard descriptors.
const O_TEXT: c_int = 0x4000;

/// Makes `by` the standard stream of Rust code, C libraries and child processes.
fn replace(stream: StandardStream, by: OwnedHandle) -> io::Result<()> {
    // SAFETY: the function takes a number. The handle that it returns may be missing or closed; see below.
    let old = unsafe { GetStdHandle(stream.handle) };
    // Children would inherit it even after it was replaced. The C runtime closes it below, if it knows the handle.
    // SAFETY: the function accepts any value, and fails for a value that is not a handle.
    unsafe { SetHandleInformation(old, HANDLE_FLAG_INHERIT, 0) };
    let by = by.into_raw_handle();
    // SAFETY: `by` is open and owned by nothing else. The runtime takes it over; if that fails, it is taken back.
    let descriptor = unsafe { _open_osfhandle(by as isize, O_TEXT) };
    if descriptor == -1 {
        // SAFETY: `by` comes from `into_raw_handle`, and has found no other owner.
        drop(unsafe { OwnedHandle::from_raw_handle(by) });
        return Err(io::Error::other("the C runtime has no free descriptor"));
    }
    // SAFETY: `descriptor` is open. The other one is open or not, and is replaced either way, by an inheritable
    // duplicate of the handle.
    let replaced = unsafe { _dup2(descriptor, stream.descriptor) };
    // SAFETY: `descriptor` is open, and is not used again.
    unsafe { _close(descriptor) };
    if replaced == -1 {
        return Err(io::Error::other("the C runtime cannot replace a standard descriptor"));
    }
    // SAFETY: the descriptor is open. Its handle stays the runtime's, and lives as long as the descriptor.
    let new = unsafe { _get_osfhandle(stream.descriptor) };
    // SAFETY: `new` is open, and stays so for as long as standard handles are expected to.
    if unsafe { SetStdHandle(stream.handle, new as _) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Returns true if two handles refer to the same pipe or file. Consoles and `NUL` may be opened twice without being one
/// stream.
fn is_same_file(one: BorrowedHandle<'_>, other: BorrowedHandle<'_>) -> bool {
    let [one, other] = [one, other].map(|handle| handle.as_raw_handle());
    // SAFETY: both handles are open or null, as they are borrowed from standard streams; each function only inspects
    // the object, and fails for null.
    unsafe {
        match (GetFileType(one), GetFileType(other)) {
            (FILE_TYPE_CHAR, _) | (_, FILE_TYPE_CHAR) => false,
            (FILE_TYPE_DISK, FILE_TYPE_DISK) => match (file_id(one), file_id(other)) {
                (Some(one), Some(other)) => one == other,
                _ => false,
            },
            _ => CompareObjectHandles(one, other) != 0,
        }
    }
}

/// The volume and the number of a file on it.
///
/// # Safety
///
/// The handle is open.
unsafe fn file_id(file: windows_sys::Win32::Foundation::HANDLE) -> Option<(u32, u32, u32)> {
    let mut about = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, as the caller promises, and `about` is valid for writes.
    let found = unsafe { GetFileInformationByHandle(file, &mut about) } != 0;
    found.then_some((about.dwVolumeSerialNumber, about.nFileIndexHigh, about.nFileIndexLow))
}

/// Makes a pipe that child processes do not inherit.
fn pipe() -> io::Result<(OwnedHandle, OwnedHandle)> {
    let (mut reader, mut writer) = (null_mut(), null_mut());
    // SAFETY: the two handles are written to places for them. Without security attributes they are not inherited.
    if unsafe { CreatePipe(&mut reader, &mut writer, std::ptr::null(), 0) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so both handles are open, and nothing else owns them.
    Ok(unsafe { (OwnedHandle::from_raw_handle(reader), OwnedHandle::from_raw_handle(writer)) })
}

impl ProtocolInput {
    /// Waits for input or its end, at most for `limit`. Returns whether there is any.
    ///
    /// Only a pipe can be inspected. Any other stream counts as ready.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.peek().is_ok_and(|count| count == 0) {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        true
    }

    /// Reads the available bytes, and waits if there are none. 0 is the end.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let _reading = self.reading.lock();
        loop {
            match (&self.stream).read(buffer) {
                // A client may write zero bytes to a pipe, which a read returns; only the end of a pipe is an error.
                Ok(0) if self.peek().is_ok() => {}
                Err(error) if is_hang_up(&error) => return Ok(0),
                read => return read,
            }
        }
    }

    /// Inspects a pipe unless a read is in progress, because the read would have to end first.
    fn peek_unless_reading(&self) -> Option<io::Result<u32>> {
        let _reading = self.reading.try_lock()?;
        Some(self.peek())
    }

    /// Returns the number of bytes that a pipe has for the next read. Fails for any other kind of stream, and at the
    /// end.
    fn peek(&self) -> io::Result<u32> {
        let (pipe, mut count) = (self.stream.as_raw_handle(), 0);
        // SAFETY: the handle is open while `self` lives. `count` is valid for writes; null for the other outputs
        // requests nothing.
        match unsafe { PeekNamedPipe(pipe, null_mut(), 0, null_mut(), &mut count, null_mut()) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(count),
        }
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    let code = error.raw_os_error().and_then(|code| u32::try_from(code).ok());
    matches!(code, Some(ERROR_BROKEN_PIPE | ERROR_PIPE_NOT_CONNECTED))
}

impl ProtocolOutput {
    /// Writes everything; `record_progress` is called after each part except the last.
    pub(crate) fn write_all(&self, bytes: &[u8], record_progress: impl Fn()) -> io::Result<()> {
        let mut pieces = bytes.chunks(WRITE_SIZE).peekable();
        while let Some(piece) = pieces.next() {
            (&self.0).write_all(piece)?;
            if pieces.peek().is_some() {
                record_progress();
            }
        }
        Ok(())
    }
}

/// Sends events.
#[derive(Clone)]
pub(crate) struct EventNotifier(Sender<ShutdownEvent>);

/// Waits for events, without the server's runtime: a server must end even if that is held up.
pub(crate) struct ShutdownEvents {
    events: Receiver<ShutdownEvent>,
    input: Arc<ProtocolInput>,
    input_is_open: bool,
    parent: Option<OwnedHandle>,
}

/// The interval between checks of a pipe for input.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The interval between checks of the parent, and of the input while the reader does not read.
const PARENT_INTERVAL: Duration = Duration::from_secs(2);

pub(crate) fn events(watch_parent: bool, input: Arc<ProtocolInput>) -> io::Result<(ShutdownEvents, EventNotifier)> {
    let (sender, events) = channel();
    let notifier = EventNotifier(sender);
    let mut console = ConsoleEvents::new()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let to_stop = notifier.clone();
    std::thread::Builder::new().name("mcp-console".into()).spawn(move || {
        runtime.block_on(async {
            loop {
                console.next().await;
                to_stop.notify(ShutdownEvent::Signal);
            }
        })
    })?;
    let parent = if watch_parent { parent() } else { None };
    Ok((ShutdownEvents { events, input, input_is_open: true, parent }, notifier))
}

impl EventNotifier {
    pub(crate) fn notify(&self, event: ShutdownEvent) {
        // The receiver is gone only when the server has ended.
        let _ = self.0.send(event);
    }
}

impl ShutdownEvents {
    /// Returns true if the client has closed its end, even if unread input remains.
    pub(crate) fn input_has_hung_up(&self) -> bool {
        !self.input_is_open
    }

    /// Returns true if there is no unread input.
    pub(crate) fn input_is_empty(&self) -> bool {
        matches!(self.input.peek_unless_reading(), Some(Ok(0)))
    }

    /// Returns the next event, or `None` after `limit` or an earlier wake-up.
    pub(crate) fn next(&mut self, limit: Duration) -> Option<ShutdownEvent> {
        if let Ok(event) = self.events.recv_timeout(limit.min(PARENT_INTERVAL)) {
            return Some(event);
        }
        let looked = self.input.peek_unless_reading();
        self.input_is_open &= !matches!(looked, Some(Err(error)) if is_hang_up(&error));
        let orphaned = self.parent.as_ref().is_some_and(|parent| has_ended(parent.as_handle()));
        if orphaned {
            self.parent = None;
        }
        orphaned.then_some(ShutdownEvent::ParentEnded)
    }
}

/// Returns the process that has started this one, if it still runs.
fn parent() -> Option<OwnedHandle> {
    let mut about = PROCESS_BASIC_INFORMATION::default();
    let size = u32::try_from(size_of_val(&about)).ok()?;
    // SAFETY: the handle is that of this process, which needs no closing, and `about` is valid for writes of the size
    // that is passed.
    let status = unsafe {
        let about = (&raw mut about).cast();
        NtQueryInformationProcess(GetCurrentProcess(), ProcessBasicInformation, about, size, null_mut())
    };
    let id = u32::try_from(about.InheritedFromUniqueProcessId).ok().filter(|id| status >= 0 && *id != 0)?;
    // SAFETY: the function takes numbers, and touches no memory of this process.
    let parent = unsafe { OpenProcess(PROCESS_SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, 0, id) };
    if parent.is_null() {
        return None;
    }
    // SAFETY: the call has succeeded, so the handle is open, and nothing else owns it.
    let parent = unsafe { OwnedHandle::from_raw_handle(parent) };
    // SAFETY: the handle is that of this process, which always exists.
    let this = unsafe { BorrowedHandle::borrow_raw(GetCurrentProcess()) };
    // The id of an ended process is reused for others, which are younger than its children.
    let is_older = creation_time(parent.as_handle())? <= creation_time(this)?;
    is_older.then_some(parent)
}

fn creation_time(process: BorrowedHandle<'_>) -> Option<u64> {
    let [mut creation, mut exit, mut kernel, mut user] = [FILETIME::default(); 4];
    // SAFETY: the handle is open, as it is borrowed, and each time has its own place to be written to.
    let known =
        unsafe { GetProcessTimes(process.as_raw_handle(), &mut creation, &mut exit, &mut kernel, &mut user) } != 0;
    known.then(|| u64::from(creation.dwHighDateTime) << 32 | u64::from(creation.dwLowDateTime))
}

fn has_ended(process: BorrowedHandle<'_>) -> bool {
    // SAFETY: the handle is open, as it is borrowed; the function does not wait with a limit of 0.
    unsafe { WaitForSingleObject(process.as_raw_handle(), 0) == WAIT_OBJECT_0 }
}
