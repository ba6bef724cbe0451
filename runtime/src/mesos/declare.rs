//! How a message is declared: once, with its names and numbers.
//!
//! ```text
//! message! {
//!     Filters {
//!         optional refuse_seconds: f64 = 1 [F64(5.0)];
//!     }
//! }
//! enumeration! {
//!     Source {
//!         Master = 0 => "SOURCE_MASTER",
//!     }
//! }
//! ```
//!
//! A field is `required`, `optional`, `repeated` or a `map` from strings; what stands in brackets
//! is what an absent field means, and what JSON prints for it. Fields stand in the order in which
//! JSON prints them.

/// Declares messages of the API: the struct, and [`Reflect`](super::reflect::Reflect), by which
/// both codecs read and fill it.
macro_rules! message {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $( $label:ident $field:ident: $kind:ty = $number:literal $([$default:expr])?; )*
        }
    )*) => { $(
        #[doc = concat!("Mesos' message `", stringify!($name), "`.")]
        #[doc = ""]
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $(
                #[doc = concat!("Field ", $number, ", ", stringify!($label), ".")]
                pub $field: field_type!($label $kind),
            )*
        }

        impl $crate::mesos::reflect::Reflect for $name {
            fn name(&self) -> &'static str {
                stringify!($name)
            }

            fn fields(&self) -> &'static [$crate::mesos::reflect::FieldInfo] {
                const FIELDS: &[$crate::mesos::reflect::FieldInfo] = &[$(
                    $crate::mesos::reflect::FieldInfo {
                        name: $crate::mesos::reflect::plain_name(stringify!($field)),
                        number: $number,
                        label: field_label!($label),
                        kind: <$kind as $crate::mesos::reflect::Single>::KIND,
                        default: field_default!($($default)?),
                    }
                ),*];
                FIELDS
            }

            fn field(&self, number: u32) -> Option<&dyn $crate::mesos::reflect::Field> {
                match number {
                    $( $number => Some(&self.$field), )*
                    _ => None,
                }
            }

            fn field_mut(
                &mut self,
                number: u32,
            ) -> Option<&mut dyn $crate::mesos::reflect::Field> {
                match number {
                    $( $number => Some(&mut self.$field), )*
                    _ => None,
                }
            }
        }

        impl $crate::mesos::reflect::Single for $name {
            const KIND: $crate::mesos::reflect::Kind = $crate::mesos::reflect::Kind::Message;

            fn from_scalar(_: $crate::mesos::reflect::Scalar<'_>) -> Option<Self> {
                None
            }

            fn read(&self) -> $crate::mesos::reflect::Read<'_> {
                $crate::mesos::reflect::Read::Message(self)
            }

            fn blank() -> Option<Self> {
                Some(Self::default())
            }

            fn as_message(&mut self) -> Option<&mut dyn $crate::mesos::reflect::Reflect> {
                Some(self)
            }
        }

        impl $crate::mesos::reflect::Message for $name {
            const NAME: &'static str = stringify!($name);
        }
    )* };
}

/// Declares an enumeration of the API: variants, numbers and names.
macro_rules! enumeration {
    (
        $(#[$meta:meta])*
        $name:ident { $( $variant:ident = $number:literal => $text:literal, )* }
    ) => {
        #[doc = concat!("Mesos' enumeration `", stringify!($name), "`.")]
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i32)]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant = $number,
            )*
        }

        impl $name {
            /// Names and numbers, in the order of the declaration.
            pub const ALL: &'static [(&'static str, i32)] = &[$( ($text, $number), )*];

            /// The variant of this number.
            #[must_use]
            pub const fn from_number(number: i32) -> Option<Self> {
                match number {
                    $( $number => Some(Self::$variant), )*
                    _ => None,
                }
            }

            /// Mesos' name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )*
                }
            }
        }

        impl $crate::mesos::reflect::Single for $name {
            const KIND: $crate::mesos::reflect::Kind =
                $crate::mesos::reflect::Kind::Enumeration(Self::ALL);

            fn from_scalar(scalar: $crate::mesos::reflect::Scalar<'_>) -> Option<Self> {
                match scalar {
                    $crate::mesos::reflect::Scalar::Enumeration(number) => {
                        Self::from_number(number)
                    }
                    _ => None,
                }
            }

            fn read(&self) -> $crate::mesos::reflect::Read<'_> {
                $crate::mesos::reflect::Read::Enumeration(self.name(), *self as i32)
            }
        }
    };
}

macro_rules! field_type {
    (optional $kind:ty) => { Option<$kind> };
    (required $kind:ty) => { Option<$kind> };
    (repeated $kind:ty) => { Vec<$kind> };
    (map $kind:ty) => { std::collections::BTreeMap<String, $kind> };
}

macro_rules! field_label {
    (optional) => {
        $crate::mesos::reflect::Label::Optional
    };
    (required) => {
        $crate::mesos::reflect::Label::Required
    };
    (repeated) => {
        $crate::mesos::reflect::Label::Repeated
    };
    (map) => {
        $crate::mesos::reflect::Label::Map
    };
}

macro_rules! field_default {
    () => {
        None
    };
    ($default:expr) => {{
        #[allow(unused_imports)]
        use $crate::mesos::reflect::FieldDefault::*;
        Some($default)
    }};
}
