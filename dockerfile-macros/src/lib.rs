//! Compile-time Dockerfiles.
