//! Plots as SVG: curves over two logarithmic axes, and bars.

use std::fmt::Write as _;

use crate::report::number;

const COLOURS: [&str; 4] = ["#b45309", "#1d4ed8", "#15803d", "#7e22ce"];
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 340.0;

pub struct Curve {
    pub name: &'static str,
    pub points: Vec<(f64, f64)>,
}

/// Curves over two logarithmic axes, on which linear growth rises by one decade per decade.
pub struct Plot {
    pub title: &'static str,
    pub across: &'static str,
    pub up: &'static str,
    pub curves: Vec<Curve>,
}

/// Draws plots side by side.
pub fn document(plots: &[Plot]) -> String {
    let mut body = String::new();
    for (at, plot) in plots.iter().enumerate() {
        plot.draw(at as f64 * WIDTH, &mut body);
    }
    svg(plots.len() as f64 * WIDTH, HEIGHT, &body)
}

fn svg(width: f64, height: f64, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n{body}</svg>\n"
    )
}

/// Formats a value on an axis: 1,000 is `1k`.
fn tick(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", value / 1e6),
        value if value >= 1e3 => format!("{}k", value / 1e3),
        value => format!("{value}"),
    }
}

impl Plot {
    fn draw(&self, left: f64, svg: &mut String) {
        let points = || self.curves.iter().flat_map(|curve| curve.points.iter().copied());
        let range = |of: fn((f64, f64)) -> f64| {
            let (low, high) = points().map(of).fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
            (low.log10().floor() as i32, (high.log10() - 1e-9).ceil() as i32)
        };
        let ((first, last), (low, high)) = (range(|point| point.0), range(|point| point.1));
        let (begin, end, top, bottom) = (left + 62.0, left + WIDTH - 82.0, 44.0, HEIGHT - 56.0);
        let x =
            |value: f64| begin + (end - begin) * (value.log10() - f64::from(first)) / f64::from((last - first).max(1));
        let y =
            |value: f64| bottom - (bottom - top) * (value.log10() - f64::from(low)) / f64::from((high - low).max(1));
        let middle = (begin + end) / 2.0;
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"20\" text-anchor=\"middle\" font-size=\"14\" font-weight=\"bold\">{}</text>\n\
             <text x=\"{:.1}\" y=\"36\" fill=\"#555\">{}</text>\n\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">{}</text>",
            self.title,
            left + 24.0,
            self.up,
            HEIGHT - 18.0,
            self.across
        )
        .and_then(|()| {
            for decade in low..=high {
                let (value, height) = (10f64.powi(decade), y(10f64.powi(decade)));
                writeln!(
                    svg,
                    "<path d=\"M{begin:.1} {height:.1}H{end:.1}\" stroke=\"#ddd\"/>\
                     <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                    begin - 6.0,
                    height + 4.0,
                    tick(value)
                )?;
            }
            for decade in first..=last {
                let (value, at) = (10f64.powi(decade), x(10f64.powi(decade)));
                writeln!(
                    svg,
                    "<path d=\"M{at:.1} {top:.1}V{bottom:.1}\" stroke=\"#eee\"/>\
                     <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                    bottom + 18.0,
                    tick(value)
                )?;
            }
            Ok(())
        });
        // Names are at the ends of their curves, at a distance from each other.
        let mut ends: Vec<(usize, f64)> =
            self.curves.iter().enumerate().map(|(at, curve)| (at, y(curve.points[curve.points.len() - 1].1))).collect();
        ends.sort_by(|one, other| one.1.total_cmp(&other.1));
        let mut above = f64::MIN;
        for (at, height) in ends {
            let (curve, colour) = (&self.curves[at], COLOURS[at % COLOURS.len()]);
            let label = height.max(above + 14.0);
            above = label;
            let line: Vec<String> =
                curve.points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
            let dots = curve.points.iter().map(|(at, value)| {
                format!("<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", x(*at), y(*value))
            });
            // The name of a curve that ends before the others is kept off their lines.
            let (last, furthest) =
                (curve.points[curve.points.len() - 1].0, points().fold(0.0, |most, point| point.0.max(most)));
            let (anchor, beside, below) = if last < furthest { ("end", -8.0, -8.0) } else { ("start", 8.0, 4.0) };
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>{}\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{}</text>",
                line.join(" "),
                dots.collect::<String>(),
                x(last) + beside,
                label + below,
                curve.name
            );
        }
    }
}

/// Draws groups of horizontal bars, with their values, on one logarithmic axis.
pub fn bars(title: &str, groups: &[(String, Vec<(String, f64)>)]) -> String {
    const LEFT: f64 = 190.0;
    const LONGEST: f64 = 560.0;
    let values = || groups.iter().flat_map(|(_, bars)| bars.iter().map(|(_, value)| *value));
    let (low, high) = values().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    let length = |value: f64| LONGEST * (value.log10() - low) / (high - low);
    let mut body = format!("<text x=\"20\" y=\"26\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n");
    let mut top = 48.0;
    let mut rows = String::new();
    for (group, bars) in groups {
        let _ = writeln!(rows, "<text x=\"20\" y=\"{:.1}\" font-weight=\"bold\">{group}</text>", top + 12.0);
        top += 22.0;
        for (at, (name, value)) in bars.iter().enumerate() {
            let colour = if name.starts_with("fastmcp") { "#b45309" } else { ["#94a3b8", "#64748b"][at % 2] };
            let _ = writeln!(
                rows,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\
                 <rect x=\"{LEFT}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"15\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                LEFT - 8.0,
                top + 12.0,
                length(*value).max(1.0),
                LEFT + length(*value).max(1.0) + 6.0,
                top + 12.0,
                number(*value)
            );
            top += 20.0;
        }
        top += 10.0;
    }
    for decade in low as i32..=high as i32 {
        let at = LEFT + length(10f64.powi(decade));
        let _ = writeln!(
            body,
            "<path d=\"M{at:.1} 40V{top:.1}\" stroke=\"#e2e8f0\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{} µs</text>",
            top + 16.0,
            tick(10f64.powi(decade))
        );
    }
    body.push_str(&rows);
    svg(LEFT + LONGEST + 80.0, top + 30.0, &body)
}
