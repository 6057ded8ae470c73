//! Dependencies point downward only: the table of the design, against what Cargo resolved.
//!
//! A package of the workspace may depend on those packages of it that its rule lists, and not on
//! outside packages that its rule forbids. Development dependencies are not looked at: a test may
//! stand above what it tests.

use super::Finding;
use super::tree::Tree;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

struct Rule {
    package: &'static str,
    /// The packages of this workspace that it may depend on. A trailing `*` stands for any ending.
    may: &'static [&'static str],
    /// Beginnings of outside packages' names that it must not depend on.
    never: &'static [&'static str],
}

const COMPILERS: &[&str] = &[
    "cranelift-codegen",
    "cranelift-frontend",
    "cranelift-native",
];

/// In pipeline order.
const RULES: &[Rule] = &[
    Rule {
        package: "meantime-abi",
        may: &[],
        never: &[
            "wasmparser",
            "wat",
            "wast",
            "cranelift-codegen",
            "cranelift-frontend",
            "cranelift-native",
        ],
    },
    Rule {
        package: "meantime-module",
        may: &["meantime-abi"],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-compile",
        may: &["meantime-abi", "meantime-module"],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-baseline",
        may: &["meantime-abi", "meantime-module", "meantime-compile"],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-optimize",
        may: &["meantime-abi", "meantime-module", "meantime-compile"],
        never: &[],
    },
    Rule {
        package: "meantime-vm",
        may: &["meantime-abi"],
        never: &[
            "wasmparser",
            "wat",
            "wast",
            "cranelift-codegen",
            "cranelift-frontend",
            "cranelift-native",
        ],
    },
    Rule {
        package: "meantime-component-macro",
        may: &[],
        never: COMPILERS,
    },
    Rule {
        package: "meantime",
        may: &[
            "meantime-abi",
            "meantime-module",
            "meantime-compile",
            "meantime-baseline",
            "meantime-optimize",
            "meantime-vm",
            "meantime-component-macro",
        ],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-wasi",
        may: &["meantime"],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-wasi-*",
        may: &["meantime", "meantime-wasi*"],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-wast",
        may: &["meantime", "meantime-wasi"],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-c-api",
        may: &["meantime", "meantime-wasi*", "meantime-wast"],
        never: COMPILERS,
    },
    // The command lists Cranelift's settings, and its `objdump` reads artifacts.
    Rule {
        package: "meantime-cli",
        may: &[
            "meantime",
            "meantime-abi",
            "meantime-compile",
            "meantime-wasi*",
            "meantime-wast",
            "meantime-c-api",
        ],
        never: &[],
    },
    Rule {
        package: "meantime-examples",
        may: &["meantime", "meantime-wasi*"],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-bench-embed",
        may: &["meantime"],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-tests",
        may: &["xtask", "meantime", "meantime-wasi*", "meantime-wast"],
        never: COMPILERS,
    },
    Rule {
        package: "meantime-fuzzing",
        may: &["meantime*"],
        never: &[],
    },
    Rule {
        package: "meantime-model",
        may: &[],
        never: &[],
    },
    Rule {
        package: "xtask",
        may: &[],
        never: COMPILERS,
    },
];

/// Peers: never in the product.
const PEERS: &[&str] = &["wasmtime", "winch", "wiggle", "pulley", "wasmer"];
/// Cranelift brings a package of its home project along, so what these depend on is not the
/// product's choice.
const BRINGS_ITS_OWN: &str = "cranelift-";
/// Packages of the workspace that are not the product.
const NOT_PRODUCT: &[&str] = &[
    "xtask",
    "meantime-tests",
    "meantime-bench-embed",
    "meantime-fuzzing",
    "meantime-model",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    check_metadata(&tree.metadata)
}

fn check_metadata(metadata: &Value) -> Vec<Finding> {
    let packages = Packages::of(metadata);
    let mut findings = Vec::new();
    for &id in &packages.members {
        let name = packages.names[id];
        let Some(rule) = RULES.iter().find(|rule| matches(rule.package, name)) else {
            findings.push(Finding::new(
                name,
                0,
                "has no rule: say in xtask/src/tidy/layers.rs what it may depend on",
            ));
            continue;
        };
        for &dependency in packages.edges.get(id).into_iter().flatten() {
            let on = packages.names[dependency];
            if packages.members.contains(dependency) {
                if !rule.may.iter().any(|allowed| matches(allowed, on)) {
                    findings.push(Finding::new(
                        name,
                        0,
                        format!("must not depend on {on}: dependencies point downward only"),
                    ));
                }
            } else if rule.never.iter().any(|forbidden| on.starts_with(forbidden)) {
                findings.push(Finding::new(name, 0, format!("must not know {on}")));
            }
        }
        if !NOT_PRODUCT.contains(&name) {
            for on in packages.peers_below(id) {
                findings.push(Finding::new(
                    name,
                    0,
                    format!("depends on the peer {on}, directly or through others"),
                ));
            }
        }
    }
    findings
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

/// Cargo's answer, by package id.
struct Packages<'a> {
    names: HashMap<&'a str, &'a str>,
    members: HashSet<&'a str>,
    /// Normal and build dependencies, on any platform.
    edges: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Packages<'a> {
    fn of(metadata: &'a Value) -> Self {
        let list = |value: &'a Value| value.as_array().into_iter().flatten();
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        let names = list(&metadata["packages"])
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let members = list(&metadata["workspace_members"]).map(text).collect();
        let mut edges: HashMap<_, Vec<_>> = HashMap::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            for dependency in list(&node["deps"]) {
                if list(&dependency["dep_kinds"]).any(|kind| kind["kind"] != "dev") {
                    edges
                        .entry(text(&node["id"]))
                        .or_default()
                        .push(text(&dependency["pkg"]));
                }
            }
        }
        Packages {
            names,
            members,
            edges,
        }
    }

    /// Peers that `from` reaches without passing through Cranelift.
    fn peers_below(&self, from: &'a str) -> Vec<&'a str> {
        let (mut seen, mut queue, mut peers) = (HashSet::from([from]), vec![from], Vec::new());
        while let Some(id) = queue.pop() {
            if self.names[id].starts_with(BRINGS_ITS_OWN) {
                continue;
            }
            for &next in self.edges.get(id).into_iter().flatten() {
                if !seen.insert(next) {
                    continue;
                }
                if PEERS.iter().any(|peer| self.names[next].starts_with(peer)) {
                    peers.push(self.names[next]);
                }
                queue.push(next);
            }
        }
        peers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Metadata of packages and their dependencies; a dependency after `dev:` is for development.
    fn metadata(members: &[&str], edges: &[(&str, &[&str])]) -> Value {
        let mut names: HashSet<&str> = members.iter().copied().collect();
        let mut nodes = Vec::new();
        for (package, dependencies) in edges {
            names.insert(package);
            let deps: Vec<_> = dependencies
                .iter()
                .map(|dependency| {
                    let (kind, name) = dependency
                        .split_once(':')
                        .map_or((Value::Null, *dependency), |(kind, name)| {
                            (json!(kind), name)
                        });
                    names.insert(name);
                    json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] })
                })
                .collect();
            nodes.push(json!({ "id": package, "deps": deps }));
        }
        let packages: Vec<_> = names
            .iter()
            .map(|name| json!({ "id": name, "name": name }))
            .collect();
        json!({ "packages": packages, "workspace_members": members, "resolve": { "nodes": nodes } })
    }

    fn found(metadata: &Value) -> Vec<String> {
        check_metadata(metadata)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn downward_edges_are_fine() {
        let members = [
            "meantime-abi",
            "meantime-vm",
            "meantime-optimize",
            "meantime",
        ];
        let edges: &[(&str, &[&str])] = &[
            ("meantime-vm", &["meantime-abi", "dev:wasmparser"]),
            ("meantime-optimize", &["meantime-abi", "cranelift-codegen"]),
            ("meantime", &["meantime-vm", "meantime-optimize"]),
            ("cranelift-codegen", &["wasmtime-internal-core"]),
        ];
        assert_eq!(found(&metadata(&members, edges)), Vec::<String>::new());
    }

    #[test]
    fn upward_and_forbidden_edges_are_found() {
        let members = ["meantime-abi", "meantime-vm", "meantime-wasi"];
        let edges: &[(&str, &[&str])] = &[
            ("meantime-abi", &["meantime-vm"]),
            ("meantime-vm", &["wasmparser"]),
            ("meantime-wasi", &["meantime-vm"]),
        ];
        let mut found = found(&metadata(&members, edges));
        found.sort();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("meantime-abi: must not depend on meantime-vm"));
        assert!(found[1].starts_with("meantime-vm: must not know wasmparser"));
        assert!(found[2].starts_with("meantime-wasi: must not depend on meantime-vm"));
    }

    #[test]
    fn peers_are_found_through_others() {
        let edges: &[(&str, &[&str])] = &[
            ("meantime-wasi", &["innocent"]),
            ("innocent", &["wiggle-macro"]),
        ];
        let found = found(&metadata(&["meantime-wasi"], edges));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("wiggle-macro"));
    }

    #[test]
    fn a_package_without_a_rule_is_found() {
        assert_eq!(found(&metadata(&["meantime-surprise"], &[])).len(), 1);
    }
}
