//! `meantime settings`: lists the flags that `-C cranelift-…` sets, for this machine or another.

use crate::output;
use crate::report::Usage;
use cranelift_codegen::isa;
use cranelift_codegen::settings::{Setting, SettingKind};
use meantime::{Result, format_err};
use serde_json::{Value, json};
use std::fmt::{Display, Write as _};
use std::str::FromStr;
use target_lexicon::Triple;

/// List Cranelift's flags and presets for a target
#[derive(clap::Args, Debug)]
pub struct SettingsCommand {
    /// The target [default: this machine, with the flags found on it]
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is printed.
struct Listing {
    triple: String,
    enums: Vec<Setting>,
    numbers: Vec<Setting>,
    switches: Vec<Setting>,
    presets: Vec<Setting>,
    /// The flags that are on for this machine, if the target is this machine.
    inferred: Option<Vec<&'static str>>,
}

impl SettingsCommand {
    /// Prints the list.
    pub fn execute(self) -> Result<i32> {
        let listing = Listing::of(self.target.as_deref())?;
        let text = if self.json {
            format!("{:#}\n", listing.json())
        } else {
            listing.text()
        };
        output::print(|out| out.write_all(text.as_bytes()))?;
        Ok(0)
    }
}

impl Listing {
    /// Asks Cranelift.
    fn of(target: Option<&str>) -> Result<Listing> {
        let (builder, inferred) = match target {
            Some(triple) => (builder_for(triple)?, None),
            None => {
                let builder = cranelift_native::builder().map_err(|problem| {
                    format_err!("there is no compiler for this machine: {problem}")
                })?;
                let inferred = inferred(&builder)?;
                (builder, Some(inferred))
            }
        };
        let of_kind = |kind| {
            builder
                .iter()
                .filter(|setting| setting.kind == kind)
                .collect()
        };
        Ok(Listing {
            triple: builder.triple().to_string(),
            enums: of_kind(SettingKind::Enum),
            numbers: of_kind(SettingKind::Num),
            switches: of_kind(SettingKind::Bool),
            presets: of_kind(SettingKind::Preset),
            inferred,
        })
    }

    fn text(&self) -> String {
        let mut text = format!("Cranelift settings for target '{}':\n", self.triple);
        let sections = [
            ("Boolean settings", &self.switches),
            ("Enum settings", &self.enums),
            ("Numerical settings", &self.numbers),
            ("Presets", &self.presets),
        ];
        for (title, settings) in sections.iter().filter(|(_, settings)| !settings.is_empty()) {
            let width = settings
                .iter()
                .map(|setting| setting.name.len())
                .max()
                .unwrap_or(0);
            // Writing to a string does not fail.
            let _ = writeln!(text, "\n{title}:");
            for setting in *settings {
                let values = setting
                    .values
                    .map(|values| format!(" Values: {}.", values.join(", ")))
                    .unwrap_or_default();
                let line = format!("  {:width$}  {}{values}", setting.name, setting.description);
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
        if let Some(inferred) = &self.inferred {
            let _ = writeln!(text, "\nSettings inferred for this machine:");
            for name in inferred {
                let _ = writeln!(text, "  {name}");
            }
        }
        text
    }

    fn json(&self) -> Value {
        let list = |settings: &[Setting]| -> Value {
            settings
                .iter()
                .map(|setting| match setting.values {
                    Some(values) => json!({ "name": setting.name, "description": setting.description, "values": values }),
                    None => json!({ "name": setting.name, "description": setting.description }),
                })
                .collect()
        };
        let mut listing = json!({
            "triple": self.triple,
            "bools": list(&self.switches),
            "enums": list(&self.enums),
            "nums": list(&self.numbers),
            "presets": list(&self.presets),
        });
        if let Some(inferred) = &self.inferred {
            listing["inferred"] = json!(inferred);
        }
        listing
    }
}

/// The compiler for a target.
fn builder_for(triple: &str) -> Result<isa::Builder> {
    let unknown = |problem: &dyn Display| {
        Usage(format!(
            "there is no compiler for the target `{triple}`: {problem}"
        ))
    };
    let parsed = Triple::from_str(triple).map_err(|problem| unknown(&problem))?;
    Ok(isa::lookup(parsed).map_err(|problem| unknown(&problem))?)
}

/// The switches that are on in a builder for this machine.
fn inferred(builder: &isa::Builder) -> Result<Vec<&'static str>> {
    use cranelift_codegen::settings::{self, Flags};
    let isa = builder
        .finish(Flags::new(settings::builder()))
        .map_err(|error| format_err!("{error}"))?;
    let flags = isa.isa_flags();
    Ok(flags
        .into_iter()
        .filter(|flag| flag.as_bool() == Some(true))
        .map(|flag| flag.name)
        .collect())
}
