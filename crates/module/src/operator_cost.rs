//! What each kind of operator costs, where fuel is counted.
//!
//! When it is paid, and everything else about fuel, stands in `meantime-abi`'s `fuel.rs`. The one idea: the decoder's own table of operators makes the fields
//! of [`OperatorCost`], the default, and the order in which [`FuelCosts`] lists them, so that no operator is without a price.

use meantime_abi::{FuelCosts, FuelUnit};
use wasmparser::Operator;

macro_rules! operator_cost {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*) )*) => {
        /// Fuel that each operator costs, by its name: 1, unless it is one of those that only shape the code (`nop`, `drop`, `block`, `loop`, `else`,
        /// `end`, `return`, `unreachable`), which are free.
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        #[allow(non_snake_case, missing_docs, reason = "fields have the names of operators")]
        pub struct OperatorCost {
            $(pub $op: u8,)*
            /// Costs of operators whose work depends on an operand, in addition to those above.
            pub variable: VariableOperatorCost,
        }

        impl OperatorCost {
            /// The default costs.
            pub const fn new() -> Self {
                OperatorCost {
                    $($op: operator_cost!(@default $op),)*
                    variable: VariableOperatorCost::new(),
                }
            }

            /// What an operator costs, apart from what depends on its operands.
            pub fn cost(&self, op: &Operator<'_>) -> i64 {
                let cost = match op {
                    $(Operator::$op $({ $($arg: _),* })? => self.$op,)*
                    _ => 1,
                };
                cost.into()
            }

            /// What each of the units costs that such an operator's topmost operand counts.
            pub fn per_unit(&self, unit: FuelUnit) -> u8 {
                self.variable.of(unit)
            }

            fn list(&self) -> Box<[u8]> {
                Box::new([$(self.$op),*])
            }

            fn from_list(list: &[u8], variable: VariableOperatorCost) -> OperatorCost {
                let mut list = list.iter().copied();
                OperatorCost {
                    // An artifact's list is compared with the engine's before anything else looks at it.
                    $($op: list.next().unwrap_or(1),)*
                    variable,
                }
            }
        }
    };
    (@default Nop) => { 0 };
    (@default Drop) => { 0 };
    (@default Block) => { 0 };
    (@default Loop) => { 0 };
    (@default Else) => { 0 };
    (@default End) => { 0 };
    (@default Return) => { 0 };
    (@default Unreachable) => { 0 };
    (@default $op:ident) => { 1 };
}

wasmparser::for_each_operator!(operator_cost);

macro_rules! variable_operator_cost {
    ($($(#[$doc:meta])* $field:ident = $unit:ident: $($op:ident)|*;)*) => {
        /// Fuel for operators whose work depends on an operand, by the unit: 1, except that pages which a memory grows by are free. It is paid in
        /// addition to the operator's cost in [`OperatorCost`], whether or not the operator succeeds.
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub struct VariableOperatorCost {
            $($(#[$doc])* pub $field: u8,)*
        }

        impl VariableOperatorCost {
            /// The default costs.
            pub const fn new() -> Self {
                VariableOperatorCost {
                    $($field: FuelUnit::DEFAULT_COSTS[FuelUnit::$unit as usize],)*
                }
            }

            fn of(&self, unit: FuelUnit) -> u8 {
                match unit {
                    $(FuelUnit::$unit => self.$field,)*
                }
            }

            fn list(&self) -> [u8; FuelUnit::ALL.len()] {
                let mut list = FuelUnit::DEFAULT_COSTS;
                $(list[FuelUnit::$unit as usize] = self.$field;)*
                list
            }

            fn from_list(list: [u8; FuelUnit::ALL.len()]) -> VariableOperatorCost {
                VariableOperatorCost {
                    $($field: list[FuelUnit::$unit as usize],)*
                }
            }
        }

        /// What an operator's topmost operand counts, where its work depends on that.
        pub fn fuel_unit(op: &Operator<'_>) -> Option<FuelUnit> {
            match op {
                $($(Operator::$op { .. })|* => Some(FuelUnit::$unit),)*
                _ => None,
            }
        }
    };
}

variable_operator_cost! {
    /// Per byte of `memory.copy`.
    memory_copy_per_byte = MemoryCopy: MemoryCopy;
    /// Per byte of `memory.fill`.
    memory_fill_per_byte = MemoryFill: MemoryFill;
    /// Per byte of `memory.init`.
    memory_init_per_byte = MemoryInit: MemoryInit;
    /// Per page of `memory.grow`.
    memory_grow_per_page = MemoryGrow: MemoryGrow;
    /// Per element of `table.copy`.
    table_copy_per_element = TableCopy: TableCopy;
    /// Per element of `table.fill`.
    table_fill_per_element = TableFill: TableFill;
    /// Per element of `table.init`.
    table_init_per_element = TableInit: TableInit;
    /// Per element of `table.grow`.
    table_grow_per_element = TableGrow: TableGrow;
    /// Per element of `array.copy`.
    array_copy_per_element = ArrayCopy: ArrayCopy;
    /// Per element of `array.fill`.
    array_fill_per_element = ArrayFill: ArrayFill;
    /// Per element of `array.new_data`.
    array_new_data_per_element = ArrayNewData: ArrayNewData;
    /// Per element of `array.init_data`.
    array_init_data_per_element = ArrayInitData: ArrayInitData;
    /// Per element of `array.new_elem`.
    array_new_elem_per_element = ArrayNewElem: ArrayNewElem;
    /// Per element of `array.init_elem`.
    array_init_elem_per_element = ArrayInitElem: ArrayInitElem;
    /// Per element of `array.new_default`.
    array_new_default_per_element = ArrayNewDefault: ArrayNewDefault;
    /// Per element of `array.new`.
    array_new_per_element = ArrayNew: ArrayNew;
}

impl Default for OperatorCost {
    fn default() -> OperatorCost {
        OperatorCost::new()
    }
}

impl Default for VariableOperatorCost {
    fn default() -> VariableOperatorCost {
        VariableOperatorCost::new()
    }
}

impl From<&OperatorCost> for FuelCosts {
    fn from(cost: &OperatorCost) -> FuelCosts {
        let operators = cost.list();
        FuelCosts {
            operators: (operators != OperatorCost::new().list()).then_some(operators),
            units: cost.variable.list(),
        }
    }
}

impl From<&FuelCosts> for OperatorCost {
    fn from(costs: &FuelCosts) -> OperatorCost {
        let variable = VariableOperatorCost::from_list(costs.units);
        match &costs.operators {
            Some(list) => OperatorCost::from_list(list, variable),
            None => OperatorCost {
                variable,
                ..OperatorCost::new()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_survive_the_way_through_an_artifact() {
        let default = OperatorCost::default();
        assert_eq!(FuelCosts::from(&default), FuelCosts::default());
        let mut changed = default.clone();
        changed.I32Add = 7;
        changed.V128Load = 9;
        changed.variable.table_grow_per_element = 200;
        let costs = FuelCosts::from(&changed);
        assert!(costs.operators.is_some());
        assert_eq!(OperatorCost::from(&costs), changed);
        assert_eq!(changed.cost(&Operator::I32Add), 7);
        assert_eq!(changed.cost(&Operator::End), 0);
        let grow = Operator::TableGrow { table: 0 };
        assert_eq!(fuel_unit(&grow), Some(FuelUnit::TableGrow));
        assert_eq!(changed.per_unit(FuelUnit::TableGrow), 200);
        assert_eq!(fuel_unit(&Operator::Nop), None);
    }
}
