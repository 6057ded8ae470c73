//! [`PoolingAllocationConfig`]: how large the pool is, once there is one.
//!
//! The settings are complete, so that programs that make them compile; using them is an error from `Engine::new` until the
//! allocator exists.

use super::Enabled;

/// Settings of the pooling allocator, which this version of Meantime does not have.
///
/// ```
/// use meantime::{Config, Engine, PoolingAllocationConfig};
///
/// let mut pool = PoolingAllocationConfig::new();
/// pool.total_memories(10).max_memory_size(1 << 20);
/// assert_eq!(pool.get_total_memories(), 10);
///
/// let mut config = Config::new();
/// config.allocation_strategy(pool);
/// assert!(Engine::new(&config).is_err());
/// ```
#[derive(Debug, Clone)]
pub struct PoolingAllocationConfig {
    max_unused_warm_slots: u32,
    decommit_batch_size: usize,
    async_stack_keep_resident: usize,
    linear_memory_keep_resident: usize,
    table_keep_resident: usize,
    total_component_instances: u32,
    max_component_instance_size: usize,
    max_core_instances_per_component: u32,
    max_memories_per_component: u32,
    max_tables_per_component: u32,
    total_memories: u32,
    total_tables: u32,
    total_stacks: u32,
    total_core_instances: u32,
    total_gc_heaps: u32,
    max_core_instance_size: usize,
    max_tables_per_module: u32,
    table_elements: usize,
    max_memories_per_module: u32,
    max_memory_size: usize,
    memory_protection_keys: Enabled,
    max_memory_protection_keys: usize,
    pagemap_scan: Enabled,
}

impl Default for PoolingAllocationConfig {
    fn default() -> Self {
        let narrow = usize::BITS == 32;
        let total = if narrow { 100 } else { 1000 };
        let max_memory_size: u64 = if narrow { 10 << 20 } else { 4 << 30 };
        PoolingAllocationConfig {
            max_unused_warm_slots: 100,
            decommit_batch_size: 1,
            async_stack_keep_resident: 0,
            linear_memory_keep_resident: 0,
            table_keep_resident: 0,
            total_component_instances: total,
            max_component_instance_size: 1 << 20,
            max_core_instances_per_component: u32::MAX,
            max_memories_per_component: u32::MAX,
            max_tables_per_component: u32::MAX,
            total_memories: total,
            total_tables: total,
            total_stacks: total,
            total_core_instances: total,
            total_gc_heaps: total,
            max_core_instance_size: 1 << 20,
            max_tables_per_module: 1,
            table_elements: 20_000,
            max_memories_per_module: 1,
            max_memory_size: max_memory_size as usize,
            memory_protection_keys: Enabled::No,
            max_memory_protection_keys: 16,
            pagemap_scan: Enabled::No,
        }
    }
}

macro_rules! settings {
    ($($(#[$doc:meta])* $set:ident $get:ident: $ty:ty;)*) => {
        impl PoolingAllocationConfig {
            /// The default settings.
            pub fn new() -> PoolingAllocationConfig {
                PoolingAllocationConfig::default()
            }

            $(
                $(#[$doc])*
                pub fn $set(&mut self, value: $ty) -> &mut Self {
                    self.$set = value;
                    self
                }

                #[doc = concat!("What [`PoolingAllocationConfig::", stringify!($set), "`] is.")]
                pub fn $get(&self) -> $ty {
                    self.$set
                }
            )*
        }
    };
}

settings! {
    /// Slots that were used before and are kept ready though no instance has them. 100 by default.
    max_unused_warm_slots get_max_unused_warm_slots: u32;
    /// How many slots to give back to the operating system at once. 1 by default.
    decommit_batch_size get_decommit_batch_size: usize;
    /// Bytes of a stack that are cleared by hand rather than given back. 0 by default.
    async_stack_keep_resident get_async_stack_keep_resident: usize;
    /// Bytes of a memory that are cleared by hand rather than given back. 0 by default.
    linear_memory_keep_resident get_memory_keep_resident: usize;
    /// Bytes of a table that are cleared by hand rather than given back. 0 by default.
    table_keep_resident get_table_keep_resident: usize;
    /// Component instances at a time. 1000 by default.
    total_component_instances get_total_component_instances: u32;
    /// Bytes of a component instance's state. 1 MiB by default.
    max_component_instance_size get_max_component_instance_size: usize;
    /// Core instances in a component. Not bounded by default.
    max_core_instances_per_component get_max_core_instances_per_component: u32;
    /// Memories in a component. Not bounded by default.
    max_memories_per_component get_max_memories_per_component: u32;
    /// Tables in a component. Not bounded by default.
    max_tables_per_component get_max_tables_per_component: u32;
    /// Memories at a time. 1000 by default.
    total_memories get_total_memories: u32;
    /// Tables at a time. 1000 by default.
    total_tables get_total_tables: u32;
    /// Stacks for asynchronous execution at a time. 1000 by default.
    total_stacks get_total_stacks: u32;
    /// Core instances at a time. 1000 by default.
    total_core_instances get_total_core_instances: u32;
    /// Heaps for garbage collection at a time. 1000 by default.
    total_gc_heaps get_total_gc_heaps: u32;
    /// Bytes of a core instance's state. 1 MiB by default.
    max_core_instance_size get_max_core_instance_size: usize;
    /// Tables in a module. 1 by default.
    max_tables_per_module get_max_tables_per_module: u32;
    /// Elements of a table. 20,000 by default.
    table_elements get_table_elements: usize;
    /// Memories in a module. 1 by default.
    max_memories_per_module get_max_memories_per_module: u32;
    /// Bytes of a memory. 4 GiB by default.
    max_memory_size get_max_memory_size: usize;
    /// Whether memory protection keys separate neighbouring slots.
    memory_protection_keys get_memory_protection_keys: Enabled;
    /// Memory protection keys to use. 16 by default.
    max_memory_protection_keys get_max_memory_protection_keys: usize;
    /// Whether to ask Linux which pages of a slot were used.
    pagemap_scan get_pagemap_scan: Enabled;
}

impl PoolingAllocationConfig {
    /// Whether [`PoolingAllocationConfig::memory_protection_keys`] can be used here: never, in this version.
    pub fn are_memory_protection_keys_available() -> bool {
        false
    }
}
