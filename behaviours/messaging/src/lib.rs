//! Private messages between two people, end-to-end encrypted.
