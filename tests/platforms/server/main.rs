//! A server whose tools depend on the operating system: they print, start children and panic.
//!
//! It is built for each supported platform, and for this machine as an example of the workspace's package.

use std::ffi::{CStr, c_char, c_int};
use std::io::{Read, Write};
use std::process::{Command, Stdio, exit};
use std::time::Duration;

use fastmcp_rs::prelude::*;
use fastmcp_rs::stdio::StdoutPolicy;

/// Returns the text that it is given.
#[mcp::tool]
async fn echo(text: String) -> String {
    text
}

/// Adds two whole numbers, on a thread for blocking work.
#[mcp::tool]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Prints a line.
#[mcp::tool]
fn print(text: String) -> &'static str {
    println!("{text}");
    "printed"
}

/// Prints without the end of a line, and leaves the text in the buffer.
#[mcp::tool]
fn print_half(text: String) -> &'static str {
    print!("{text}");
    "printed"
}

unsafe extern "C" {
    fn puts(text: *const c_char) -> c_int;
    fn fflush(stream: *mut std::ffi::c_void) -> c_int;
}

/// Prints a line as a C library does.
#[mcp::tool]
fn print_in_c() -> &'static str {
    const TEXT: &CStr = c"printed in C";
    // SAFETY: the text ends with a zero byte, and null stands for all streams.
    unsafe {
        puts(TEXT.as_ptr());
        fflush(std::ptr::null_mut());
    }
    "printed"
}

/// Starts a child that prints.
#[mcp::tool]
fn print_in_child() -> std::io::Result<String> {
    let status = this_program("--print")?.status()?;
    Ok(format!("the child ended with {:?}", status.code()))
}

/// Starts a child that reads standard input, and returns how many bytes it got.
#[mcp::tool]
fn read_in_child() -> std::io::Result<String> {
    let status = this_program("--read")?.status()?;
    Ok(format!("the child read {:?} bytes", status.code()))
}

/// Panics.
#[mcp::tool]
async fn fail() -> String {
    panic!("this tool always panics")
}

/// Blocks the thread that polls it.
#[mcp::tool]
async fn block(ms: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(ms));
    ms
}

/// Returns the arguments of this program.
#[mcp::tool]
fn arguments() -> Vec<String> {
    std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// Returns the path of this program.
#[mcp::tool]
fn path() -> std::io::Result<String> {
    Ok(std::env::current_exe()?.to_string_lossy().into_owned())
}

/// Asks this process to stop as a person would: by a key, or by closing the terminal.
#[mcp::tool]
fn stop(by: String) -> std::io::Result<&'static str> {
    raise(&by)?;
    Ok("asked")
}

#[cfg(unix)]
fn raise(by: &str) -> std::io::Result<()> {
    let signal = match by {
        "ctrl-c" => "-INT",
        "close" => "-HUP",
        _ => "-TERM",
    };
    let status = Command::new("kill").args([signal, &std::process::id().to_string()]).status()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other("the signal cannot be sent")) }
}

/// Windows delivers a console event by starting a thread with this function in each process of the console. No other
/// program can be asked to deliver one where there is no console, as in tests.
#[cfg(windows)]
fn raise(by: &str) -> std::io::Result<()> {
    use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT};
    use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleA, GetProcAddress};

    let event = match by {
        "ctrl-c" => CTRL_C_EVENT,
        "close" => CTRL_CLOSE_EVENT,
        _ => CTRL_BREAK_EVENT,
    };
    // SAFETY: both names end with a zero byte, and the library is never unloaded.
    let routine =
        unsafe { GetProcAddress(GetModuleHandleA(c"kernel32.dll".as_ptr().cast()), c"CtrlRoutine".as_ptr().cast()) };
    let routine = routine.ok_or_else(std::io::Error::last_os_error)?;
    type Routine = unsafe extern "system" fn(usize) -> u32;
    // SAFETY: the function is one that a thread can be started with: it takes a word, here the event.
    let routine = unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Routine>(routine) };
    // SAFETY: as above.
    std::thread::spawn(move || unsafe { routine(event as usize) });
    Ok(())
}

/// Prepares to start this program in another role.
fn this_program(role: &str) -> std::io::Result<Command> {
    let program = std::env::current_exe()?;
    // An emulator of another processor does not start programs for it by itself.
    let runner = std::env::var("PLATFORM_RUNNER").ok().filter(|_| cfg!(unix));
    let mut words = runner.iter().flat_map(|runner| runner.split_whitespace());
    let mut command = match words.next() {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.args(words).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.arg(role);
    Ok(command)
}

/// Starts a server with the streams of this process, and ends before it does.
fn abandon_server() -> std::io::Result<()> {
    #[allow(clippy::zombie_processes)]
    this_program("--serve")?.spawn()?;
    std::thread::sleep(Duration::from_secs(1));
    Ok(())
}

/// Starts a server whose standard error is its standard output too, and waits for its end.
fn merge_streams() -> std::io::Result<()> {
    #[cfg(unix)]
    let output = std::os::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned()?;
    #[cfg(windows)]
    let output = std::os::windows::io::AsHandle::as_handle(&std::io::stdout()).try_clone_to_owned()?;
    let status = this_program("--serve")?.stderr(output).status()?;
    exit(status.code().unwrap_or(-1))
}

/// Starts a server behind pipes of this system, and forwards its input and output.
fn relay() -> std::io::Result<()> {
    let mut server = this_program("--serve")?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (input, output) = (server.stdin.take(), server.stdout.take());
    std::thread::spawn(move || input.map(|mut input| std::io::copy(&mut std::io::stdin(), &mut input)));
    if let Some(mut output) = output {
        let mut piece = [0; 4096];
        let mut stdout = std::io::stdout();
        while let count @ 1.. = output.read(&mut piece)? {
            stdout.write_all(&piece[..count])?;
            stdout.flush()?;
        }
    }
    exit(server.wait()?.code().unwrap_or(-1))
}

#[mcp::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut policy = StdoutPolicy::Stderr;
    match std::env::args_os().nth(1).and_then(|role| role.into_string().ok()).as_deref() {
        Some("--print") => {
            println!("printed by a child");
            return Ok(());
        }
        Some("--read") => {
            let mut read = Vec::new();
            std::io::stdin().read_to_end(&mut read)?;
            exit(read.len().min(100).try_into()?)
        }
        Some("--abandon") => return Ok(abandon_server()?),
        Some("--merged") => return Ok(merge_streams()?),
        Some("--relay") => return Ok(relay()?),
        Some("--log") => policy = StdoutPolicy::Log,
        Some("--discard") => policy = StdoutPolicy::Discard,
        _ => {}
    }
    // Half a line that is in the buffer when the server starts.
    print!("printed before the start");
    App::new("platform-server").stdout(policy).run_stdio().await?;
    println!("printed after the end");
    std::io::stdout().flush()?;
    Ok(())
}
