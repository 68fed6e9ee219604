//! Reading the layers, one over the other.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{Config, ConfigError, Key, Place, error::nearest, values::Raw};

const PREFIX: &str = "COVEY_";
/// Variables with the same prefix that are not settings.
const OTHER_VARIABLES: &[&str] = &["COVEY_DATA"];
/// From here on, an unknown variable is a misspelt setting rather than somebody else's.
const MISSPELT: f64 = 0.85;

/// Where settings come from, besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file; it may be missing unless it was asked for by name.
    pub file: Option<PathBuf>,
    /// A missing file is an error.
    pub file_required: bool,
    /// All environment variables; those that do not concern Covey are left alone.
    pub environment: Vec<(String, String)>,
    /// `section.key` and value, in order.
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// The file of a data directory, this process's environment, and these flags.
    #[must_use]
    pub fn of(data: &Path, flags: Vec<(String, String)>) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let file = Some(crate::datadir::settings_path(data));
        Self { file, file_required: false, environment, flags }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// Somebody did, here.
    Set(Place),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Set(place) => place.fmt(f),
        }
    }
}

/// The settings and where each came from.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Variables that begin like ours but are not settings: worth a warning.
    pub ignored_variables: Vec<String>,
    origins: BTreeMap<String, Place>,
}

/// One line of `covey config show`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// `section.key`.
    pub key: String,
    /// The value in force.
    pub value: serde_json::Value,
    /// The value when nobody sets it.
    pub default: serde_json::Value,
    /// Where the value came from.
    pub origin: String,
    /// The environment variable that sets it.
    pub variable: String,
    /// What it does.
    pub doc: &'static str,
}

impl Loaded {
    /// Where a setting came from.
    #[must_use]
    pub fn origin(&self, key: &Key) -> Origin {
        self.origins.get(&key.path()).cloned().map_or(Origin::Default, Origin::Set)
    }

    /// Every setting with its value, default and origin.
    #[must_use]
    pub fn show(&self) -> Vec<Shown> {
        let defaults = Config::default();
        let show = |key: &Key| Shown {
            key: key.path(),
            value: self.config.get(key),
            default: defaults.get(key),
            origin: self.origin(key).to_string(),
            variable: key.variable(),
            doc: key.doc,
        };
        Config::KEYS.iter().map(show).collect()
    }

    fn set(&mut self, key: &Key, raw: &Raw<'_>, place: Place) -> Result<(), ConfigError> {
        self.config.set(key, raw).map_err(|reason| ConfigError::Value {
            key: key.path(),
            place: place.clone(),
            reason,
        })?;
        self.origins.insert(key.path(), place);
        Ok(())
    }

    fn read_file(&mut self, path: &Path, required: bool) -> Result<(), ConfigError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !required => return Ok(()),
            Err(source) => return Err(ConfigError::Unreadable { path: path.into(), source }),
        };
        self.read_text(path, &text)
    }

    fn read_text(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let tables: toml::Table = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            path: path.into(),
            reason: error.to_string().trim_end().into(),
        })?;
        for (section, value) in &tables {
            let Some(table) = value.as_table().filter(|_| is_section(section)) else {
                let place = Place::File { path: path.into(), line: line_of(text, section, None) };
                return Err(unknown_section(section, place));
            };
            for (name, value) in table {
                let line = line_of(text, section, Some(name));
                let place = Place::File { path: path.into(), line };
                let wanted = format!("{section}.{name}");
                let key =
                    find(&wanted).ok_or_else(|| ConfigError::unknown(wanted, place.clone()))?;
                self.set(key, &Raw::Toml(value), place)?;
            }
        }
        Ok(())
    }

    fn read_variable(&mut self, variable: &str, value: &str) -> Result<(), ConfigError> {
        if !variable.starts_with(PREFIX) || OTHER_VARIABLES.contains(&variable) {
            return Ok(());
        }
        let place = Place::Environment { variable: variable.into() };
        if let Some(key) = Config::KEYS.iter().find(|key| key.variable() == variable) {
            return self.set(key, &Raw::Text(value), place);
        }
        // Others use the prefix too: Kubernetes does for a service named "covey".
        let in_a_section = Config::KEYS
            .iter()
            .any(|key| variable.starts_with(&format!("{PREFIX}{}_", key.section.to_uppercase())));
        let names = Config::KEYS.iter().map(Key::variable);
        let misspelt = nearest(variable, names).is_some_and(|(_, likeness)| likeness >= MISSPELT);
        if in_a_section || misspelt {
            return Err(ConfigError::unknown(variable.into(), place));
        }
        self.ignored_variables.push(variable.into());
        Ok(())
    }
}

/// Reads all layers.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut loaded = Loaded::default();
    if let Some(path) = &sources.file {
        loaded.read_file(path, sources.file_required)?;
    }
    for (variable, value) in &sources.environment {
        loaded.read_variable(variable, value)?;
    }
    for (name, value) in &sources.flags {
        let key = find(name).ok_or_else(|| ConfigError::unknown(name.clone(), Place::Flag))?;
        loaded.set(key, &Raw::Text(value), Place::Flag)?;
    }
    Ok(loaded)
}

fn find(path: &str) -> Option<&'static Key> {
    Config::KEYS.iter().find(|key| key.path() == path)
}

fn is_section(name: &str) -> bool {
    Config::KEYS.iter().any(|key| key.section == name)
}

fn unknown_section(name: &str, place: Place) -> ConfigError {
    let sections = Config::KEYS.iter().map(|key| key.section.to_owned());
    let keys = Config::KEYS.iter().map(Key::path);
    let nearest = nearest(name, sections.chain(keys)).map(|(name, _)| name);
    ConfigError::Unknown { key: name.into(), place, nearest }
}

/// The line on which a section or a key stands.
fn line_of(text: &str, section: &str, key: Option<&str>) -> Option<usize> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let (name, value) = document.get_ref().iter().find(|(name, _)| name.get_ref() == section)?;
    let span = match key {
        None => name.span(),
        Some(key) => {
            let table = value.get_ref().as_table()?;
            table.iter().find(|(name, _)| name.get_ref() == key)?.0.span()
        }
    };
    let before = text.get(..span.start)?;
    before.matches('\n').count().checked_add(1)
}
