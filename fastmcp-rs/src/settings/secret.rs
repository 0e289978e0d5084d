//! Reads sealing keys, directly or from files.
//!
//! No message contains a key. Kubernetes, Docker and systemd provide secrets as files, which neither child processes
//! nor crash reports inherit, so each secret has a second name that ends with `_file`.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::value::Mistake;
use crate::sealing::SealingKey;

/// The maximum size of a file of keys, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// Parses keys.
pub(super) fn parse_keys<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<SealingKey>, Mistake> {
    let mut keys = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        let key = SealingKey::from_base64(text).map_err(|error| {
            let problem = error.problems().first().map_or("it cannot be read", |problem| problem.text());
            Mistake::new(
                format!("key {} cannot be used: {problem}", index + 1),
                "create one with `openssl rand -base64 32`",
            )
        })?;
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(Mistake::new("there is no key", "create one with `openssl rand -base64 32`"));
    }
    Ok(keys)
}

/// Reads a file of keys, which has one key per line, or several that are separated by commas. Blank lines are ignored.
/// Returns the keys, and a warning if every user of the machine can read the file.
pub(super) fn read_keys(path: &Path) -> Result<(Vec<SealingKey>, Option<String>), Mistake> {
    // The path of a file that does not exist may be a key that was written in the wrong place, so it is not shown.
    if std::fs::metadata(path).is_err_and(|error| error.kind() != ErrorKind::PermissionDenied) {
        return Err(Mistake::new("there is no such file", "write the path of a file that has the keys, and not a key"));
    }
    let (text, is_exposed) = read_file(path, MAX_FILE)?;
    let warning = is_exposed.then(|| exposure(path));
    let lines = text.split(['\n', ',']).map(str::trim).filter(|line| !line.is_empty());
    Ok((parse_keys(lines)?, warning))
}

/// Reads a regular file of limited size, and returns whether every user of the machine can read it.
pub(super) fn read_file(path: &Path, limit: u64) -> Result<(String, bool), Mistake> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::InvalidData => Mistake::new(format!("`{shown}` is not UTF-8"), "write the file in UTF-8"),
        _ => Mistake::new(
            format!("`{shown}` cannot be read: {error}"),
            "name a file that exists and that the user of this process may read",
        ),
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    // Opening a pipe would wait for its other end.
    if !metadata.is_file() {
        return Err(Mistake::new(format!("`{shown}` is not a regular file"), "name a regular file"));
    }
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(limit + 1).read_to_string(&mut text)).map_err(unreadable)?;
    if text.len() as u64 > limit {
        return Err(Mistake::new(format!("`{shown}` is longer than {limit} bytes"), "name another file"));
    }
    // Some editors on Windows write a byte order mark.
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok((text, is_readable_by_all(&metadata)))
}

/// The warning about a file with secrets that every user of the machine can read.
pub(super) fn exposure(path: &Path) -> String {
    format!("every user of this machine can read the keys in `{}`: run `chmod 600` on it", path.display())
}

#[cfg(unix)]
fn is_readable_by_all(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
fn is_readable_by_all(_: &std::fs::Metadata) -> bool {
    false
}
