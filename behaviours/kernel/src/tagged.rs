/// Declares an enum that is encoded as a fixed array `[tag, payload]` with a small integer tag,
/// instead of serde's variant names. Every variant has one payload; `()` is encoded as an empty array.
///
/// ```
/// covey_kernel::tagged! {
///     /// What a dog does.
///     #[derive(Debug, PartialEq)]
///     pub enum Trick {
///         /// Sits.
///         0 => Sit(()),
///         /// Jumps this high, in centimetres.
///         1 => Jump(u32),
///     }
/// }
/// assert_eq!(covey_kernel::cbor::encode(&Trick::Jump(5)), [0x82, 1, 5]);
/// assert_eq!(covey_kernel::cbor::decode(&[0x82, 0, 0x80], 8), Ok(Trick::Sit(())));
/// assert!(covey_kernel::cbor::decode::<Trick>(&[0x82, 2, 0x80], 8).is_err());
/// ```
#[macro_export]
macro_rules! tagged {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$inner:meta])* $tag:literal => $variant:ident($payload:ty) ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $name { $( $(#[$inner])* $variant($payload) ),+ }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                match self { $( Self::$variant(payload) => ($tag as u8, payload).serialize(s) ),+ }
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct TaggedVisitor;
                impl<'de> $crate::serde::de::Visitor<'de> for TaggedVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("[tag, payload]")
                    }

                    fn visit_seq<A: $crate::serde::de::SeqAccess<'de>>(
                        self,
                        mut seq: A,
                    ) -> Result<$name, A::Error> {
                        use $crate::serde::de::Error;
                        let short = || A::Error::custom("no payload");
                        let tag: u8 = seq.next_element()?.ok_or_else(|| A::Error::custom("no tag"))?;
                        match tag {
                            $( $tag => Ok($name::$variant(seq.next_element::<$payload>()?.ok_or_else(short)?)), )+
                            _ => Err(A::Error::custom("unknown tag")),
                        }
                    }
                }
                d.deserialize_tuple(2, TaggedVisitor)
            }
        }
    };
}
