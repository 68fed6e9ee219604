//! Requests and responses to bytes and back.

use covey_kernel::cbor::{self, DecodeError};

use crate::{
    limits::{REQUEST_BYTES, RESPONSE_BYTES},
    wire::{Request, Response},
};

/// Encodes a request.
#[must_use]
pub(crate) fn request(request: &Request) -> Vec<u8> {
    cbor::encode(request)
}

/// Encodes a response.
#[must_use]
pub(crate) fn response(response: &Response) -> Vec<u8> {
    cbor::encode(response)
}

/// Decodes a request.
pub fn decode_request(bytes: &[u8]) -> Result<Request, DecodeError> {
    cbor::decode(bytes, REQUEST_BYTES)
}

/// Decodes a response.
pub fn decode_response(bytes: &[u8]) -> Result<Response, DecodeError> {
    cbor::decode(bytes, RESPONSE_BYTES)
}
