//! Empty on purpose: this package exists so that Cargo fetches the sources its manifest names.
