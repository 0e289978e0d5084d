//! Writes a value as JSON and, in the same pass, that JSON as a text within JSON.
//!
//! A structured result is sent twice: as JSON, and as a text for peers and models that read only text. Escaping the
//! finished JSON would mean searching all its bytes for quotes whose positions were known when they were written. So
//! this serializer appends strings twice, raw and escaped; the bytes between strings are the same in both forms and are
//! copied in bulk. It writes the output of serde_json, and leaves numbers and raw values to serde_json, with these
//! exceptions: NaN and infinity are an error, not `null`; raw values are put on one line; raw values and numbers of
//! arbitrary precision may be the keys of a map; errors name the place within the value; and characters that some
//! clients read as line ends are escaped (see [`separators`]), in the text too, because a client parses that as JSON of
//! its own.

mod place;
mod serializer;
mod short_text;

use std::cell::Cell;

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::{Error, Value};
use short_text::ShortText;

use super::reader::{plain, plain_ascii};
use super::separators;
use crate::json::encode;

/// The maximum capacity that a thread keeps for its next text: each thread that has written a text keeps a buffer.
const MAX_KEPT_BUFFER: usize = 64 << 10;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The JSON of a value, escaped for use between the quotes of a JSON string.
pub(crate) struct EscapedJson(Vec<u8>);

/// Appends the value to `out` as JSON on one line, and returns the same JSON as a text.
///
/// # Errors
///
/// Fails if a part of the value has no JSON form: a float that is not finite, a map key that is not a string, number or
/// boolean, or a value whose `Serialize` fails. The error names the place of that part. The JSON written before it
/// stays in `out`.
pub(crate) fn write_json_and_text<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    value: &T,
) -> serde_json::Result<EscapedJson> {
    let mut text = EscapedJson(BUFFER.try_with(Cell::take).unwrap_or_default());
    let start = out.len();
    let mut twice = DualWriter { json: out, text: &mut text.0, copied: start };
    match value.serialize(&mut twice) {
        Ok(()) => twice.copy(),
        Err(error) => return Err(with_place(&out[start..], &error)),
    }
    Ok(text)
}

/// Adds the place where `json` ends to the error that ended it.
#[cold]
fn with_place(json: &[u8], error: &Error) -> Error {
    match place::find_end_place(json) {
        Some(place) => Error::custom(format_args!("{place}: {error}")),
        None => Error::custom(error),
    }
}

/// Writes a value as JSON, like [`write_json_and_text`].
pub(crate) fn to_string<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut json = Vec::new();
    write_json_and_text(&mut json, value)?;
    String::from_utf8(json).map_err(Error::custom)
}

/// Converts a value into a tree of JSON, and fails where [`write_json_and_text`] does.
pub(crate) fn to_value<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Value> {
    let tree = serde_json::to_value(value);
    // serde_json turns a float that is not finite into `null`, and its errors name no place.
    if tree.as_ref().map_or(true, has_null) {
        write_json_and_text(&mut Vec::new(), value)?;
    }
    tree
}

/// Writes a tree as JSON.
pub(crate) fn of_tree(tree: &Value) -> String {
    separators::escaped(&tree.to_string()).into_owned()
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

impl EscapedJson {
    /// Appends the text as a JSON string.
    pub(crate) fn append(self, out: &mut Vec<u8>) {
        self.append_enclosed(b"\"", b"\"", out);
    }

    /// Appends the text of an object whose only member, `result`, is the value, as a JSON string.
    pub(crate) fn append_wrapped(self, out: &mut Vec<u8>) {
        self.append_enclosed(br#""{\"result\":"#, b"}\"", out);
    }

    fn append_enclosed(self, before: &[u8], after: &[u8], out: &mut Vec<u8>) {
        out.reserve(self.0.len() + before.len() + after.len());
        out.extend_from_slice(before);
        out.extend_from_slice(&self.0);
        out.extend_from_slice(after);
    }
}

impl Drop for EscapedJson {
    fn drop(&mut self) {
        if self.0.capacity() <= MAX_KEPT_BUFFER {
            let mut room = std::mem::take(&mut self.0);
            room.clear();
            // A thread that is ending needs no buffer.
            let _ = BUFFER.try_with(|kept| kept.set(room));
        }
    }
}

/// The two outputs of the serializer: the JSON, and the JSON as an escaped text.
struct DualWriter<'a> {
    json: &'a mut Vec<u8>,
    text: &'a mut Vec<u8>,
    /// The number of bytes of the JSON that the text contains. The following bytes need no escapes.
    copied: usize,
}

impl DualWriter<'_> {
    /// Appends the rest of the JSON to the text.
    #[inline]
    fn copy(&mut self) {
        if self.copied < self.json.len() {
            self.copy_rest();
        }
    }

    #[inline(never)]
    fn copy_rest(&mut self) {
        self.text.extend_from_slice(&self.json[self.copied..]);
        self.copied = self.json.len();
    }

    /// Appends both forms of escaped bytes. The preceding bytes must have been copied.
    #[inline]
    fn write_both(&mut self, json: &[u8], text: &[u8]) {
        self.json.extend_from_slice(json);
        self.text.extend_from_slice(text);
        self.copied = self.json.len();
    }

    /// Appends a byte between values. After a string, a separate copy is not worth its cost.
    #[inline]
    fn write_punctuation(&mut self, byte: u8) {
        if self.copied == self.json.len() {
            self.text.push(byte);
            self.copied += 1;
        }
        self.json.push(byte);
    }

    #[inline]
    fn write_quote(&mut self) {
        self.copy();
        self.write_both(b"\"", b"\\\"");
    }

    /// Appends a string.
    #[inline]
    fn write_string(&mut self, text: &str) {
        match ShortText::plain(text) {
            Some(short) => {
                self.copy();
                short.after(b"\"").append(self.json);
                short.after(b"\\\"").append(self.text);
                self.write_both(b"\"", b"\\\"");
            }
            None => {
                self.write_quote();
                self.write_characters(text);
                self.write_quote();
            }
        }
    }

    /// Appends the name of a member after a comma or the opening brace.
    #[inline]
    fn write_name(&mut self, separator: u8, name: &str) {
        match ShortText::plain(name) {
            Some(short) => {
                self.copy();
                short.after(&[separator, b'"']).append(self.json);
                short.after(&[separator, b'\\', b'"']).append(self.text);
                self.write_both(b"\":", b"\\\":");
            }
            None => {
                self.write_punctuation(separator);
                self.write_string(name);
                self.write_punctuation(b':');
            }
        }
    }

    /// Appends the content of a string.
    fn write_characters(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        loop {
            let (ascii, after) = rest.split_at(plain_ascii(rest));
            self.json.extend_from_slice(ascii);
            let Some((&special, after)) = after.split_first() else { break };
            if !special.is_ascii() {
                rest = self.wide_characters(&rest[ascii.len()..]);
                continue;
            }
            self.copy();
            match special {
                b'"' => self.write_both(b"\\\"", b"\\\\\\\""),
                b'\\' => self.write_both(b"\\\\", b"\\\\\\\\"),
                b'\n' => self.write_both(b"\\n", b"\\\\n"),
                b'\t' => self.write_both(b"\\t", b"\\\\t"),
                _ => {
                    // Other escapes contain only one backslash, which is their first byte.
                    self.text.push(b'\\');
                    encode::write_escape(self.json, special);
                }
            }
            rest = after;
        }
    }

    /// Appends the content of a string up to the next escaped ASCII character. Returns the rest.
    fn wide_characters<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        let (wide, rest) = text.split_at(plain(text));
        let mut pieces = separators::pieces(wide);
        for (plain, escape) in &mut pieces {
            self.json.extend_from_slice(plain);
            self.copy();
            self.text.push(b'\\');
            self.write_both(escape, escape);
        }
        self.json.extend_from_slice(pieces.rest());
        rest
    }

    /// Ends a raw value, whose JSON was appended at `start`. Line ends between its members would end the frame. Strings
    /// contain no raw control characters, so all control characters here are whitespace, and become spaces.
    fn end_raw_value(&mut self, start: usize) {
        self.json[start..].iter_mut().for_each(|byte| *byte = (*byte).max(b' '));
        separators::escape(self.json, start);
        for mark in memchr::memchr2_iter(b'"', b'\\', &self.json[start..]) {
            let mark = start + mark;
            self.text.extend_from_slice(&self.json[self.copied..mark]);
            self.text.push(b'\\');
            self.copied = mark;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::{self, Display};

    use serde::ser::{SerializeMap, SerializeStruct, Serializer};
    use serde_json::value::RawValue;
    use serde_json::{Map, json};

    use super::*;

    /// Returns the two outputs: the JSON, and the string that contains it.
    fn twice<T: Serialize>(value: &T) -> serde_json::Result<[String; 2]> {
        let mut out = b"before".to_vec();
        let text = write_json_and_text(&mut out, value)?;
        let end = out.len();
        text.append(&mut out);
        let [json, text] = [&out[6..end], &out[end..]].map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        assert!(out.starts_with(b"before"));
        Ok([json, text])
    }

    /// Returns the output of serde_json.
    fn by_serde_json<T: Serialize>(value: &T) -> [String; 2] {
        let json = serde_json::to_string(value).unwrap();
        let text = serde_json::to_string(&json).unwrap();
        [json, text]
    }

    #[track_caller]
    fn check<T: Serialize>(value: T) {
        assert_eq!(twice(&value).unwrap(), by_serde_json(&value));
    }

    #[derive(Clone, Serialize)]
    struct SampleOrder {
        order_id: &'static str,
        #[serde(rename = "with \"quotes\"\n and more than one word")]
        customer: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<char>,
        lines: Vec<(u8, f32)>,
    }

    #[derive(Serialize)]
    struct NewtypeStruct(i64);

    #[derive(Serialize)]
    struct TuplePair(bool, ());

    #[derive(Serialize)]
    struct UnitStruct;

    #[derive(Serialize)]
    struct EmptyStruct {}

    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    enum UnitVariants {
        Unit,
        #[serde(rename = "a \"quoted\" name")]
        Quoted,
        Newtype(u8),
        Tuple(u8, String),
        EmptyTuple(),
        Struct {
            a: Option<u8>,
            b: Vec<()>,
        },
        EmptyStruct {},
    }

    #[derive(Serialize)]
    #[serde(tag = "type")]
    enum TaggedVariants {
        Order(Box<FlattenedStruct>),
    }

    #[derive(Serialize)]
    struct FlattenedStruct {
        id: u128,
        #[serde(flatten)]
        rest: BTreeMap<String, i128>,
    }

    /// A struct by its name, the number of its fields, and the name of all of them; the first field is a variant.
    struct NamedStruct(&'static str, usize, &'static str);

    impl Serialize for NamedStruct {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let NamedStruct(name, fields, field) = *self;
            let mut named = serializer.serialize_struct(name, fields)?;
            for number in 0..fields {
                if number == 0 {
                    named.serialize_field(field, &NewtypeVariant(field))?;
                } else {
                    named.serialize_field(field, field)?;
                }
            }
            named.end()
        }
    }

    struct NewtypeVariant(&'static str);

    impl Serialize for NewtypeVariant {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_newtype_variant("Variant", 0, self.0, &1.5)
        }
    }

    struct ByteString(&'static [u8]);

    impl Serialize for ByteString {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    struct DisplayedPieces(&'static [&'static str]);

    impl Display for DisplayedPieces {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|part| formatter.write_str(part))?;
            if self.0.is_empty() { Err(fmt::Error) } else { Ok(()) }
        }
    }

    impl Serialize for DisplayedPieces {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    /// A map of one entry.
    struct SingleEntry<K>(K);

    impl<K: Serialize> Serialize for SingleEntry<K> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("before", "\"")?;
            map.serialize_entry(&self.0, &1)?;
            map.end()
        }
    }

    #[test]
    fn every_kind_of_value_matches_serde_json() {
        let order = SampleOrder {
            order_id: "A-17",
            customer: Some("O'Neil \"Quick\" \\ Sons\n\u{1}\u{7f} na\u{EF}ve \u{2603} \u{1F600}".into()),
            note: None,
            lines: vec![(1, 0.1), (2, f32::MAX), (3, f32::MIN_POSITIVE)],
        };
        check(&order);
        check([SampleOrder { note: Some('\\'), customer: None, lines: Vec::new(), ..order.clone() }, order]);
        check((
            NewtypeStruct(i64::MIN),
            TuplePair(true, ()),
            UnitStruct,
            EmptyStruct {},
            ByteString(b"\x00\xff"),
            ByteString(b""),
        ));
        check([
            UnitVariants::Unit,
            UnitVariants::Quoted,
            UnitVariants::Newtype(1),
            UnitVariants::Tuple(2, "\t".into()),
            UnitVariants::EmptyTuple(),
        ]);
        check([
            UnitVariants::Struct { a: None, b: vec![(), ()] },
            UnitVariants::Struct { a: Some(1), b: vec![] },
            UnitVariants::EmptyStruct {},
        ]);
        let rest = BTreeMap::from([("least".into(), i128::MIN), ("most".into(), i128::MAX)]);
        check(TaggedVariants::Order(Box::new(FlattenedStruct { id: u128::MAX, rest })));
        check((i8::MIN, i16::MIN, i32::MIN, i64::MAX, u8::MAX, u16::MAX, u32::MAX, u64::MAX));
        check([0.0, -0.0, 1.0, 1.5e300, 5e-324, f64::MAX, f64::MIN]);
        check(([(); 0], [[0; 0]; 2], None::<u8>, Some(Some(false)), Vec::<SampleOrder>::new()));
        check((DisplayedPieces(&["one, ", "\"two\", ", "a longer one than the others", ""]), DisplayedPieces(&[""])));
        check(json!({ "a": [null, true, 1.5, -1, u64::MAX, { "b\n": {} }, []], "": "" }));
    }

    #[test]
    fn keys_of_maps_are_strings() {
        check(SingleEntry("an \"ordinary\" key"));
        check((
            SingleEntry('"'),
            SingleEntry(Some(NewtypeStruct(-7))),
            SingleEntry(u128::MAX),
            SingleEntry(1.5),
            SingleEntry(-0.5f32),
        ));
        check((
            SingleEntry(true),
            SingleEntry(false),
            SingleEntry(UnitVariants::Quoted),
            SingleEntry(DisplayedPieces(&["shown"])),
        ));
        check(BTreeMap::from([(1, "one"), (-2, "two")]));
        check((0..20).map(|key| (key, key)).collect::<BTreeMap<u8, u8>>());
        check(BTreeMap::<u8, u8>::new());
        check(Map::new());
        let refused = [
            twice(&SingleEntry(())),
            twice(&SingleEntry(None::<u8>)),
            twice(&SingleEntry([1, 2])),
            twice(&SingleEntry(ByteString(b"key"))),
            twice(&SingleEntry(EmptyStruct {})),
            twice(&SingleEntry(UnitVariants::Newtype(1))),
            twice(&BTreeMap::from([(UnitVariants::Struct { a: None, b: vec![] }, 1)])),
        ];
        for refused in refused {
            let refused = refused.unwrap_err().to_string();
            assert_eq!(refused, "a key: a key must be a string, a finite number or a boolean");
        }
    }

    /// Writes a value that must be rejected, and returns the error.
    fn refused<T: Serialize>(value: &T) -> String {
        let error = twice(value).unwrap_err().to_string();
        assert_eq!(to_string(value).unwrap_err().to_string(), error);
        assert_eq!(to_value(value).unwrap_err().to_string(), error);
        error
    }

    #[test]
    fn a_float_that_is_not_finite_is_an_error_with_its_location() {
        #[derive(Default, Serialize)]
        struct SampleBasket {
            items: Vec<(u8, Option<f32>)>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            shapes: Vec<SampleShape>,
            #[serde(flatten)]
            prices: BTreeMap<String, f64>,
        }
        #[derive(Serialize)]
        enum SampleShape {
            Circle { radius: f64 },
            Line(u8, f64),
            Point(f64),
        }
        #[derive(Serialize)]
        #[serde(tag = "kind")]
        enum BasketItem {
            Sized { size: f64 },
            Shape(SampleShape),
        }
        let item = |weight| SampleBasket { items: vec![(1, None), (2, Some(weight))], ..SampleBasket::default() };
        assert_eq!(refused(&item(f32::NAN)), "`items[1][1]`: NaN has no JSON form");
        assert_eq!(refused(&[Some(item(f32::INFINITY))]), "`[0].items[1][1]`: inf has no JSON form");
        let shape = |shape| SampleBasket { shapes: vec![SampleShape::Point(1.0), shape], ..SampleBasket::default() };
        let infinite = f64::NEG_INFINITY;
        assert_eq!(
            refused(&shape(SampleShape::Circle { radius: infinite })),
            "`shapes[1].Circle.radius`: -inf has no JSON form"
        );
        assert_eq!(refused(&shape(SampleShape::Line(1, infinite))), "`shapes[1].Line[1]`: -inf has no JSON form");
        assert_eq!(refused(&shape(SampleShape::Point(infinite))), "`shapes[1].Point`: -inf has no JSON form");
        let price = |name: &str| SampleBasket {
            items: vec![(1, Some(1.5))],
            prices: [("a \"b\": [{,".to_owned(), 1.0), (name.to_owned(), f64::NAN)].into(),
            ..SampleBasket::default()
        };
        assert_eq!(refused(&price("tea")), "`tea`: NaN has no JSON form");
        assert_eq!(refused(&price("the \"tea\"")), r#"`["the \"tea\""]`: NaN has no JSON form"#);
        assert_eq!(refused(&[price("")]), r#"`[0][""]`: NaN has no JSON form"#);
        assert_eq!(refused(&BasketItem::Sized { size: f64::NAN }), "`size`: NaN has no JSON form");
        assert_eq!(refused(&BasketItem::Shape(SampleShape::Line(1, f64::NAN))), "`Line[1]`: NaN has no JSON form");
        assert_eq!(refused(&Some(f64::NAN)), "NaN has no JSON form");
        assert_eq!(refused(&SingleEntry(f64::NAN)), "a key: NaN has no JSON form");
        assert_eq!(refused(&[("a", SingleEntry(f32::NAN))]), "a key of `[0][1]`: NaN has no JSON form");
        // A place is shorter than the names in it.
        let place = refused(&BTreeMap::from([("\u{e9}".repeat(10_000), f64::NAN)]));
        assert!(
            place.starts_with("`…") && place.ends_with("\u{e9}\"]`: NaN has no JSON form") && place.len() < 300,
            "{place}"
        );
        // `null` is kept where the value means it.
        assert_eq!(to_value(&item(1.5)).unwrap(), json!({ "items": [[1, null], [2, 1.5]] }));
        check((None::<f64>, f64::MAX));
    }

    #[test]
    fn an_unserializable_value_is_an_error_with_its_reason() {
        let error = twice(&DisplayedPieces(&[])).unwrap_err().to_string();
        assert_eq!(error, "a `Display` implementation returned an error");
        // The output of an earlier value does not appear in the next.
        check("next");
    }

    #[test]
    fn strings_of_every_length_are_escaped() {
        for length in 0..40 {
            let text = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[..length].to_owned();
            check(&text);
            check(json!({ text.as_str(): text }));
            for at in 0..length {
                for special in ["\"", "\\", "\n", "\u{1f}", " ", "\u{7f}", "\u{e9}", "\u{2603}", "\"\"", "\u{e9}\""] {
                    let mut text = text.clone();
                    text.replace_range(at..=at, special);
                    check(&text);
                    check(json!({ text.as_str(): text }));
                }
            }
        }
    }

    #[test]
    fn names_of_every_length_are_escaped() {
        for length in 0..40 {
            for special in ["", "\"", "\\", "\n", "\u{e9}"] {
                let name =
                    format!("{}{special}", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".split_at(length).0);
                let name: &'static str = name.leak();
                check((0..3).map(|fields| NamedStruct("Named", fields, name)).collect::<Vec<_>>());
            }
        }
        // Only structs that serde_json knows get its special treatment.
        check((0..3).map(|fields| NamedStruct("$serde_json::private::Other", fields, "x")).collect::<Vec<_>>());
    }

    #[test]
    fn text_between_strings_is_copied_once() {
        check(json!([1, 2, "a", 3, [], {}, [["b"]], { "c": 1, "d": [true, "e", null], "f": {} }, -0.5, "g"]));
        check((1, "a", [("b", 2), ("c", 3)], 'd', [[[1]]], BTreeMap::from([(1, "e"), (2, "f")])));
    }

    #[test]
    fn raw_json_of_a_value_is_written_on_one_line() {
        let own = "{ \"a\":\r\n\t[1.50, \"\\n\\\"\\u00e9 \u{2603}\"]\n}";
        let raw: Box<RawValue> = serde_json::from_str(own).unwrap();
        let [json, text] = twice(&(1, &raw, Some(&raw))).unwrap();
        let on_a_line = own.replace(['\r', '\n', '\t'], " ");
        assert_eq!(json, format!("[1,{on_a_line},{on_a_line}]"));
        assert_eq!(text, serde_json::to_string(&json).unwrap());
        // The bytes before it are unchanged.
        let mut out = b"{\"before\":1}\n".to_vec();
        write_json_and_text(&mut out, &raw).unwrap().append(&mut out);
        assert!(out.starts_with(b"{\"before\":1}\n{ "), "{}", String::from_utf8_lossy(&out));
        // A struct that only has the name of a raw value is rejected as serde_json rejects it.
        let forged = NamedStruct("$serde_json::private::RawValue", 1, "x");
        let refused = twice(&forged).unwrap_err().to_string();
        assert_eq!(refused, serde_json::to_string(&forged).unwrap_err().to_string());
        assert!(twice(&SingleEntry(NamedStruct("$serde_json::private::RawValue", 0, "x"))).is_err());
        // With that feature of serde_json, it writes all its numbers in this way.
        let number: serde_json::Number = serde_json::from_str("-12.5e3").unwrap();
        check(json!([number, 1e30, u64::MAX]));
    }

    #[test]
    fn large_buffers_are_not_kept() {
        let kept = || {
            let room = BUFFER.take();
            let capacity = room.capacity();
            BUFFER.set(room);
            capacity
        };
        check("x".repeat(1_000));
        assert!((1_000..=MAX_KEPT_BUFFER).contains(&kept()), "{}", kept());
        check("x".repeat(2 * MAX_KEPT_BUFFER));
        assert_eq!(kept(), 0);
        // The buffer grows by doubling, so its capacity can exceed the limit for a text that does not.
        check("x".repeat(MAX_KEPT_BUFFER - MAX_KEPT_BUFFER / 4));
        assert_eq!(kept(), 0);
        let panicked = std::panic::catch_unwind(|| twice(&SingleEntry(SerializeByFn(|| panic!("on purpose")))));
        assert!(panicked.is_err());
        check("after a panic");
    }

    /// Serializes itself with a function.
    struct SerializeByFn<F>(F);

    impl<F: Fn() -> u8> Serialize for SerializeByFn<F> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u8((self.0)())
        }
    }
}
