//! serde reads from tokens.
//!
//! Input: a [`Node`]. Output: whatever type is asked for, or [`Wrong`]. The one idea: the innermost node that an error
//! passes on its way out gives it its span.

use std::fmt;

use dockerfile_gen::config::nearest;
use proc_macro2::Span;
use serde::de::value::StringDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::tokens::{Key, Kind, Map, Node};

/// What is wrong with a value, and where it stands.
#[derive(Debug)]
pub(crate) struct Wrong {
    reason: String,
    span: Option<Span>,
}

impl Wrong {
    fn or_at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    /// As a compile error, at `span` unless something closer is known.
    pub(crate) fn at(self, span: Span) -> syn::Error {
        syn::Error::new(self.span.unwrap_or(span), reworded(&self.reason))
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Wrong {}

impl serde::de::Error for Wrong {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self { reason: reason.to_string(), span: None }
    }
}

/// serde's words for somebody who writes a macro call.
fn reworded(reason: &str) -> String {
    for (start, what) in [("unknown field `", "option"), ("unknown variant `", "value")] {
        let Some((wrong, known)) = reason.strip_prefix(start).and_then(|rest| rest.split_once('`')) else { continue };
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let wrong_here = wrong.replace('-', "_");
        return match nearest(wrong, known.iter().copied()) {
            Some(near) => format!("unknown {what} `{wrong_here}`: did you mean `{}`?", near.replace('-', "_")),
            None => format!("unknown {what} `{wrong_here}`: there is {}", known.join(", ").replace('-', "_")),
        };
    }
    let plain = [
        ("expected u16", "expected a number from 0 to 65535"),
        ("expected u32", "expected a number"),
        ("a sequence", "a list"),
        ("type: sequence", "type: list"),
        ("a map", "`{ name: value }`"),
        ("missing field", "missing option"),
    ];
    plain.into_iter().fold(reason.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl<'de> Deserializer<'de> for Node {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let span = self.span;
        let found = match self.kind {
            Kind::Text(text) => visitor.visit_string(text),
            Kind::Whole(number) => visitor.visit_u64(number),
            Kind::Negative(number) => visitor.visit_i64(number),
            Kind::Broken(number) => visitor.visit_f64(number),
            Kind::Truth(truth) => visitor.visit_bool(truth),
            Kind::Word(word) => Err(serde::de::Error::custom(format!("expected a value: write it as {word:?}"))),
            Kind::List(list) => visitor.visit_seq(List(list.into_iter())),
            Kind::Map(map) => visitor.visit_map(Entries::new(map, false)),
        };
        found.map_err(|wrong| wrong.or_at(span))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let span = self.span;
        match self.kind {
            Kind::Word(name) | Kind::Text(name) => {
                let name: StringDeserializer<Wrong> = name.into_deserializer();
                visitor.visit_enum(name).map_err(|wrong| wrong.or_at(span))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.kind {
            Kind::Word(name) | Kind::Text(name) => visitor.visit_string(name),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let span = self.span;
        match self.kind {
            // Only here are keys names of options; elsewhere they are the user's own, such as `RUST_LOG`.
            Kind::Map(map) => visitor.visit_map(Entries::new(map, true)).map_err(|wrong| wrong.or_at(span)),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map ignored_any
    }
}

struct List(std::vec::IntoIter<Node>);

impl<'de> SeqAccess<'de> for List {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }
}

struct Entries {
    rest: std::vec::IntoIter<(Key, Node)>,
    value: Option<Node>,
    are_options: bool,
}

impl Entries {
    fn new(map: Map, are_options: bool) -> Self {
        Self { rest: map.0.into_iter(), value: None, are_options }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        let name = if self.are_options { key.name.replace('_', "-") } else { key.name };
        let name: StringDeserializer<Wrong> = name.into_deserializer();
        seed.deserialize(name).map(Some).map_err(|wrong| wrong.or_at(key.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let value = self.value.take().ok_or_else(|| serde::de::Error::custom("a value without a key"))?;
        seed.deserialize(value)
    }
}
