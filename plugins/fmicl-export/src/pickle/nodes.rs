//! The values of a pickle. They lie in one list and name each other by their places, so that no number of them, however nested
//! or shared, takes more than a place each.

use fmicl_core::tch::Kind;

/// The place of a value.
pub type Id = usize;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// None, truths, fractions, bytes, sets: what no tensor needs.
    Other,
    Int(i64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    /// Keys and values in the order in which they came.
    Dict(Vec<(Id, Id)>),
    /// A name of Python's, `module.name`.
    Global(String),
    /// An instance of a class, or what a function would give, by its name.
    Object(String),
    Storage(Storage),
    Tensor(View),
}

/// Numbers in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Nothing where PyTorch's name for it is none that is known.
    pub kind: Option<Kind>,
    pub class: String,
    pub key: String,
    pub count: i64,
}

/// A tensor: some numbers of a storage.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub storage: Id,
    pub offset: i64,
    pub size: Vec<i64>,
    pub stride: Vec<i64>,
}

impl Storage {
    /// Of PyTorch's class.
    pub fn new(class: &str, key: &str, count: i64) -> Self {
        let kind = match class.rsplit('.').next().unwrap_or_default() {
            "FloatStorage" => Some(Kind::Float),
            "DoubleStorage" => Some(Kind::Double),
            "HalfStorage" => Some(Kind::Half),
            "BFloat16Storage" => Some(Kind::BFloat16),
            "LongStorage" => Some(Kind::Int64),
            "IntStorage" => Some(Kind::Int),
            "ShortStorage" => Some(Kind::Int16),
            "CharStorage" => Some(Kind::Int8),
            "ByteStorage" => Some(Kind::Uint8),
            "BoolStorage" => Some(Kind::Bool),
            _ => None,
        };
        Storage {
            kind,
            class: class.to_string(),
            key: key.to_string(),
            count,
        }
    }
}

/// All values of one or more pickles.
#[derive(Debug, Default)]
pub struct Nodes(Vec<Node>);

impl Nodes {
    pub fn add(&mut self, node: Node) -> Id {
        self.0.push(node);
        self.0.len() - 1
    }

    /// In the order in which they came.
    pub fn all(&self) -> impl Iterator<Item = &Node> {
        self.0.iter()
    }

    pub fn get(&self, id: Id) -> &Node {
        &self.0[id]
    }

    pub fn get_mut(&mut self, id: Id) -> &mut Node {
        &mut self.0[id]
    }

    pub fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn int(&self, id: Id) -> Option<i64> {
        match self.get(id) {
            Node::Int(int) => Some(*int),
            _ => None,
        }
    }

    pub fn tuple(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Node::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// Whole numbers in a tuple.
    pub fn ints(&self, id: Id) -> Option<Vec<i64>> {
        self.tuple(id)?.iter().map(|&item| self.int(item)).collect()
    }

    /// The value of a dictionary's text key.
    pub fn value(&self, dict: Id, key: &str) -> Option<Id> {
        let Node::Dict(items) = self.get(dict) else { return None };
        let found = items.iter().rev().find(|(name, _)| self.text(*name) == Some(key));
        found.map(|(_, value)| *value)
    }
}
