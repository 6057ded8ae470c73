//! The execution core from outside, with a guest written in assembly.

#![allow(unsafe_code)]

mod crash;
mod exceptions;
mod guest;
mod objects;
mod support;
