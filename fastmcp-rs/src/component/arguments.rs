//! Reads the arguments of a call directly into the parameters' types.
//!
//! The frame parser has already found the text to be a well-formed JSON object, so the loop over its members needs no
//! error handling of its own; serde reads each value in place. A tree of values is built only if this fails, to explain
//! the problem (see [`crate::schema`]).

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::component::definition::Parameter;
use crate::component::flat_members::FlatMembers;
use crate::component::slot::{JsonReader, Slot};
use crate::component::unknown_members::StrictGuard;
use crate::json::reader::Reader;
use crate::protocol::frame::without_position;
use crate::schema::validate::excerpt;
use crate::schema::{constraints, place};

/// The reason why arguments do not fit: the first problem that was found. It is reported if checking the arguments
/// against the schema finds no problem.
#[doc(hidden)]
#[derive(Debug)]
pub struct ArgumentError {
    /// The name of the argument, if the problem concerns a single argument.
    pub(crate) argument: Option<String>,
    pub(crate) message: String,
}

impl ArgumentError {
    /// Creates the error for an argument whose value cannot be read; `rest` begins with the value.
    fn for_json_error(argument: &str, rest: &str, error: &serde_json::Error) -> Self {
        let (path, message) = locate(rest, error);
        let name = argument.replace('~', "~0").replace('/', "~1");
        ArgumentError::for_argument(&format!("{name}{path}"), message)
    }

    /// Creates the error for members that cannot be read as a flattened struct.
    fn for_members(text: &str, error: &serde_json::Error) -> Self {
        let (path, message) = locate(text, error);
        let problem = ArgumentError::for_argument(path.strip_prefix('/').unwrap_or_default(), message);
        ArgumentError { argument: problem.argument.filter(|path| !path.is_empty()), ..problem }
    }

    fn for_argument(argument: &str, message: impl Into<String>) -> Self {
        // Names and messages may contain text from the peer.
        let cut = |text: String| if text.len() <= 256 { text } else { text.chars().take(256).chain(['…']).collect() };
        ArgumentError { argument: Some(cut(argument.to_owned())), message: cut(message.into()) }
    }
}

/// The longest value that is read again to be quoted: a tree of values takes many times the memory of its text.
const MAX_QUOTED: usize = 64 << 10;

/// Returns the path of the value that could not be read, and the problem with the beginning of that value.
fn locate(text: &str, error: &serde_json::Error) -> (String, String) {
    let place = place::find_innermost(text, place::text_offset(text, error.line(), error.column()));
    let quoted = place.as_ref().filter(|place| place.text.len() <= MAX_QUOTED);
    let value = quoted.and_then(|place| serde_json::from_str(place.text).ok());
    let got = value.map(|value| format!(", got {}", excerpt(&value))).unwrap_or_default();
    (place.map(|place| place.path).unwrap_or_default(), format!("{}{got}", without_position(error)))
}

/// Fills every slot, or returns the first problem.
// Compiled once per program, not inlined into the code of a program's only tool, which would be larger.
#[inline(never)]
pub(crate) fn decode_arguments(object: &str, slots: &mut [&mut dyn Slot]) -> Result<(), ArgumentError> {
    let mut reader = Reader::new(object);
    if !reader.take_byte(b'{') {
        return Err(malformed());
    }
    while !reader.take_byte(b'}') {
        reader.peek();
        let (slot, argument) = match find_slot(slots, |name| reader.take_name(name)) {
            Some(found) => found,
            None => {
                let key = reader.read_key().map_err(|_| malformed())?;
                match find_slot_of_key(slots, &key) {
                    Some(found) => found,
                    None => {
                        read_flat_member(&mut reader, slots, &key)?;
                        continue;
                    }
                }
            }
        };
        if !reader.take_byte(b':') {
            return Err(malformed());
        }
        read_argument(&mut reader, slot, argument)?;
        end_member(&mut reader)?;
    }
    for slot in slots.iter_mut() {
        if !slot.is_filled() && !slot.fill_absent() {
            if let Some((members, error)) = slot.flat_members().and_then(FlatMembers::take_failure) {
                return Err(ArgumentError::for_members(&members, &error));
            }
            let name = slot.argument().map_or("", |argument| argument.name);
            return Err(ArgumentError::for_argument(name, "missing"));
        }
    }
    Ok(())
}

#[cold]
fn malformed() -> ArgumentError {
    ArgumentError { argument: None, message: "the arguments are not a JSON object".into() }
}

/// Reads the comma behind a member, or nothing before the end of the object.
#[inline]
fn end_member(reader: &mut Reader<'_>) -> Result<(), ArgumentError> {
    match reader.take_byte(b',') || reader.peek() == Some(b'}') {
        true => Ok(()),
        false => Err(malformed()),
    }
}

/// Returns the slot of the argument whose name fits.
fn find_slot<'s>(
    slots: &'s mut [&mut dyn Slot],
    mut fits: impl FnMut(&str) -> bool,
) -> Option<(&'s mut dyn Slot, &'static Parameter)> {
    slots.iter_mut().find_map(|slot| {
        let argument = slot.argument().filter(|argument| fits(argument.name))?;
        Some((&mut **slot as &mut dyn Slot, argument))
    })
}

/// Returns the slot of a key that may be spelled with escapes.
#[inline(never)]
fn find_slot_of_key<'s>(slots: &'s mut [&mut dyn Slot], key: &str) -> Option<(&'s mut dyn Slot, &'static Parameter)> {
    find_slot(slots, |name| name == key)
}

/// Reads the next value as a member of a flattened struct: the one that has a field of this name, or one that takes
/// members of any name. Reads the comma behind it, too.
#[inline(never)]
fn read_flat_member(text: &mut Reader<'_>, slots: &mut [&mut dyn Slot], name: &str) -> Result<(), ArgumentError> {
    let find = |slots: &mut [&mut dyn Slot], fits: &dyn Fn(&FlatMembers) -> bool| {
        slots.iter_mut().position(|slot| slot.flat_members().is_some_and(|members| fits(members)))
    };
    let index = find(slots, &|members| members.knows(name)).or_else(|| find(slots, &FlatMembers::takes_all));
    let members = index.and_then(|index| slots.get_mut(index)).and_then(|slot| slot.flat_members());
    let members = members.ok_or_else(|| ArgumentError::for_argument(name, "unknown argument"))?;
    if !text.take_byte(b':') {
        return Err(malformed());
    }
    text.peek();
    let value = text.read_value().map_err(|_| ArgumentError::for_argument(name, "not a JSON value"))?;
    members.add(name, value.get());
    end_member(text)
}

/// Reads the next value into `slot`, and checks the constraints that its type does not check.
fn read_argument(text: &mut Reader<'_>, slot: &mut dyn Slot, argument: &Parameter) -> Result<(), ArgumentError> {
    text.peek();
    let rest = text.rest();
    if slot.is_filled() {
        return Err(ArgumentError::for_argument(argument.name, "given twice"));
    }
    // `null` counts as absent, so that a default applies.
    if argument.default.is_some() && rest.starts_with("null") {
        text.advance("null".len());
        return Ok(());
    }
    if let Some(place) = slot.text().filter(|_| rest.starts_with('"')) {
        // An unpaired surrogate leaves the slot empty, and serde reports it below.
        *place = text.read_text();
    }
    if !slot.is_filled() {
        let mut reader = serde_json::Deserializer::from_str(rest);
        let strict = StrictGuard::new();
        slot.fill(&mut reader).map_err(|error| ArgumentError::for_json_error(argument.name, rest, &error))?;
        drop(strict);
        let mut length = count_consumed(reader);
        if length == 0 {
            // A type that reads nothing leaves its value unread, so it is skipped here.
            let mut reader = serde_json::Deserializer::from_str(rest);
            let _: Result<IgnoredAny, _> = serde::Deserialize::deserialize(&mut reader);
            length = count_consumed(reader);
        }
        text.advance(length);
    }
    let length = rest.len() - text.rest().len();
    if argument.constraints.is_empty() && argument.header.is_none() {
        return Ok(());
    }
    constraints::check_json(&argument.constraints, argument.header.is_some(), rest[..length].trim_end())
        .map_err(|problem| ArgumentError::for_argument(argument.name, problem))
}

fn count_consumed(reader: JsonReader<'_>) -> usize {
    reader.into_iter::<IgnoredAny>().byte_offset()
}

/// Returns the arguments that are strings. They are inserted one by one: collecting a map sorts it first, and that code
/// adds a few kilobytes to every server.
pub(crate) fn text_values(arguments: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (name, value) in arguments {
        if let Value::String(text) = value {
            texts.insert(name.clone(), text.clone());
        }
    }
    texts
}
