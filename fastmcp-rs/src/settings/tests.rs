use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A folder that is removed at the end of its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("fastmcp-rs-settings-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn variables(pairs: &[(&str, &str)]) -> Result<Settings, Error> {
    Settings::from_variables(pairs.iter().copied())
}

/// The problems of a file with this text, without its folder.
fn problems_of(folder: &Folder, text: &str) -> Vec<String> {
    let file = folder.write("settings.toml", text);
    let error = variables(&[(CONFIG, file.to_str().unwrap())]).expect_err(text);
    let prefix = format!("{}/", folder.0.display());
    error.problems().iter().map(|problem| problem.to_string().replace(&prefix, "")).collect()
}

fn load(file: &Path, pairs: &[(&str, &str)]) -> Result<Settings, Error> {
    let all = pairs.iter().copied().chain([(CONFIG, file.to_str().unwrap())]);
    Settings::from_variables(all)
}

#[test]
fn variables_take_precedence_over_the_file() {
    let folder = Folder::new("precedence");
    let file = folder.write("settings.toml", "page_size = 3\ntimeout = \"5s\"\n");
    let settings = load(&file, &[("FASTMCP_RS_PAGE_SIZE", "2"), ("FASTMCP_RS_TIMEOUT", "")]).unwrap();
    assert_eq!(format!("{settings:?}"), "{\"page_size\": 2, \"timeout\": 5s}", "an empty variable is not set");
}

#[test]
fn all_problems_of_variables_are_reported_at_once() {
    let error = variables(&[
        ("FASTMCP_RS_PAGE_SZE", "2"),
        ("FASTMCP_RS_TIMEOUT", "soon"),
        ("FASTMCP_RS_SHOW_ERRORS", "yes"),
        ("FASTMCP_RS_STDOUT", "stdrr"),
        ("FASTMCP_RS_COLOUR", "red"),
        ("FASTMCP_RS_CONFG", "x.toml"),
        ("FASTMCP_PAGE_SIZE", "of the Python framework"),
        ("PATH", "/bin"),
    ])
    .unwrap_err();
    assert!(error.is_configuration());
    let problems: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "`FASTMCP_RS_COLOUR`: there is no such setting: remove it; the reference page \"Settings\" lists all settings",
            "`FASTMCP_RS_CONFG`: there is no such setting: did you mean `FASTMCP_RS_CONFIG`?",
            "`FASTMCP_RS_PAGE_SZE`: there is no such setting: did you mean `FASTMCP_RS_PAGE_SIZE`?",
            "`FASTMCP_RS_SHOW_ERRORS`: `yes` is not a boolean: write `true` or `false`",
            "`FASTMCP_RS_STDOUT`: `stdrr` is not a value of this setting: did you mean `stderr`? write `stderr`, `log` or `discard`",
            "`FASTMCP_RS_TIMEOUT`: `soon` is not a duration: write a whole number and a unit, as in `500ms`, `30s`, `2m`, `1h` or `1m30s`",
        ]
    );
}

#[test]
fn a_problem_of_the_file_has_its_line_and_key() {
    let folder = Folder::new("lines");
    let problems = problems_of(
        &folder,
        "# Settings.\npage_size = \"ten\"\n\ntimeout = 30\npage_sise = 1\nshow_errors = 1\n[http]\nmax_body = 1\n",
    );
    assert_eq!(
        problems,
        [
            "`page_size` (settings.toml:2): `ten` is not an integer: write a whole number, without quotes",
            "`timeout` (settings.toml:4): `30` has no unit: write a whole number and a unit, as in `500ms`, `30s`, `2m`, `1h` or `1m30s`, in quotes",
            "`page_sise` (settings.toml:5): there is no such setting: did you mean `page_size`?",
            "`show_errors` (settings.toml:6): `1` is not a boolean: write `true` or `false`, without quotes",
            "`http` (settings.toml:7): there is no such setting: remove it; the reference page \"Settings\" lists all settings",
        ]
    );
}

#[test]
fn a_file_that_is_not_toml_is_reported_without_its_text() {
    let folder = Folder::new("syntax");
    let problems = problems_of(&folder, &format!("page_size = 1\nsealing_keys = [\"{KEY}\"\npage_size = = 2\n"));
    assert!(problems.iter().all(|problem| problem.starts_with("the settings file (settings.toml:")), "{problems:?}");
    assert!(!problems.is_empty() && !problems.concat().contains(&KEY[..8]), "{problems:?}");
    let twice = problems_of(&folder, "page_size = 1\npage_size = 2\n");
    assert!(twice.concat().contains("settings.toml:2") && twice.concat().contains("duplicate"), "{twice:?}");
}

#[test]
fn the_file_of_the_variable_must_exist_and_the_default_file_may_be_absent() {
    let folder = Folder::new("absent");
    let absent = folder.0.join("absent.toml");
    let error = variables(&[(CONFIG, absent.to_str().unwrap())]).unwrap_err().to_string();
    assert!(error.starts_with("`FASTMCP_RS_CONFIG`: `") && error.contains("absent.toml` cannot be read"), "{error}");
    let none = std::iter::empty::<(OsString, OsString)>();
    assert!(Settings::read(none.clone(), Some(&absent)).unwrap().given.is_empty());
    let present = folder.write("present.toml", "page_size = 7");
    assert_eq!(format!("{:?}", Settings::read(none, Some(&present)).unwrap()), "{\"page_size\": 7}");
    let error = variables(&[(CONFIG, folder.0.to_str().unwrap())]).unwrap_err().to_string();
    assert!(error.contains("is not a regular file"), "{error}");
}

#[test]
fn keys_are_read_from_files_and_never_shown() {
    let folder = Folder::new("keys");
    let other = KEY.replace('A', "B");
    let path = folder.write("keys", &format!("{KEY}\n{other}\n"));
    let settings = variables(&[("FASTMCP_RS_SEALING_KEYS_FILE", path.to_str().unwrap())]).unwrap();
    assert_eq!(format!("{settings:?}"), "{\"sealing_keys\": ***}");
    let Some(setting::Value::Keys(keys)) = settings.given.first().map(|given| &given.value) else { panic!("no keys") };
    assert_eq!(keys.len(), 2);
    // A path in a file is relative to the file.
    let file = folder.write("settings.toml", "sealing_keys_file = \"keys\"\n");
    assert_eq!(format!("{:?}", load(&file, &[]).unwrap()), "{\"sealing_keys\": ***}");
    // The variable precedes the file, in whichever form the two are.
    assert!(load(&file, &[("FASTMCP_RS_SEALING_KEYS", KEY)]).is_ok());
    let both = [("FASTMCP_RS_SEALING_KEYS", KEY), ("FASTMCP_RS_SEALING_KEYS_FILE", path.to_str().unwrap())];
    let error = variables(&both).unwrap_err().to_string();
    assert!(error.contains("both it and the other form of `sealing_keys` are set"), "{error}");
    for bad in ["swordfish-swordfish", "c3dvcmRmaXNo"] {
        let error = variables(&[("FASTMCP_RS_SEALING_KEYS", bad)]).unwrap_err().to_string();
        assert!(!error.contains(bad) && error.starts_with("`FASTMCP_RS_SEALING_KEYS`: "), "{error}");
        let path = folder.write("bad", bad);
        let error = variables(&[("FASTMCP_RS_SEALING_KEYS_FILE", path.to_str().unwrap())]).unwrap_err().to_string();
        assert!(!error.contains("swordfish") && !error.contains("c3dv"), "{error}");
    }
    let error = variables(&[("FASTMCP_RS_SEALING_KEY", "x")]).unwrap_err().to_string();
    assert!(error.contains("did you mean `FASTMCP_RS_SEALING_KEYS`?"), "{error}");
    let error = variables(&[("FASTMCP_RS_PAGE_SIZE_FILE", "x")]).unwrap_err().to_string();
    assert!(error.contains("did you mean `FASTMCP_RS_PAGE_SIZE`?"), "{error}");
}

#[test]
fn a_secret_in_the_place_of_a_path_is_never_shown() {
    let folder = Folder::new("misplaced");
    let long = [KEY; 40].join(",");
    for key in [KEY, "swordfish", "/sword/fish", &long] {
        let file = folder.write("settings.toml", &format!("sealing_keys_file = \"{key}\"\n"));
        for result in [variables(&[("FASTMCP_RS_SEALING_KEYS_FILE", key)]), load(&file, &[])] {
            let error = result.unwrap_err().to_string();
            assert!(
                error.ends_with("there is no such file: write the path of a file that has the keys, and not a key")
            );
            assert!(!error.contains(key), "{error}");
        }
    }
    for key in
        ["-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\\nMIIEvQ"]
    {
        for name in ["FASTMCP_RS_TLS_KEY", "FASTMCP_RS_SEALING_KEYS_FILE"] {
            let Err(error) = variables(&[(name, key)]) else { continue };
            assert!(!error.to_string().contains("MIIE"), "{error}");
            #[cfg(feature = "tls")]
            assert!(error.to_string().ends_with("write the path of a file, and not its contents"), "{error}");
        }
    }
    let cuts = [
        "sealing_keys = [KEY]",
        "sealing_keys = KEY",
        "sealing_keys = 'KEY",
        "sealing_keys = \"\\qKEY\"",
        "sealing_keys KEY",
    ];
    for cut in cuts {
        let problems = problems_of(&folder, &cut.replace("KEY", KEY)).concat();
        assert!(!problems.contains(&KEY[..8]), "{problems}");
    }
}

#[test]
fn variables_of_a_service_beside_the_container_are_no_settings() {
    let of_kubernetes = [
        ("FASTMCP_RS_SERVICE_HOST", "10.0.0.1"),
        ("FASTMCP_RS_SERVICE_PORT", "8000"),
        ("FASTMCP_RS_SERVICE_PORT_HTTP", "8000"),
        ("FASTMCP_RS_PORT", "tcp://10.0.0.1:8000"),
        ("FASTMCP_RS_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ("FASTMCP_RS_PORT_8000_TCP_PROTO", "tcp"),
        ("FASTMCP_RS_PORT_8000_TCP_PORT", "8000"),
        ("FASTMCP_RS_PORT_8000_TCP_ADDR", "10.0.0.1"),
        ("FASTMCP_RS_ORDERS_SERVICE_HOST", "10.0.0.1"),
        ("FASTMCP_RS_ORDERS_PORT", "tcp://10.0.0.1:8000"),
        ("FASTMCP_RS_ORDERS_PORT_53_UDP_ADDR", "10.0.0.1"),
    ];
    assert!(variables(&of_kubernetes).unwrap().given.is_empty());
    for (name, value) in [("FASTMCP_RS_PORT", "8000"), ("FASTMCP_RS_HOST", "0.0.0.0"), ("FASTMCP_RS_ADDRESS", "x")] {
        let error = variables(&[(name, value)]).unwrap_err().to_string();
        assert!(error.contains("did you mean `FASTMCP_RS_BIND`?"), "{error}");
    }
}

#[test]
fn a_file_has_utf_8_with_or_without_a_byte_order_mark() {
    let folder = Folder::new("encoding");
    let keys = folder.write("keys", &format!("\u{feff}{KEY}\r\n"));
    let file = folder.write("settings.toml", "\u{feff}page_size = 7\r\ntimeout = \"5s\"\r\n");
    let settings = load(&file, &[("FASTMCP_RS_SEALING_KEYS_FILE", keys.to_str().unwrap())]).unwrap();
    assert_eq!(settings.given.len(), 3);
    fs::write(&keys, [0xff, 0xfe, b'A', 0]).unwrap();
    let error = variables(&[("FASTMCP_RS_SEALING_KEYS_FILE", keys.to_str().unwrap())]).unwrap_err().to_string();
    assert!(error.ends_with("keys` is not UTF-8: write the file in UTF-8"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_of_keys_that_all_users_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("permissions");
    let path = folder.write("keys", KEY);
    let file = folder.write("settings.toml", &format!("sealing_keys = [\"{KEY}\"]"));
    for (mode, count) in [(0o644, 1), (0o640, 0), (0o600, 0)] {
        for path in [&path, &file] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let by_path = variables(&[("FASTMCP_RS_SEALING_KEYS_FILE", path.to_str().unwrap())]).unwrap().warnings;
        let by_file = load(&file, &[]).unwrap().warnings;
        assert_eq!([by_path.len(), by_file.len()], [count; 2], "{mode:o}: {by_path:?} {by_file:?}");
    }
}

/// No input makes the reader panic, and every mistake names its variable and shows on one line.
#[test]
fn broken_values_are_refused_with_the_name_of_the_setting() {
    let broken = [
        "\u{0}",
        "\u{1b}[31m",
        "-1",
        "1e9",
        "1.5",
        "0x10",
        "NaN",
        "null",
        "\"1\"",
        "'true'",
        "[1]",
        "{}",
        "a b",
        "…",
        "9".repeat(400).leak(),
        "18446744073709551616",
        "99999999999999999999h",
        "1h99999999999999999999s",
        "99999999999 TiB",
        ",",
        "=",
        "::",
        "\u{202e}",
    ];
    for setting in SETTINGS {
        for value in broken {
            let result = Settings::from_variables([(setting.variable(), value)]);
            let Err(error) = result else { continue };
            let text = error.to_string();
            assert!(text.starts_with(&format!("`{}`: ", setting.variable())), "{text}");
            assert!(!text.contains(['\n', '\u{1b}', '\u{202e}']), "{text:?}");
            assert_eq!(error.problems().len(), 1, "{text}");
        }
    }
    let folder = Folder::new("broken");
    let values = [
        "1979-05-27",
        "1.0",
        "nan",
        "[]",
        "[[]]",
        "[1]",
        "{}",
        "\"\"",
        "\" \"",
        "0xffffffffffffffff",
        "-1",
        "[\"\"]",
        "9223372036854775808",
    ];
    for setting in SETTINGS {
        for value in values {
            let file = folder.write("settings.toml", &format!("{} = {value}\n", setting.name));
            let Err(error) = load(&file, &[]) else { continue };
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("`{}` (", setting.name)) && text.contains("settings.toml:1): "),
                "{text}"
            );
        }
    }
    // Every cut of a valid file either loads or has a problem.
    let whole = "page_size = 10 # entries\ntimeout = \"1m30s\"\nignore_arguments = [\"a\", \"b\"]\n";
    for end in 0..whole.len() {
        let file = folder.write("settings.toml", &whole[..end]);
        let _ = load(&file, &[]);
    }
    fs::write(folder.0.join("settings.toml"), b"page_size = \xff").unwrap();
    assert!(load(&folder.0.join("settings.toml"), &[]).is_err());
}

/// The reference page has the tables of the code, so it lists exactly the settings that exist.
#[test]
fn the_reference_page_has_the_tables_of_the_code() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/settings.md");
    let page = fs::read_to_string(page).unwrap();
    let tables = Settings::reference();
    assert!(page.contains(&tables), "docs/reference/settings.md needs these tables:\n{tables}");
    let rows = page.lines().filter(|line| line.contains("<br>`FASTMCP_RS_")).count();
    assert_eq!(rows, SETTINGS.len(), "the page has rows of settings that do not exist");
}

/// Tests of all settings, which exist with all features only.
#[cfg(all(
    feature = "http",
    feature = "stdio",
    feature = "tls",
    feature = "legacy-sse",
    feature = "logging",
    feature = "metrics"
))]
mod of_all_features {
    use super::*;

    /// A setting that is given with its documented default changes nothing.
    #[test]
    fn the_documented_defaults_are_those_of_the_code() {
        use crate::App;

        let configured = |pairs: &[(String, &str)]| {
            let settings = Settings::from_variables(pairs.iter().map(|(name, value)| (name, *value))).unwrap();
            // A test has no terminal and perhaps a container, on which the default of `watch_parent` depends.
            App::empty("x").watch_parent(true).configuration_with(settings)
        };
        let plain = configured(&[]);
        let mut literal = 0;
        for setting in SETTINGS {
            let Some(default) = setting.default.strip_prefix('`').and_then(|text| text.strip_suffix('`')) else {
                continue;
            };
            // The interval alone is an error: it needs a certificate.
            if default.contains('`') || setting.name == "tls_renewal_interval" {
                continue;
            }
            literal += 1;
            assert_eq!(configured(&[(setting.variable(), default)]), plain, "{}", setting.name);
        }
        assert!(literal > SETTINGS.len() / 2, "{literal}");
    }

    /// Each setting of an app, given as a variable, with a value that differs from its default.
    #[test]
    fn every_setting_accepts_a_value_and_can_be_fixed_by_code() {
        use std::time::Duration;

        use crate::http_server::Tls;
        use crate::stdio::StdoutPolicy;
        use crate::{App, HttpConfig};

        let value = |name: &str| match name {
            "transport" => "http",
            "bind" => "127.0.0.1:9",
            "path" | "legacy_sse" | "public_prefix" => "/other",
            "socket_mode" => "660",
            "allowed_hosts" => "mcp.example.com,mcp.example.com:8443",
            "allowed_origins" => "https://app.example.com",
            "trusted_proxies" => "10.0.0.0/8,unix",
            "sealing_keys" => KEY,
            "ignore_arguments" => "a,b",
            "stdout" => "log",
            "log_level" => "debug",
            "log_format" => "json",
            "tls_certificate" | "tls_key" => "/x.pem",
            "watch_parent" => "false",
            name if name.starts_with("max_") && name.contains(['b', 'y']) && name != "max_calls_per_principal" => {
                "131072"
            }
            name if name.ends_with("timeout") || name.ends_with("interval") || name.ends_with("ttl") => "1m30s",
            "session_lifetime" => "2h",
            name if name.starts_with("max_") || name == "page_size" || name == "replicas" => "70000",
            _ => "true",
        };
        let given: Vec<(String, &str)> =
            SETTINGS.iter().map(|setting| (setting.variable(), value(setting.name))).collect();
        let settings = Settings::from_variables(given).unwrap();
        assert_eq!(settings.given.len(), SETTINGS.len());
        let second = Duration::from_secs(1);
        let http = HttpConfig::new()
            .path("/x")
            .allowed_hosts(["x"])
            .allowed_origins(["https://x"])
            .allow_loopback_origins(false)
            .allow_unauthenticated_public(false)
            .trusted_proxies(["unix"])
            .replicas(1)
            .legacy_sse("/sse")
            .public_prefix("/y")
            .max_sessions(1)
            .max_sessions_per_principal(1)
            .session_idle_timeout(second)
            .session_lifetime(second)
            .max_body(1024)
            .max_bytes_in_flight(1)
            .max_bytes_in_flight_per_principal(1)
            .max_bytes_unread(1)
            .max_calls(1)
            .max_calls_per_principal(1)
            .max_streams(1)
            .max_streams_per_principal(1)
            .max_connections(1)
            .max_connections_per_address(1)
            .header_read_timeout(second)
            .body_read_timeout(second)
            .authenticate_timeout(second)
            .idle_timeout(second)
            .write_timeout(second)
            .keep_alive_interval(second)
            .metrics(false)
            .graceful_shutdown_timeout(second)
            .tls(Tls::from_pem_files("a", "b"));
        #[cfg(unix)]
        let http = http.socket_mode(0o600);
        let fixed = App::empty("x")
            .open_schemas(false)
            .wrapped_results(false)
            .describe_limits(false)
            .ignore_unknown_arguments(false)
            .timeout(second)
            .show_errors(false)
            .hide_server_info(false)
            .request_state_ttl(second)
            .max_request_state(2048)
            .sealing_keys([])
            .page_size(1)
            .stdout(StdoutPolicy::Discard)
            .max_line(2048)
            .watch_parent(true)
            .http(http);
        let warnings = fixed.warnings_of(settings.clone());
        for setting in SETTINGS {
            // A list of names grows, the address is an argument of the method that serves, and log lines have options.
            let is_elsewhere = ["ignore_arguments", "transport", "bind", LOG_LEVEL, LOG_FORMAT, LOG_REQUESTS];
            let warning = format!("`{}` has no effect", setting.variable());
            assert_eq!(
                warnings.iter().any(|line| line.starts_with(&warning)),
                !is_elsewhere.contains(&setting.name) && (cfg!(unix) || setting.name != "socket_mode"),
                "{}: {warnings:?}",
                setting.name
            );
        }
        assert_eq!(App::empty("x").warnings_of(settings), Vec::<String>::new());
    }
}
