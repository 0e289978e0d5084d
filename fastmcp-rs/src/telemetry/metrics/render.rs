//! Renders metrics as text.
//!
//! Format: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::series::{BOUNDS, Histogram, Series};
use super::{HttpGaugeValues, Metrics};
use crate::exec::thread_pool;
use crate::telemetry::Target;
use crate::util::catch_panic;

pub(super) fn render(metrics: &Metrics, out: &mut dyn Write) -> fmt::Result {
    let inner = &metrics.inner;
    let (name, version) = inner.server.get().map_or(("", ""), |(name, version)| (name, version));
    write_family(out, "mcp_server_info", "gauge", "Name and version of the server and of fastmcp-rs.")?;
    let labels =
        [("server_name", name), ("server_version", version), ("fastmcp_rs_version", env!("CARGO_PKG_VERSION"))];
    write_sample(out, "mcp_server_info", &labels, 1)?;
    let help = "Start of the measurements, in seconds since the Unix epoch.";
    write_single(out, "mcp_server_start_time_seconds", "gauge", help, format_args!("{:.3}", inner.started))?;

    let mut series = inner.methods.clone();
    let mut components: Vec<Arc<Series>> = inner.components.lock().values().cloned().collect();
    components.sort_by(|one, other| (one.method, &one.component).cmp(&(other.method, &other.component)));
    series.append(&mut components);
    write_durations(out, &series)?;
    write_family(out, "mcp_server_requests_total", "counter", "Completed requests by outcome.")?;
    for series in &series {
        for (error_type, histogram) in series.outcomes() {
            write_sample(out, "mcp_server_requests_total", &series_labels(series, &error_type), count(histogram))?;
        }
    }
    let help = "Running requests that were not ready at their first poll.";
    write_family(out, "mcp_server_requests_in_flight", "gauge", help)?;
    for series in &series {
        let running = series.running.load(Ordering::Relaxed);
        if running != 0 || series.outcomes().next().is_some() {
            let [labels @ .., _] = series_labels(series, "");
            write_sample(out, "mcp_server_requests_in_flight", &labels, running.max(0))?;
        }
    }

    let gauges = metrics.read_gauges();
    let help = "Requests that wait for other requests to end.";
    write_single(out, "mcp_server_requests_waiting", "gauge", help, gauges.waiting_calls)?;
    let help = "Calls of blocking tools in this process that wait for a thread.";
    write_single(out, "mcp_server_blocking_calls_waiting", "gauge", help, thread_pool::queued_jobs())?;
    let help = "Bytes of outgoing messages that the clients have not read yet.";
    write_single(out, "mcp_server_queued_bytes", "gauge", help, inner.queued_bytes.total())?;
    let help = "Panics of user code that were caught in this process.";
    write_single(out, "mcp_server_panics_total", "counter", help, catch_panic::caught_count())?;
    match &gauges.http {
        Some(http) => write_http(metrics, http, out),
        None => Ok(()),
    }
}

fn write_http(metrics: &Metrics, http: &HttpGaugeValues, out: &mut dyn Write) -> fmt::Result {
    let help = "Open connections.";
    write_single(out, "mcp_server_connections", "gauge", help, http.connections)?;
    let help = "Connections closed at once because of a connection limit.";
    let refused = metrics.inner.refused_connections.load(Ordering::Relaxed);
    write_single(out, "mcp_server_connections_refused_total", "counter", help, refused)?;
    write_single(out, "mcp_server_sessions", "gauge", "Open sessions.", http.sessions)?;
    let help = "Open event streams without a call: subscriptions and streams of sessions.";
    write_single(out, "mcp_server_streams", "gauge", help, http.streams)?;
    let help = "HTTP responses of the endpoint by status.";
    write_family(out, "mcp_server_http_responses_total", "counter", help)?;
    for (at, responses) in metrics.inner.responses.iter().enumerate() {
        let responses = responses.load(Ordering::Relaxed);
        if responses > 0 {
            let status = (at + 100).to_string();
            write_sample(out, "mcp_server_http_responses_total", &[("http_response_status_code", &status)], responses)?;
        }
    }
    Ok(())
}

fn write_durations(out: &mut dyn Write, series: &[Arc<Series>]) -> fmt::Result {
    const NAME: &str = "mcp_server_operation_duration_seconds";
    write_family(out, NAME, "histogram", "Duration of requests from admission to response.")?;
    for series in series {
        for (error_type, histogram) in series.outcomes() {
            let labels = series_labels(series, &error_type);
            // The buckets are read once, so that the last bucket equals the count.
            let buckets = histogram.buckets.each_ref().map(|bucket| bucket.load(Ordering::Relaxed));
            let mut below = 0;
            for (at, bucket) in buckets.iter().enumerate() {
                below += bucket;
                let bound = BOUNDS.get(at).map_or_else(|| "+Inf".into(), |bound| seconds(*bound));
                let with_bound: Vec<_> = labels.iter().copied().chain([("le", &*bound)]).collect();
                write_sample(out, &format!("{NAME}_bucket"), &with_bound, below)?;
            }
            let sum = seconds(histogram.nanoseconds.load(Ordering::Relaxed));
            write_sample(out, &format!("{NAME}_sum"), &labels, sum)?;
            write_sample(out, &format!("{NAME}_count"), &labels, below)?;
        }
    }
    Ok(())
}

fn count(histogram: &Histogram) -> u64 {
    histogram.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
}

/// Formats nanoseconds as seconds, without rounding to a floating point number.
fn seconds(nanoseconds: u64) -> String {
    let text = format!("{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the labels of a series. All series of a family have the same labels, which some readers expect; an empty
/// label counts as absent.
fn series_labels<'a>(series: &'a Series, error_type: &'a str) -> [(&'static str, &'a str); 5] {
    let name = |wanted| match &series.component {
        Some((target, name)) if *target == wanted => (label(wanted), &**name),
        _ => (label(wanted), ""),
    };
    let [tool, prompt, resource] = [Target::Tool, Target::Prompt, Target::Resource].map(name);
    [("mcp_method_name", series.method), tool, prompt, resource, ("error_type", error_type)]
}

/// Returns the attribute of a component's name as a label, which cannot contain dots.
fn label(target: Target) -> &'static str {
    match target {
        Target::Tool => "gen_ai_tool_name",
        Target::Prompt => "gen_ai_prompt_name",
        Target::Resource => "mcp_resource_name",
    }
}

fn write_family(out: &mut dyn Write, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn write_single(out: &mut dyn Write, name: &str, kind: &str, help: &str, value: impl fmt::Display) -> fmt::Result {
    write_family(out, name, kind, help)?;
    write_sample(out, name, &[], value)
}

fn write_sample(out: &mut dyn Write, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) -> fmt::Result {
    out.write_str(name)?;
    for (at, (label, value)) in labels.iter().enumerate() {
        write!(out, "{}{label}=\"", if at == 0 { '{' } else { ',' })?;
        for character in value.chars() {
            match character {
                '\\' => out.write_str("\\\\")?,
                '"' => out.write_str("\\\"")?,
                '\n' => out.write_str("\\n")?,
                other => out.write_char(other)?,
            }
        }
        out.write_char('"')?;
    }
    writeln!(out, "{} {value}", if labels.is_empty() { "" } else { "}" })
}

#[cfg(test)]
mod tests {
    use super::{seconds, write_sample};

    #[test]
    fn numbers_and_labels_have_the_format_of_prometheus() {
        assert_eq!(seconds(100_000), "0.0001");
        assert_eq!(seconds(300_000_000_000), "300");
        assert_eq!(seconds(0), "0");
        let mut out = String::new();
        write_sample(&mut out, "x", &[("a", "1"), ("b", "q\"b\\n\n")], 3).unwrap();
        write_sample(&mut out, "y", &[], "+Inf").unwrap();
        assert_eq!(out, "x{a=\"1\",b=\"q\\\"b\\\\n\\n\"} 3\ny +Inf\n");
    }
}
