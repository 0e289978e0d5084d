//! Compares the readers and writers of this room with serde_json, for the tests and for the fuzz targets.
//!
//! Each function takes any text and panics if the two disagree. The tests call it with variations of fixed texts, on
//! every run; the targets in `fuzz/` call it with the texts that a fuzzer finds.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, SerializeTuple, SerializeTupleVariant, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::bounded_seq::BoundedSeq;
use super::object::{self, MemberMap, StringMembers};
use super::reader::{JsonError, MAX_DEPTH, Reader, plain, plain_ascii};
use super::unescape::unescape;
use super::{dual_serializer, encode, separators};

/// Reads a text as one value.
pub(crate) fn read_whole(text: &str) -> Result<(), JsonError> {
    let mut reader = Reader::new(text);
    reader.skip_value()?;
    reader.expect_end()
}

/// Reads the members of an object with serde_json, in their order and with duplicates. Returns `None` for other values,
/// and if a name has no string.
pub(crate) fn members_by_serde_json(text: &str) -> Option<Vec<(String, &RawValue)>> {
    struct MemberList<'a>(Vec<(String, &'a RawValue)>);
    struct MemberListVisitor;

    impl<'de: 'a, 'a> Deserialize<'de> for MemberList<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(MemberListVisitor).map(MemberList)
        }
    }

    impl<'de> Visitor<'de> for MemberListVisitor {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    serde_json::from_str(text).ok().map(|MemberList(members)| members)
}

/// Returns the nesting of arrays and objects in a text that is JSON, or begins like JSON.
pub(crate) fn depth(text: &str) -> u32 {
    let (mut depth, mut deepest, mut in_string) = (0u32, 0, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => _ = bytes.next(),
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Compares the reader of values and members.
pub(crate) fn check_reader(text: &str) {
    let raw = serde_json::from_str::<&RawValue>(text);
    match read_whole(text) {
        Err(JsonError::TooDeep) => return assert!(depth(text) > MAX_DEPTH, "{text}"),
        read => assert_eq!(read.is_ok(), raw.is_ok(), "{text}"),
    }
    let value = Reader::new(text).read_value().map(|raw| raw.get());
    if let Ok(raw) = raw {
        assert_eq!(value, Ok(raw.get()), "{text}");
    }
    let members = members_by_serde_json(text);
    let map = object::read_members::<MemberMap>(text).map(|MemberMap(map)| map);
    let expected = members.as_ref().map(|members| {
        members.iter().map(|(name, value)| (name.clone(), value.get().to_owned())).collect::<BTreeMap<_, _>>()
    });
    assert_eq!(map.ok(), expected, "{text}");
    let is_string = |(_, value): &(String, &RawValue)| serde_json::from_str::<String>(value.get()).is_ok();
    let are_strings = members.is_some_and(|members| members.iter().all(is_string));
    assert_eq!(object::read_members::<StringMembers>(text).is_ok(), are_strings, "{text}");
}

/// Compares the reader of arrays.
pub(crate) fn check_bounded_seq(text: &str) {
    let all = serde_json::from_str::<Vec<&RawValue>>(text).ok();
    for max in [0, 1, 3] {
        let Ok(BoundedSeq { elements, has_more }) = BoundedSeq::read(text, max) else {
            assert!(all.is_none(), "{text}");
            continue;
        };
        let all = all.as_ref().unwrap_or_else(|| panic!("it is no array: {text}"));
        assert_eq!(has_more, all.len() > max, "{text}");
        let texts = |list: &[&RawValue]| list.iter().map(|raw| raw.get().to_owned()).collect::<Vec<_>>();
        assert_eq!(texts(&elements), texts(&all[..max.min(all.len())]), "{text}");
    }
}

/// Escapes line separators one by one.
fn escape_separators(json: &str) -> String {
    json.replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Compares the reader and the writer of strings: takes the text as a string to write, and as the inside of a string to
/// read.
pub(crate) fn check_escapes(text: &str) {
    let mut written = Vec::new();
    encode::write_string(&mut written, text);
    let expected = escape_separators(&serde_json::to_string(text).unwrap());
    assert_eq!(String::from_utf8(written).unwrap(), expected, "{text:?}");
    assert_eq!(separators::escaped(text), escape_separators(text), "{text:?}");

    let bytes = text.as_bytes();
    let is_special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    assert_eq!(plain(bytes), bytes.iter().take_while(|byte| !is_special(byte)).count(), "{text:?}");
    let ascii = bytes.iter().take_while(|byte| !is_special(byte) && byte.is_ascii()).count();
    assert_eq!(plain_ascii(bytes), ascii, "{text:?}");

    let json = format!("\"{text}\"");
    let value = Reader::new(&json).read_value().ok().filter(|value| value.get() == json);
    assert_eq!(value.is_some(), serde_json::from_str::<&RawValue>(&json).is_ok(), "{json}");
    let Some(value) = value else { return };
    let string = serde_json::from_str::<String>(&json).ok();
    assert_eq!(value.string().as_deref(), string.as_deref(), "{json}");
    assert_eq!(unescape(text), string, "{json}");
    let behind = format!("{json}, 1");
    let mut reader = Reader::new(&behind);
    assert_eq!(reader.read_text(), string, "{json}");
    assert_eq!(reader.rest(), ", 1", "{json}");
}

/// Compares the serializer that writes JSON and its text in one pass: takes the text as a raw value, as a tree, and as a
/// value of other kinds in the form of that tree.
pub(crate) fn check_dual_serializer(text: &str) {
    if let Ok(raw) = serde_json::from_str::<&RawValue>(text) {
        let on_a_line = raw.get().replace(|character: char| character < ' ', " ");
        assert_written_twice(raw, &escape_separators(&on_a_line));
    }
    if let Ok(tree) = serde_json::from_str::<Value>(text) {
        let expected = escape_separators(&serde_json::to_string(&tree).unwrap());
        assert_written_twice(&tree, &expected);
        assert_eq!(dual_serializer::of_tree(&tree), expected);
        assert_eq!(dual_serializer::to_value(&tree).unwrap(), tree);
        let recast = Recast(&tree);
        assert_written_twice(&recast, &escape_separators(&serde_json::to_string(&recast).unwrap()));
    }
}

fn assert_written_twice<T: Serialize + ?Sized>(value: &T, json: &str) {
    let mut out = b"before".to_vec();
    let text = dual_serializer::write_json_and_text(&mut out, value).unwrap();
    let end = out.len();
    text.append(&mut out);
    assert_eq!(std::str::from_utf8(&out[..end]).unwrap(), format!("before{json}"));
    assert_eq!(std::str::from_utf8(&out[end..]).unwrap(), serde_json::to_string(json).unwrap());
    assert_eq!(dual_serializer::to_string(value).unwrap(), json);
}

/// A tree that is serialized as other kinds of values than those of a tree: tuples, structs, variants, characters,
/// bytes, keys that are numbers, and numbers of every width. Its content decides on the kinds.
struct Recast<'a>(&'a Value);

const NAMES: [&str; 5] = ["a", "with \"quotes\" and \\", "a name that is longer than a word", "\u{2028}", ""];

impl Serialize for Recast<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => serialize_number(number, serializer),
            Value::String(text) => serialize_text(text, serializer),
            Value::Array(items) => serialize_items(items, serializer),
            Value::Object(members) => {
                let name = NAMES[members.len() % NAMES.len()];
                let fields = || NAMES.iter().zip(members.values());
                if members.len() % 3 == 1 && members.len() <= NAMES.len() {
                    let mut fields_writer = serializer.serialize_struct(name, members.len())?;
                    fields().try_for_each(|(name, value)| fields_writer.serialize_field(name, &Recast(value)))?;
                    return fields_writer.end();
                }
                let mut map = serializer.serialize_map((members.len() % 2 == 0).then_some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(&RecastKey(key), &Recast(value))?;
                }
                map.end()
            }
        }
    }
}

fn serialize_number<S: Serializer>(number: &serde_json::Number, serializer: S) -> Result<S::Ok, S::Error> {
    // Truncation is intended.
    if let Some(whole) = number.as_u64() {
        return match whole % 7 {
            0 => serializer.serialize_u8(whole as u8),
            1 => serializer.serialize_u16(whole as u16),
            2 => serializer.serialize_u32(whole as u32),
            3 => serializer.serialize_u64(whole),
            4 => serializer.serialize_u128(u128::from(whole) * u128::from(whole)),
            5 => serializer.serialize_f32(whole as f32),
            _ => serializer.serialize_i128(-i128::from(whole)),
        };
    }
    if let Some(whole) = number.as_i64() {
        return match whole % 4 {
            0 => serializer.serialize_i8(whole as i8),
            -1 => serializer.serialize_i16(whole as i16),
            -2 => serializer.serialize_i32(whole as i32),
            _ => serializer.serialize_i64(whole),
        };
    }
    let float = number.as_f64().unwrap_or_default();
    let short = float as f32;
    if short.is_finite() && float > 1.0 { serializer.serialize_f32(short) } else { serializer.serialize_f64(float) }
}

fn serialize_text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => serializer.serialize_char(character),
        _ if text.len() % 3 == 1 => serializer.collect_str(&format_args!("{text}{text}")),
        _ if text.len() % 7 == 3 => serializer.serialize_unit_variant("Enum", 0, NAMES[text.len() % NAMES.len()]),
        _ => serializer.serialize_str(text),
    }
}

fn serialize_items<S: Serializer>(items: &[Value], serializer: S) -> Result<S::Ok, S::Error> {
    let name = NAMES[items.len() % NAMES.len()];
    let bytes: Option<Vec<u8>> = items.iter().map(|item| u8::try_from(item.as_u64()?).ok()).collect();
    match (items, bytes) {
        ([one], _) if one.is_array() => serializer.serialize_newtype_variant("Enum", 0, name, &Recast(one)),
        ([one], _) if one.is_object() => serializer.serialize_some(&Recast(one)),
        ([one], _) => serializer.serialize_newtype_struct("Newtype", &Recast(one)),
        (_, Some(bytes)) => serializer.serialize_bytes(&bytes),
        _ if items.len() % 3 == 0 => {
            let mut variant = serializer.serialize_tuple_variant("Enum", 0, name, items.len())?;
            items.iter().try_for_each(|item| variant.serialize_field(&Recast(item)))?;
            variant.end()
        }
        _ if items.len() % 3 == 1 => {
            let mut tuple = serializer.serialize_tuple(items.len())?;
            items.iter().try_for_each(|item| tuple.serialize_element(&Recast(item)))?;
            tuple.end()
        }
        _ => serializer.collect_seq(items.iter().map(Recast)),
    }
}

/// The key of a map, as a number or a boolean if it looks like one.
struct RecastKey<'a>(&'a str);

impl Serialize for RecastKey<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<Value>(self.0) {
            Ok(Value::Number(number)) => serialize_number(&number, serializer),
            Ok(Value::Bool(value)) => serializer.serialize_bool(value),
            _ => serialize_text(self.0, serializer),
        }
    }
}

/// Calls `check` with the texts, their beginnings, and `rounds` variations of each, which are the same in every run.
#[cfg(test)]
pub(crate) fn vary(texts: &[&str], rounds: usize, mut check: impl FnMut(&str)) {
    const OTHERS: &[u8] = b"{}[]:,\"\\ 019.-+eEutrfalsn\n\x01/";
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut number = move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for text in texts {
        check(text);
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            check(&text[..end]);
        }
        for _ in 0..rounds {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..=number(3) {
                if bytes.is_empty() {
                    break;
                }
                let at = number(bytes.len());
                match number(3) {
                    0 => bytes[at] = OTHERS[number(OTHERS.len())],
                    1 => {
                        bytes.remove(at);
                    }
                    _ => bytes.insert(at, bytes[number(bytes.len())]),
                }
            }
            if let Ok(text) = std::str::from_utf8(&bytes) {
                check(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_like_those_of_serde_json() {
        let texts = [
            r#"{"a":"x","b":1,"a":{"c":[]},"\u0062":"\ud800"}"#,
            r#" { "name" : "x" , "\ud800" : "y\n" } "#,
            r#"{"":"","a\"b":"\\","é":"\u00e9"}"#,
        ];
        vary(&texts, 5_000, check_reader);
        check_reader(&format!("{}1{}", "[".repeat(65), "]".repeat(65)));
    }

    #[test]
    fn strings_are_read_and_written_like_those_of_serde_json() {
        let texts = [
            r"plain text and \u00e9\n, then \ud83d\ude00 \/ \ud800\u0041 \\",
            "0123456789 \"quoted\" \u{85}\u{2028}\u{2029}\u{2027} naïve ☃ 😀 \u{7f}",
            "0123456701234567012345670123456701234567012345670123456701234567\\\"\t",
        ];
        vary(&texts, 5_000, check_escapes);
    }

    #[test]
    fn values_of_every_kind_are_written_like_those_of_serde_json() {
        let texts = [
            r#"{"a":[1,2,3],"b":[[1.5,-2]],"c":{"1":0,"-2":1,"true":7,"1.5":[]},"d":["x","\"","long \\ text\n"],"e":[{}]}"#,
            r#"[0,1,2,3,4,5,6,7,8,300,70000,18446744073709551615,-1,-2,-3,-4,-9223372036854775808,1e300,0.1,1.5,null]"#,
            "[\"\u{2028}\u{85}\", { \"\u{2029}\":\t[\"naïve ☃\"], \"k\" :\r\n{\"x\":1,\"y\":\"z\"}} , [[[true]]]]",
        ];
        vary(&texts, 5_000, check_dual_serializer);
    }
}
