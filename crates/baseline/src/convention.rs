//! Where parameters and results of calls of the guest are: Cranelift's `tail` convention, for any machine.
//!
//! The one idea: both are lists of values that take registers of their class in order, and slots on the stack (or in an area that the caller
//! provides, for results) when those are used up.

use crate::machine::{Fpr, Gpr, Machine};
use meantime_abi::{FuncType, ValRepr};
use std::marker::PhantomData;

/// Where a value is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Spot {
    Gpr(Gpr),
    Fpr(Fpr),
    /// At an offset in the area on the stack.
    Stack(u32),
}

/// Hands out places.
pub(crate) struct Spots<M> {
    gprs: &'static [Gpr],
    fprs: &'static [Fpr],
    stack: u32,
    machine: PhantomData<M>,
}

/// Where the hidden parameters are.
pub(crate) struct HiddenParams {
    /// The address of the results' area, if there is one.
    pub(crate) area: Gpr,
    pub(crate) context: Gpr,
    /// How many of the registers of parameters they take.
    taken: usize,
}

pub(crate) fn hidden_params<M: Machine>(with_area: bool) -> HiddenParams {
    let before = usize::from(with_area && M::RESULT_AREA.is_none());
    HiddenParams {
        area: M::RESULT_AREA.unwrap_or(M::PARAMS[0]),
        context: M::PARAMS[before],
        taken: before + 1,
    }
}

impl<M: Machine> Spots<M> {
    /// Of parameters, after the hidden ones.
    pub(crate) fn params(with_area: bool) -> Spots<M> {
        Spots {
            gprs: &M::PARAMS[hidden_params::<M>(with_area).taken..],
            fprs: M::FLOAT_PARAMS,
            stack: 0,
            machine: PhantomData,
        }
    }

    /// Of results.
    pub(crate) fn results() -> Spots<M> {
        Spots {
            gprs: M::RESULTS,
            fprs: M::FLOAT_RESULTS,
            stack: 0,
            machine: PhantomData,
        }
    }

    pub(crate) fn next(&mut self, ty: ValRepr) -> Spot {
        let size = match ty {
            ValRepr::F32 | ValRepr::F64 | ValRepr::V128 => {
                if let Some((first, rest)) = self.fprs.split_first() {
                    self.fprs = rest;
                    return Spot::Fpr(*first);
                }
                if ty == ValRepr::V128 { 16 } else { 8 }
            }
            _ => {
                if let Some((first, rest)) = self.gprs.split_first() {
                    self.gprs = rest;
                    return Spot::Gpr(*first);
                }
                8
            }
        };
        let at = self.stack.next_multiple_of(size);
        self.stack = at + size;
        Spot::Stack(at)
    }

    /// Bytes of the area on the stack.
    pub(crate) fn area(&self) -> u32 {
        self.stack.next_multiple_of(16)
    }
}

/// Bytes of the area in which a function's caller wants results. Not zero means that its address is a parameter.
pub(crate) fn result_area<M: Machine>(ty: &FuncType) -> u32 {
    result_area_of::<M>(ty.results.iter().map(|result| result.repr()))
}

/// The same for a function with these results.
pub(crate) fn result_area_of<M: Machine>(results: impl ExactSizeIterator<Item = ValRepr>) -> u32 {
    // Most functions have no more results than there are registers of either class.
    if results.len() <= M::RESULTS.len().min(M::FLOAT_RESULTS.len()) {
        return 0;
    }
    let mut spots = Spots::<M>::results();
    for result in results {
        spots.next(result);
    }
    spots.area()
}
