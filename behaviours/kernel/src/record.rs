/// Declares a struct that is encoded as a fixed array of its fields in order, instead of
/// serde's map of field names.
///
/// ```
/// covey_kernel::record! {
///     /// A point.
///     #[derive(Debug, PartialEq)]
///     pub struct Point {
///         /// Right.
///         pub x: u8,
///         /// Up.
///         pub y: u8,
///     }
/// }
/// assert_eq!(covey_kernel::cbor::encode(&Point { x: 1, y: 2 }), [0x82, 1, 2]);
/// assert_eq!(covey_kernel::cbor::decode(&[0x82, 1, 2], 8), Ok(Point { x: 1, y: 2 }));
/// assert!(covey_kernel::cbor::decode::<Point>(&[0x81, 1], 8).is_err());
/// assert!(covey_kernel::cbor::decode::<Point>(&[0x83, 1, 2, 3], 8).is_err());
/// ```
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$inner:meta])* $field_vis:vis $field:ident : $kind:ty ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name { $( $(#[$inner])* $field_vis $field: $kind ),+ }

        impl $name {
            const FIELDS: usize = [$( stringify!($field) ),+].len();
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                use $crate::serde::ser::SerializeTuple;
                let mut tuple = s.serialize_tuple(Self::FIELDS)?;
                $( tuple.serialize_element(&self.$field)?; )+
                tuple.end()
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct RecordVisitor;
                impl<'de> $crate::serde::de::Visitor<'de> for RecordVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(f, "an array of {} fields", $name::FIELDS)
                    }

                    fn visit_seq<A: $crate::serde::de::SeqAccess<'de>>(
                        self,
                        mut seq: A,
                    ) -> Result<$name, A::Error> {
                        use $crate::serde::de::Error;
                        $(
                            let $field: $kind = seq.next_element()?.ok_or_else(
                                || A::Error::custom(concat!("no field ", stringify!($field))),
                            )?;
                        )+
                        Ok($name { $( $field ),+ })
                    }
                }
                d.deserialize_tuple(Self::FIELDS, RecordVisitor)
            }
        }
    };
}
