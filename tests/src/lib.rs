//! The simulated world, and tests that need real processes.
