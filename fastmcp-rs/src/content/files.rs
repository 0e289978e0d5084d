//! Content blocks from files.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io, path};

/// File extensions and their MIME types, limited to types that clients know.
const TYPES: [(&str, &str); 31] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("svg", "image/svg+xml"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("flac", "audio/flac"),
    ("m4a", "audio/mp4"),
    ("aac", "audio/aac"),
    ("weba", "audio/webm"),
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("xml", "application/xml"),
    ("json", "application/json"),
    ("toml", "application/toml"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
];

/// Returns the MIME type for a file's extension, or `None` if it is unknown.
pub(crate) fn guess_mime_type(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension)).map(|(_, mime_type)| *mime_type)
}

/// Reads a file; an error names the file.
pub(super) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display())))
}

/// Reads a file whose MIME type belongs to a family, such as `image`.
pub(super) fn read_media(path: &Path, family: &str) -> io::Result<(Vec<u8>, &'static str)> {
    let fits = |mime_type: &&str| mime_type.strip_prefix(family).is_some_and(|rest| rest.starts_with('/'));
    let Some(mime_type) = guess_mime_type(path).filter(fits) else {
        let problem = format!(
            "the extension of `{}` is not that of a known {family} type: read the file, and pass its MIME type",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    };
    Ok((read_file(path)?, mime_type))
}

/// Returns the `file:` URI of a path.
pub(super) fn to_file_uri(path: &Path) -> io::Result<String> {
    let path = path::absolute(path)?;
    let separators = path.to_string_lossy();
    let path = if cfg!(windows) { separators.replace('\\', "/") } else { separators.into_owned() };
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "file:///" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => uri.push(byte.into()),
            // Writing to a string cannot fail.
            other => _ = write!(uri, "%{other:02X}"),
        }
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_file_uri() {
        assert_eq!(to_file_uri(Path::new("/srv/a b/ü#?.txt")).unwrap(), "file:///srv/a%20b/%C3%BC%23%3F.txt");
        assert!(to_file_uri(Path::new("x.txt")).unwrap().ends_with("/x.txt"));
    }

    #[test]
    fn file_extensions_have_mime_types() {
        assert_eq!(guess_mime_type(Path::new("a.PNG")), Some("image/png"));
        assert_eq!(guess_mime_type(Path::new("png")), None);
        let problem = read_media(Path::new("a.mp3"), "image").unwrap_err();
        assert_eq!(problem.kind(), io::ErrorKind::InvalidInput);
        assert!(
            problem.to_string().contains("the extension of `a.mp3` is not that of a known image type"),
            "{problem}"
        );
        let missing = read_media(Path::new("/nowhere/a.png"), "image").unwrap_err();
        assert!(missing.kind() == io::ErrorKind::NotFound && missing.to_string().starts_with("`/nowhere/a.png`: "));
    }
}
