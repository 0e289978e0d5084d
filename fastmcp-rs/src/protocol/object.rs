//! JSON objects with known members, read in one pass and kept as the text they came as.
//!
//! A derived `Deserialize` would take a JSON array for a struct, read `null` as an absent member, and
//! fail on the first member of an unexpected type. A protocol engine has to tell these apart: a `null`
//! id is an error and an absent one is a notification; a wrong type in a member that the method does
//! not use is nobody's business. So members are kept as borrowed raw text and read where they are used.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A set of members that an object may have.
pub(crate) trait Members<'de>: Sized {
    /// Reads the members of one object; members it does not know are skipped.
    fn read<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

/// A member that should be an object: its members, or the fact that it was something else.
#[derive(Debug)]
pub(crate) enum Object<T> {
    Members(T),
    NotAnObject,
}

impl<T> Object<T> {
    pub(crate) fn members(&self) -> Option<&T> {
        match self {
            Object::Members(members) => Some(members),
            Object::NotAnObject => None,
        }
    }
}

impl<'de, T: Members<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Members<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::read(map).map(Object::Members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Object::NotAnObject)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Object::NotAnObject)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Object::NotAnObject)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Object::NotAnObject)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Object::NotAnObject)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Object::NotAnObject)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Object::NotAnObject)
    }
}

/// Defines a struct of optional members and how it is read. A member that comes twice is refused:
/// two readers of one message must not see different values.
macro_rules! members {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $key:literal => $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        pub(crate) struct $name<'a> {
            $(pub(crate) $field: Option<$ty>,)*
        }

        const _: () = {
            #[allow(non_camel_case_types)]
            enum Member { $($field,)* Unknown }

            struct MemberVisitor;

            impl serde::de::Visitor<'_> for MemberVisitor {
                type Value = Member;

                fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    formatter.write_str("the name of a member")
                }

                #[inline]
                fn visit_str<E>(self, key: &str) -> Result<Member, E> {
                    Ok(match key {
                        $($key => Member::$field,)*
                        _ => Member::Unknown,
                    })
                }
            }

            impl<'de> serde::Deserialize<'de> for Member {
                #[inline]
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_str(MemberVisitor)
                }
            }

            impl<'de: 'a, 'a> $crate::protocol::object::Members<'de> for $name<'a> {
                fn read<A: serde::de::MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
                    let mut object = Self::default();
                    while let Some(member) = map.next_key::<Member>()? {
                        match member {
                            $(Member::$field => {
                                if object.$field.is_some() {
                                    return Err(serde::de::Error::duplicate_field($key));
                                }
                                object.$field = Some(map.next_value()?);
                            })*
                            Member::Unknown => {
                                map.next_value::<serde::de::IgnoredAny>()?;
                            }
                        }
                    }
                    Ok(object)
                }
            }
        };
    };
}
pub(crate) use members;

/// The string that `raw` holds, or `None` if it holds something else. It borrows unless the string
/// has escapes.
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(json).ok().map(Cow::Owned)
}
