//! The columns of a file: which of them are images, labels and texts.

use crate::one_or_more;
use parquet::basic::Type;
use parquet::file::metadata::FileMetaData;
use parquet::schema::types::SchemaDescriptor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `"sentence"`, or `["question", "answer"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Names {
    /// Returns true if no column is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        one_or_more::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_more::deserialize(deserializer, "the name of a column, or a list of such").map(Names)
    }
}

/// The columns that are wanted, by their names; an empty name is one that is looked for.
pub(super) struct Wanted<'a> {
    pub image: &'a str,
    pub text: &'a [String],
    /// None where labels are not read.
    pub label: Option<&'a str>,
}

/// The columns of a file by their numbers.
pub(super) struct Columns {
    /// That of images' bytes, or those of texts.
    pub content: Vec<usize>,
    /// Their name for the user.
    pub called: String,
    pub label: Option<usize>,
    /// That column's name for the user.
    pub label_called: String,
    pub class_names: Vec<String>,
}

impl Columns {
    /// Finds the columns of a file.
    ///
    /// # Errors
    /// What is missing, or of another type, with the names that there are.
    pub fn find(metadata: &FileMetaData, wanted: &Wanted) -> Result<Self, String> {
        let leaves = Leaves(metadata.schema_descr());
        let features = Features::of(metadata);
        let label = match wanted.label.filter(|_| wanted.text.is_empty()) {
            None => None,
            Some("") => leaves.label(&features)?,
            Some(name) => Some((leaves.named(name, "label")?, name.to_string())),
        };
        let (content, called) = match (wanted.text, wanted.image) {
            ([], "") => leaves.image(&features).map(|(column, name)| (vec![column], name))?,
            ([], name) => (vec![leaves.bytes(name, "image")?], name.to_string()),
            (names, _) => {
                let columns = names.iter().map(|name| leaves.bytes(name, "text"));
                (columns.collect::<Result<Vec<_>, _>>()?, names.join(", "))
            }
        };
        let (label, label_called) = label.unzip();
        let label_called = label_called.unwrap_or_default();
        if let Some(column) = label
            && !matches!(leaves.kind(column), Type::INT32 | Type::INT64)
        {
            let kind = describe(leaves.kind(column));
            return Err(format!(
                "`{label_called}` is a column of {kind}, and labels are integers; `label` names another column"
            ));
        }
        Ok(Columns {
            content,
            called,
            label,
            class_names: features.class_names(&label_called),
            label_called,
        })
    }
}

/// The values of a type for the user.
fn describe(kind: Type) -> &'static str {
    match kind {
        Type::BOOLEAN => "truth values",
        Type::INT32 | Type::INT64 => "integers",
        Type::INT96 => "times",
        Type::FLOAT | Type::DOUBLE => "numbers with fractions",
        Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => "bytes or texts",
    }
}

/// The columns that have values.
struct Leaves<'a>(&'a SchemaDescriptor);

impl Leaves<'_> {
    fn paths(&self) -> impl Iterator<Item = (usize, String)> {
        (0..self.0.num_columns()).map(move |column| (column, self.0.column(column).path().string()))
    }

    fn at(&self, path: &str) -> Option<usize> {
        self.paths().find(|(_, found)| found == path).map(|(column, _)| column)
    }

    fn kind(&self, column: usize) -> Type {
        self.0.column(column).physical_type()
    }

    /// The names at the top, which are those of a table's columns.
    fn tops(&self) -> Vec<String> {
        let mut tops: Vec<_> = self
            .paths()
            .map(|(_, path)| path.split('.').next().unwrap_or_default().to_string())
            .collect();
        tops.dedup();
        tops
    }

    fn none(&self, what: &str, option: &str) -> String {
        format!(
            "{what}; its columns are {}; `{option}` names one",
            self.tops().join(", ")
        )
    }

    /// A column that is not a list.
    fn named(&self, name: &str, option: &str) -> Result<usize, String> {
        let column = self
            .at(name)
            .ok_or_else(|| self.none(&format!("has no column `{name}`"), option))?;
        match self.0.column(column).max_rep_level() {
            0 => Ok(column),
            _ => Err(format!(
                "`{name}` is a column of lists; `{option}` names another column"
            )),
        }
    }

    /// A column of bytes, or the bytes of a group.
    fn bytes(&self, name: &str, option: &str) -> Result<usize, String> {
        let inner = format!("{name}.bytes");
        let column = self.named(if self.at(&inner).is_some() { &inner } else { name }, option)?;
        match self.kind(column) {
            Type::BYTE_ARRAY => Ok(column),
            kind => Err(format!(
                "`{name}` is a column of {}, and {option}s are bytes; `{option}` names another column",
                describe(kind)
            )),
        }
    }

    fn image(&self, features: &Features) -> Result<(usize, String), String> {
        let of_features = features.of_type("Image");
        let groups = self
            .paths()
            .filter_map(|(_, path)| Some(path.strip_suffix(".bytes")?.to_string()));
        let usual = ["image", "img"]
            .map(String::from)
            .into_iter()
            .filter(|name| self.at(name).is_some());
        let found: Vec<String> = match of_features.is_empty() {
            false => of_features,
            true => groups.collect(),
        };
        let found = if found.is_empty() { usual.collect() } else { found };
        match &found[..] {
            [] => Err(self.none("has no column of images", "image")),
            [name] => Ok((self.bytes(name, "image")?, name.clone())),
            names => Err(format!(
                "has several columns of images, {}; `image` names one",
                names.join(", ")
            )),
        }
    }

    fn label(&self, features: &Features) -> Result<Option<(usize, String)>, String> {
        match &features.of_type("ClassLabel")[..] {
            [] => Ok(self.at("label").map(|column| (column, "label".into()))),
            [name] => Ok(Some((self.named(name, "label")?, name.clone()))),
            names => Err(format!(
                "has several columns of labels, {}; `label` names one",
                names.join(", ")
            )),
        }
    }
}

/// What `datasets` writes about the columns.
struct Features(serde_json::Map<String, serde_json::Value>);

impl Features {
    fn of(metadata: &FileMetaData) -> Self {
        let pairs = metadata.key_value_metadata().into_iter().flatten();
        let text = pairs
            .filter(|pair| pair.key == "huggingface")
            .find_map(|pair| pair.value.as_ref());
        let value = text.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        let features = value.and_then(|value| value.pointer("/info/features")?.as_object().cloned());
        Features(features.unwrap_or_default())
    }

    fn of_type(&self, kind: &str) -> Vec<String> {
        let of_kind = self.0.iter().filter(|(_, feature)| feature["_type"] == kind);
        of_kind.map(|(name, _)| name.clone()).collect()
    }

    /// The names of a label's classes.
    fn class_names(&self, column: &str) -> Vec<String> {
        let names = self.0.get(column).and_then(|feature| feature["names"].as_array());
        let names = names
            .into_iter()
            .flatten()
            .map(|name| name.as_str().map(str::to_string));
        names.collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}
