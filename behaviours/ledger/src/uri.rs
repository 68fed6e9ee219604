//! Payment requests as URIs, in the manner of BIP-21:
//! `covey:ADDRESS?amount=12.50&asset=HEX&label=Baker&message=Two%20loaves`.

use std::collections::BTreeSet;

use covey_kernel::{HASH_LENGTH, Hash, PublicKey, is_hidden};

use crate::{
    address::{InvalidAddress, Prefix, address_text, parse_address},
    amount::{Amount, Decimals, InvalidAmount},
};

const SCHEME: &str = "covey";

/// The longest URI, in bytes.
pub(crate) const URI_BYTES: usize = 2048;

/// The longest label and the longest message, in bytes of UTF-8 once decoded.
pub(crate) const URI_TEXT_BYTES: usize = 200;

/// A contact code is longer than this after its scheme, in characters.
const CONTACT_CODE_CHARS: usize = 60;

/// Joins emoji into one: hidden, but wanted in running text.
const JOINER: char = '\u{200d}';

/// Who asks to be paid what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentUri {
    /// Whom to pay.
    pub to: PublicKey,
    /// How much, if that is not left to the payer; never zero.
    pub amount: Option<Amount>,
    /// In which token; `None` is the network's coin.
    pub asset: Option<Hash>,
    /// The payee's name, by the payee's word. No hidden characters.
    pub label: Option<String>,
    /// What it is for. No hidden characters.
    pub message: Option<String>,
}

/// Why a text is not a payment request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUri {
    /// It does not begin with `covey:`.
    #[error("a payment request begins with \"{SCHEME}:\"")]
    Scheme,
    /// It is a contact code of the messenger, which begins alike.
    #[error("this is a contact code, not a payment request: add the contact, then pay them")]
    ContactCode,
    /// Longer than 2,048 bytes.
    #[error("the payment request is longer than {URI_BYTES} bytes: ask the payee for another one")]
    TooLong,
    /// A character that no URI has, or a percent sign in a parameter's name.
    #[error("the payment request has a character that does not belong there: copy it again")]
    Character,
    /// The address is wrong.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// The amount is wrong.
    #[error(transparent)]
    Amount(#[from] InvalidAmount),
    /// It asks for nothing.
    #[error("the payment request asks for an amount of zero: ask the payee for another one")]
    ZeroAmount,
    /// The asset is not 64 hexadecimal digits.
    #[error("the asset in the payment request is not 64 hexadecimal digits: copy it again")]
    Asset,
    /// A parameter that whoever pays must understand, and this version does not.
    #[error("the payment request needs \"{0}\", which is not known here: update covey")]
    Required(String),
    /// A parameter stands there twice.
    #[error("the payment request has \"{0}\" twice: ask the payee for another one")]
    Duplicate(String),
    /// A parameter is not percent-encoded UTF-8.
    #[error("\"{0}\" in the payment request is not percent-encoded UTF-8: copy it again")]
    Encoding(&'static str),
    /// A label or message is longer than 200 bytes.
    #[error("\"{0}\" in the payment request is longer than {URI_TEXT_BYTES} bytes: shorten it")]
    TextTooLong(&'static str),
    /// A label or message has control characters, or others that are not seen.
    #[error("\"{0}\" in the payment request has hidden characters: leave them out")]
    Hidden(&'static str),
}

/// The parameters, decoded but not yet read.
#[derive(Default)]
struct Parameters {
    amount: Option<String>,
    asset: Option<String>,
    label: Option<String>,
    message: Option<String>,
}

impl PaymentUri {
    /// The URI. [`Self::parse`] reads it back if [`Self::check`] finds nothing wrong.
    #[must_use]
    pub fn format(&self, prefix: &Prefix, decimals: Decimals) -> String {
        let parameters = [
            ("amount", self.amount.map(|amount| self.unit(decimals).format(amount))),
            ("asset", self.asset.map(|asset| asset.to_string())),
            ("label", self.label.clone()),
            ("message", self.message.clone()),
        ];
        let mut text = format!("{SCHEME}:{}", address_text(prefix, &self.to));
        let mut separator = '?';
        for (name, value) in parameters {
            if let Some(value) = value {
                text.push(separator);
                text.push_str(name);
                text.push('=');
                percent_encode(&value, &mut text);
                separator = '&';
            }
        }
        text
    }

    /// Reads a payment request of the network with these addresses and decimals. An amount of a
    /// token is a whole number of its smallest units. Scheme, address and the names of parameters
    /// may be in upper case. Parameters that are not known are ignored, unless their name begins
    /// with `req-`.
    pub fn parse(text: &str, prefix: &Prefix, decimals: Decimals) -> Result<Self, InvalidUri> {
        let (scheme, rest) = text.trim().split_once(':').ok_or(InvalidUri::Scheme)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(InvalidUri::Scheme);
        }
        // Before the length: a contact code may be longer.
        if is_contact_code(rest) {
            return Err(InvalidUri::ContactCode);
        }
        if text.len() > URI_BYTES {
            return Err(InvalidUri::TooLong);
        }
        if !rest.bytes().all(is_uri_character) {
            return Err(InvalidUri::Character);
        }
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let to = parse_address(prefix, address)?;
        let parameters = Parameters::parse(query)?;
        let asset = parameters.asset.as_deref().map(parse_asset).transpose()?;
        let (label, message) = (parameters.label, parameters.message);
        let mut uri = Self { to, amount: None, asset, label, message };
        if let Some(amount) = parameters.amount {
            uri.amount = Some(uri.unit(decimals).parse(&amount)?);
        }
        uri.check()?;
        Ok(uri)
    }

    /// Whether amount and texts are such that [`Self::parse`] takes them.
    pub fn check(&self) -> Result<(), InvalidUri> {
        if self.amount.is_some_and(Amount::is_zero) {
            return Err(InvalidUri::ZeroAmount);
        }
        let label = self.label.as_deref().unwrap_or_default();
        check_text("label", label, is_hidden)?;
        let message = self.message.as_deref().unwrap_or_default();
        check_text("message", message, |c| c != JOINER && is_hidden(c))
    }

    /// The network's decimals are those of its coin; a token has none that are known here.
    fn unit(&self, decimals: Decimals) -> Decimals {
        if self.asset.is_some() { Decimals::NONE } else { decimals }
    }
}

impl Parameters {
    fn parse(query: &str) -> Result<Self, InvalidUri> {
        let mut found = Self::default();
        let mut names = BTreeSet::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            // Encoded, a name could hide that it is required.
            if name.contains('%') {
                return Err(InvalidUri::Character);
            }
            let name = name.to_ascii_lowercase();
            match name.as_str() {
                "amount" => found.amount = Some(decoded("amount", value)?),
                "asset" => found.asset = Some(decoded("asset", value)?),
                "label" => found.label = Some(decoded("label", value)?),
                "message" => found.message = Some(decoded("message", value)?),
                _ if name.starts_with("req-") => return Err(InvalidUri::Required(name)),
                _ => {}
            }
            if let Some(name) = names.replace(name) {
                return Err(InvalidUri::Duplicate(name));
            }
        }
        Ok(found)
    }
}

/// What follows the scheme of a contact code is base32 alone; an address always has a `1`, which
/// base32 has not.
fn is_contact_code(rest: &str) -> bool {
    let is_base32 = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'2'..=b'7');
    rest.len() > CONTACT_CODE_CHARS && rest.bytes().all(is_base32)
}

/// Whether RFC 3986 allows the byte in a path or query.
fn is_uri_character(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@/?%".contains(&byte)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn parse_asset(text: &str) -> Result<Hash, InvalidUri> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes());
    let bytes = bytes.map_err(|_| InvalidUri::Asset)?;
    let bytes = <[u8; HASH_LENGTH]>::try_from(bytes).map_err(|_| InvalidUri::Asset)?;
    Ok(Hash::from_bytes(bytes))
}

fn check_text(
    name: &'static str,
    text: &str,
    is_refused: fn(char) -> bool,
) -> Result<(), InvalidUri> {
    if text.len() > URI_TEXT_BYTES {
        return Err(InvalidUri::TextTooLong(name));
    }
    if text.contains(is_refused) { Err(InvalidUri::Hidden(name)) } else { Ok(()) }
}

fn percent_encode(value: &str, text: &mut String) {
    for byte in value.bytes() {
        if is_unreserved(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
        }
    }
}

fn decoded(name: &'static str, value: &str) -> Result<String, InvalidUri> {
    percent_decode(value)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(InvalidUri::Encoding(name))
}

/// A plus stands for itself, as in BIP-21.
fn percent_decode(value: &str) -> Option<Vec<u8>> {
    let mut bytes = value.bytes();
    let mut decoded = Vec::with_capacity(value.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            decoded.extend(data_encoding::HEXLOWER_PERMISSIVE.decode(&digits).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use covey_kernel::Keypair;
    use proptest::prelude::*;

    use super::*;

    fn prefix() -> Prefix {
        Prefix::new("covey").unwrap()
    }

    fn two() -> Decimals {
        Decimals::new(2).unwrap()
    }

    fn key() -> PublicKey {
        Keypair::from_secret(&[1; 32]).public()
    }

    fn address() -> String {
        address_text(&prefix(), &key())
    }

    fn parse(text: &str) -> Result<PaymentUri, InvalidUri> {
        PaymentUri::parse(text, &prefix(), two())
    }

    /// The request for this key with these parameters.
    fn with(query: &str) -> Result<PaymentUri, InvalidUri> {
        parse(&format!("covey:{}?{query}", address()))
    }

    fn plain() -> PaymentUri {
        PaymentUri { to: key(), amount: None, asset: None, label: None, message: None }
    }

    #[test]
    fn writes_and_reads_every_part() {
        let uri = PaymentUri {
            amount: Some(Amount::new(1250)),
            label: Some("Bäcker & Co".to_owned()),
            message: Some("2+2 = 100%?".to_owned()),
            ..plain()
        };
        let text = format!(
            "covey:{}?amount=12.50&label=B%C3%A4cker%20%26%20Co&message=2%2B2%20%3D%20100%25%3F",
            address()
        );
        assert_eq!(uri.format(&prefix(), two()), text);
        assert_eq!(parse(&text), Ok(uri));
        assert_eq!(plain().format(&prefix(), two()), format!("covey:{}", address()));
    }

    #[test]
    fn a_token_counts_in_smallest_units() {
        let asset = Some(Hash::of(b"token"));
        let uri = PaymentUri { amount: Some(Amount::new(1250)), asset, ..plain() };
        let text = uri.format(&prefix(), two());
        assert!(text.contains("?amount=1250&asset="), "{text}");
        assert_eq!(parse(&text), Ok(uri.clone()));
        // The order of parameters does not matter.
        let hex = Hash::of(b"token").to_string();
        assert_eq!(with(&format!("asset={}&amount=1250", hex.to_uppercase())), Ok(uri));
        let error = InvalidAmount::TooManyDecimals { found: 1, most: 0 };
        assert_eq!(with(&format!("amount=1.5&asset={hex}")), Err(error.into()));
    }

    #[test]
    fn reads_upper_case_and_spaces_around() {
        let upper = format!("COVEY:{}", address().to_ascii_uppercase());
        assert_eq!(parse(&upper), Ok(plain()));
        assert_eq!(parse(&format!("  {upper}?\n")), Ok(plain()));
        let amount = Some(Amount::new(100));
        assert_eq!(parse(&format!("{upper}?AMOUNT=1")), Ok(PaymentUri { amount, ..plain() }));
    }

    #[test]
    fn what_is_unknown_is_ignored_unless_required() {
        assert_eq!(with("lightning=x&flag&=&label"), with("label="));
        let required = |name: &str| Err(InvalidUri::Required(name.to_owned()));
        assert_eq!(with("req-time=5"), required("req-time"));
        assert_eq!(with("REQ-x"), required("req-x"));
        assert_eq!(with("re%71-x=1"), Err(InvalidUri::Character));
    }

    #[test]
    fn refuses_what_stands_there_twice() {
        let duplicate = |name: &str| Err(InvalidUri::Duplicate(name.to_owned()));
        assert_eq!(with("amount=1&label=a&AMOUNT=2"), duplicate("amount"));
        assert_eq!(with("x=1&x=1"), duplicate("x"));
    }

    #[test]
    fn refuses_wrong_amounts_and_assets() {
        for query in ["amount=0", "amount=0.00"] {
            assert_eq!(with(query), Err(InvalidUri::ZeroAmount));
        }
        assert_eq!(with("amount="), Err(InvalidAmount::Empty.into()));
        assert_eq!(with("amount=1e3"), Err(InvalidAmount::Malformed.into()));
        let error = InvalidAmount::TooManyDecimals { found: 3, most: 2 };
        assert_eq!(with("amount=1.001"), Err(error.into()));
        for query in ["asset=", "asset=00", &format!("asset={}", "g".repeat(64))] {
            assert_eq!(with(query), Err(InvalidUri::Asset));
        }
    }

    #[test]
    fn refuses_long_hidden_and_badly_encoded_texts() {
        let text = "%C3%A4".repeat(URI_TEXT_BYTES / 2);
        assert_eq!(with(&format!("label={text}")).unwrap().label.unwrap().len(), URI_TEXT_BYTES);
        assert_eq!(with(&format!("label={text}x")), Err(InvalidUri::TextTooLong("label")));
        assert_eq!(with(&format!("message={text}x")), Err(InvalidUri::TextTooLong("message")));
        for hidden in ["%0A", "%00", "%7F", "%1B", "%E2%80%AE"] {
            assert_eq!(with(&format!("label=a{hidden}")), Err(InvalidUri::Hidden("label")));
            assert_eq!(with(&format!("message=a{hidden}")), Err(InvalidUri::Hidden("message")));
        }
        assert_eq!(with("label=a%E2%80%8D"), Err(InvalidUri::Hidden("label")));
        assert!(with("message=a%E2%80%8D").is_ok());
        for bad in ["%", "%4", "%zz", "%+1", "%FF", "%C3"] {
            assert_eq!(with(&format!("label={bad}")), Err(InvalidUri::Encoding("label")));
        }
    }

    #[test]
    fn refuses_other_schemes_characters_and_lengths() {
        for text in ["", "covey", &address(), "bitcoin:x", &format!(" x covey:{}", address())] {
            assert_eq!(parse(text), Err(InvalidUri::Scheme), "{text}");
        }
        for query in ["label=a b", "label=ä", "label=<a>", "label=a#b"] {
            assert_eq!(with(query), Err(InvalidUri::Character), "{query}");
        }
        assert_eq!(parse(&format!("covey: {}", address())), Err(InvalidUri::Character));
        let filler = URI_BYTES - format!("covey:{}?x=", address()).len();
        assert_eq!(with(&format!("x={}", "a".repeat(filler))), Ok(plain()));
        assert_eq!(with(&format!("x={}", "a".repeat(filler + 1))), Err(InvalidUri::TooLong));
    }

    #[test]
    fn carries_what_is_wrong_with_the_address() {
        let malformed = InvalidAddress::Malformed { wanted: prefix() };
        assert_eq!(parse("covey:"), Err(malformed.clone().into()));
        assert_eq!(parse("covey:?amount=1"), Err(malformed.into()));
        let other = address_text(&Prefix::new("other").unwrap(), &key());
        let error = InvalidAddress::OtherNetwork { found: "other".to_owned(), wanted: prefix() };
        assert_eq!(parse(&format!("covey:{other}")), Err(error.into()));
    }

    #[test]
    fn tells_a_contact_code_from_a_payment_request() {
        for length in [61, 200, 4000] {
            let letters = "abcdefghijklmnopqrstuvwxyz234567".chars().cycle().take(length);
            let code: String = "covey:".chars().chain(letters).collect();
            assert_eq!(parse(&code), Err(InvalidUri::ContactCode));
            assert_eq!(parse(&code.to_ascii_uppercase()), Err(InvalidUri::ContactCode));
        }
    }

    fn texts() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("\\PC{0,50}|[ -~]{0,200}".prop_filter("is within bounds", |text| {
            text.len() <= URI_TEXT_BYTES && !text.contains(is_hidden)
        }))
    }

    proptest! {
        #[test]
        fn requests_come_back(
            amount in proptest::option::of(1..=u64::MAX),
            asset in proptest::option::of(any::<[u8; 32]>()),
            label in texts(),
            message in texts(),
            places in 0..=18_u8,
        ) {
            let (amount, asset) = (amount.map(Amount::new), asset.map(Hash::from_bytes));
            let uri = PaymentUri { to: key(), amount, asset, label, message };
            let decimals = Decimals::new(places).unwrap();
            prop_assert_eq!(uri.check(), Ok(()));
            let text = uri.format(&prefix(), decimals);
            prop_assert!(text.len() <= URI_BYTES);
            prop_assert_eq!(PaymentUri::parse(&text, &prefix(), decimals), Ok(uri));
        }

        #[test]
        fn any_query_is_read_or_refused(query in "([a-z%=&?.0-9-]{0,40}|\\PC{0,40}|&|label=|amount=){0,4}") {
            if let Ok(uri) = with(&query) {
                prop_assert_eq!(parse(&uri.format(&prefix(), two())), Ok(uri));
            }
        }
    }
}
