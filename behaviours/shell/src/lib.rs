//! Carries any machine over libp2p request-response.
