//! What an artifact was made with, and whether a host agrees.
//!
//! The one idea: code is only loaded where everything that it takes for granted holds; if it is not, the error names the one thing that differs.

use meantime_abi::Tunables;
use serde::{Deserialize, Serialize};
use target_lexicon::Triple;

/// What an artifact was made with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArtifactInfo {
    /// Version of what made it.
    pub version: String,
    /// The target.
    pub triple: String,
    /// Settings of the backend and features of the processor that code may use, as name and value.
    pub settings: Vec<(String, String)>,
    /// What code takes for granted.
    pub tunables: Tunables,
}

/// What a host has.
#[derive(Clone, Debug)]
pub struct Expect {
    /// The version that artifacts must have; any if none.
    pub version: Option<String>,
    /// The host's target.
    pub triple: Triple,
    /// Settings as a backend on this host would have them, with every feature of the processor that the host has.
    pub settings: Vec<(String, String)>,
    /// What the host's configuration says.
    pub tunables: Tunables,
}

impl Expect {
    /// What artifacts of this backend have, by this crate's version.
    pub fn of(backend: &dyn crate::Backend) -> Expect {
        Expect {
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            triple: backend.triple().clone(),
            settings: backend.settings(),
            tunables: backend.tunables().clone(),
        }
    }
}

/// A thing on which an artifact and a host differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// Its name.
    pub what: String,
    /// The artifact's value, if it has one.
    pub artifact: Option<String>,
    /// The host's value, if it has one.
    pub host: Option<String>,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Mismatch { what, .. } = self;
        match (&self.artifact, &self.host) {
            (Some(artifact), Some(host)) => write!(
                f,
                "the module was compiled with {what} = {artifact}, but this host has {what} = {host}"
            ),
            (Some(artifact), None) => write!(
                f,
                "the module was compiled with {what} = {artifact}, which this host does not know"
            ),
            (None, host) => write!(
                f,
                "this host has {what} = {}, which the module was compiled without",
                host.as_deref().unwrap_or("")
            ),
        }
    }
}

/// Whether a setting is a feature of the processor: then an artifact that does not use it runs where it is there.
fn is_feature(name: &str) -> bool {
    name.starts_with("has_")
}

/// Whether a setting or tunable only says how hard the compiler tried: what it made runs anywhere.
fn is_effort(name: &str) -> bool {
    const EFFORT: [&str; 8] = [
        "opt_level",
        "regalloc",
        "regalloc_algorithm",
        "regalloc_checker",
        "regalloc_verbose_logs",
        "enable_verifier",
        "inlining",
        "branch_hinting",
    ];
    EFFORT.contains(&name)
}

impl ArtifactInfo {
    /// Checks that a host has what code takes for granted.
    ///
    /// # Errors
    ///
    /// The first thing that differs.
    pub fn check(&self, expect: &Expect) -> Result<(), Mismatch> {
        let same = |what: &str, artifact: String, host: String| {
            if artifact == host {
                return Ok(());
            }
            Err(Mismatch {
                what: what.to_owned(),
                artifact: Some(artifact),
                host: Some(host),
            })
        };
        if let Some(version) = &expect.version {
            same("version", self.version.clone(), version.clone())?;
        }
        self.check_triple(&expect.triple)?;
        // Before settings of the compiler, some of which follow from them.
        let (artifact, host) = (tunables(&self.tunables), tunables(&expect.tunables));
        for ((what, artifact), (_, host)) in artifact.into_iter().zip(host) {
            if !is_effort(what) {
                same(what, artifact, host)?;
            }
        }
        self.check_settings(&expect.settings)
    }

    /// The C library and the vendor in a triple do not matter to code.
    fn check_triple(&self, host: &Triple) -> Result<(), Mismatch> {
        let compatible = self.triple.parse::<Triple>().is_ok_and(|artifact| {
            artifact.architecture == host.architecture
                && artifact.operating_system == host.operating_system
                && artifact.binary_format == host.binary_format
        });
        if compatible {
            return Ok(());
        }
        Err(Mismatch {
            what: "target".to_owned(),
            artifact: Some(self.triple.clone()),
            host: Some(host.to_string()),
        })
    }

    fn check_settings(&self, host: &[(String, String)]) -> Result<(), Mismatch> {
        let find = |settings: &[(String, String)], name: &str| {
            let found = settings.iter().find(|(n, _)| n == name);
            found.map(|(_, value)| value.clone())
        };
        for (name, value) in &self.settings {
            if is_effort(name) || is_feature(name) && value == "false" {
                continue;
            }
            let there = find(host, name);
            if there.as_ref() != Some(value) {
                return Err(Mismatch {
                    what: name.clone(),
                    artifact: Some(value.clone()),
                    host: there,
                });
            }
        }
        for (name, value) in host {
            if !is_feature(name) && !is_effort(name) && find(&self.settings, name).is_none() {
                return Err(Mismatch {
                    what: name.clone(),
                    artifact: None,
                    host: Some(value.clone()),
                });
            }
        }
        Ok(())
    }
}

/// Every tunable by name. Destructured so that none can be forgotten.
fn tunables(t: &Tunables) -> Vec<(&'static str, String)> {
    macro_rules! list {
        ($($name:ident)*) => {{
            let Tunables { $($name),* } = t;
            vec![$((stringify!($name), format!("{:?}", $name))),*]
        }};
    }
    list! {
        memory_reservation memory_guard_size memory_reservation_for_growth memory_may_move guard_before_linear_memory
        signals_based_traps memory_init_cow table_lazy_init generate_address_map relaxed_simd_deterministic
        nan_canonicalization consume_fuel operator_cost epoch_interruption tiered inlining branch_hinting opt_level regalloc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    fn info() -> ArtifactInfo {
        ArtifactInfo {
            version: "1".to_owned(),
            triple: "x86_64-unknown-linux-gnu".to_owned(),
            settings: vec![
                pair("opt_level", "speed"),
                pair("has_avx", "true"),
                pair("has_bmi1", "false"),
            ],
            tunables: Tunables::default(),
        }
    }

    fn host() -> Expect {
        let info = info();
        Expect {
            version: Some(info.version),
            triple: info.triple.parse().unwrap(),
            settings: info.settings,
            tunables: info.tunables,
        }
    }

    #[test]
    fn a_host_with_more_features_or_another_c_library_is_fine() {
        let mut host = host();
        assert_eq!(info().check(&host), Ok(()));
        host.settings[2].1 = "true".to_owned();
        host.settings.push(pair("has_sse42", "true"));
        host.triple = "x86_64-unknown-linux-musl".parse().unwrap();
        assert_eq!(info().check(&host), Ok(()));
        host.version = None;
        assert_eq!(info().check(&host), Ok(()));
        // Nor does it matter how hard either compiler tries.
        host.settings[0].1 = "none".to_owned();
        host.tunables.opt_level = meantime_abi::OptLevel::None;
        host.tunables.regalloc = meantime_abi::RegallocAlgorithm::SinglePass;
        host.tunables.inlining = false;
        assert_eq!(info().check(&host), Ok(()));
    }

    #[test]
    fn what_differs_is_named() {
        type Change = fn(&mut Expect);
        let cases: [(&str, Change); 8] = [
            ("version", |h| h.version = Some("2".to_owned())),
            ("target", |h| {
                h.triple = "aarch64-unknown-linux-gnu".parse().unwrap()
            }),
            ("target", |h| {
                h.triple = "x86_64-apple-darwin".parse().unwrap()
            }),
            ("signals_based_traps", |h| {
                h.tunables.signals_based_traps = false;
            }),
            ("has_avx", |h| h.settings[1].1 = "false".to_owned()),
            ("has_avx", |h| drop(h.settings.remove(1))),
            ("more", |h| h.settings.push(pair("more", "1"))),
            ("consume_fuel", |h| h.tunables.consume_fuel = true),
        ];
        for (what, change) in cases {
            let mut host = host();
            change(&mut host);
            let mismatch = info().check(&host).unwrap_err();
            assert_eq!(mismatch.what, what);
            assert!(mismatch.to_string().contains(what), "{mismatch}");
        }
    }
}
