//! Unix sockets: the permissions of the socket file decide which processes may connect.
//!
//! A killed server leaves its socket file behind, which blocks further binds to the path. So such a file is replaced,
//! but only if it is a socket without a listener. The server removes its own file when it stops listening, unless the
//! path names another file by then.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use tokio::net::{UnixListener, UnixSocket, UnixStream};

use super::listener::{IoStream, Listener};

/// The maximum number of connections that wait to be accepted.
const ACCEPT_QUEUE: u32 = 1024;

impl Listener for UnixListener {
    /// The stream is boxed, so that one copy of the code serves everything that is not plain TCP.
    type Stream = Box<dyn IoStream>;

    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, Option<SocketAddr>)>> {
        self.poll_accept(task).map_ok(|(stream, _)| (Box::new(stream) as Self::Stream, None))
    }
}

/// A listening socket; dropping it removes its file.
#[derive(Debug)]
pub(crate) struct BoundSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The device and inode of the file: another server may have put its own file there.
    file: (u64, u64),
}

impl Listener for BoundSocket {
    type Stream = Box<dyn IoStream>;

    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, Option<SocketAddr>)>> {
        Listener::poll_accept(&self.listener, task)
    }
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| file_identity(&found) == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn file_identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Listens at `path`. `mode` is the mode of the socket file; a process needs write permission to connect.
pub(crate) async fn bind(path: &Path, mode: u32) -> io::Result<BoundSocket> {
    let listener = match bind_listener(path, mode) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            remove_stale(path).await?;
            bind_listener(path, mode)?
        }
        listener => listener?,
    };
    let file = file_identity(&fs::symlink_metadata(path)?);
    let bound = BoundSocket { listener, path: path.to_owned(), file };
    // The umask does not apply: all bits of `mode` are set.
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok(bound)
}

fn bind_listener(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let socket = UnixSocket::new_stream()?;
    // On Linux the file has the mode of the socket from the beginning, so no other process can connect before the mode
    // is set. On other systems this call fails, and the mode is set afterwards.
    let _ = File::from(socket.as_fd().try_clone_to_owned()?).set_permissions(Permissions::from_mode(mode));
    socket.bind(path)?;
    socket.listen(ACCEPT_QUEUE)
}

/// Removes the socket file of a server that no longer runs.
async fn remove_stale(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        let message = "the path exists and is not a socket: choose another path, or remove it";
        return Err(io::Error::new(ErrorKind::AlreadyExists, message));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        // A server with a full accept queue is running as well.
        Ok(_) => Err(address_in_use()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(address_in_use()),
        Err(error) => {
            Err(io::Error::new(error.kind(), format!("cannot determine whether a server listens on it: {error}")))
        }
    }
}

fn address_in_use() -> io::Error {
    io::Error::new(ErrorKind::AddrInUse, "another server listens on it")
}

/// Returns the path of a socket that was passed to the server, for display.
pub(crate) fn socket_name(listener: &UnixListener) -> String {
    let address = listener.local_addr();
    match address.as_ref().ok().and_then(|address| address.as_pathname()) {
        Some(path) => path.display().to_string(),
        None => "a socket without a path".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    /// A directory that is removed when the test ends.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Directory {
            let path = std::env::temp_dir().join(format!("fastmcp-unix-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Directory(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test]
    async fn only_the_socket_of_a_dead_server_is_replaced() {
        let directory = Directory::new("stale");
        let path = directory.0.join("socket");
        let first = bind(&path, 0o600).await.unwrap();
        assert_eq!(mode_of(&path), 0o600);
        let error = bind(&path, 0o600).await.unwrap_err();
        assert!(error.to_string().contains("another server listens"), "{error}");
        assert!(UnixStream::connect(&path).await.is_ok(), "the first one still listens");
        drop(first);
        assert!(!path.exists());
        // A killed server: its file exists without a listener.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let second = bind(&path, 0o666).await.unwrap();
        assert_eq!(mode_of(&path), 0o666, "whatever the umask is");
        // Another process has taken the path, so the server must not remove the file.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        drop(second);
        let error = bind(&path, 0o600).await.unwrap_err();
        assert!(error.to_string().contains("is not a socket"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        let link = directory.0.join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(bind(&link, 0o600).await.is_err());
        assert!(link.exists() && path.exists());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_socket_accepts_no_connection_before_its_mode_is_set() {
        let directory = Directory::new("mode");
        let path = directory.0.join("socket");
        let _listener = bind_listener(&path, 0o600).unwrap();
        assert_eq!(mode_of(&path), 0o600);
    }
}
