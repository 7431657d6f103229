//! The stack machine of pickles, without its calls.

use super::nodes::{Id, Node, Nodes, Storage, View};
use std::collections::HashMap;

/// Runs the pickle at the start of `bytes`: its value, and the bytes behind it.
///
/// # Errors
/// A pickle that is cut off or does what none does, in words that follow the file's name.
pub fn run<'a>(nodes: &mut Nodes, bytes: &'a [u8]) -> Result<(Id, &'a [u8]), String> {
    let mut machine = Machine {
        nodes,
        rest: bytes,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    let value = machine.run().map_err(|stop| match stop {
        Stop::Damaged => "is damaged or cut off: its pickle breaks off or makes no sense".to_string(),
        Stop::Unknown(code) => format!("holds a pickle with the opcode {code:#04x}, which torch.save does not write"),
    })?;
    Ok((value, machine.rest))
}

/// Why a machine stopped.
enum Stop {
    Damaged,
    Unknown(u8),
}

type Step<T> = Result<T, Stop>;

struct Machine<'n, 'a> {
    nodes: &'n mut Nodes,
    rest: &'a [u8],
    stack: Vec<Id>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
}

impl<'a> Machine<'_, 'a> {
    fn run(&mut self) -> Step<Id> {
        loop {
            let code = self.take(1)?[0];
            match code {
                b'.' => return self.pop(),
                // The protocol's number, and the size of a frame.
                0x80 => drop(self.take(1)?),
                0x95 => drop(self.take(8)?),
                b'N' | 0x88 | 0x89 => self.push(Node::Other),
                b'K' => self.int(1, false)?,
                b'M' => self.int(2, false)?,
                b'J' => self.int(4, true)?,
                0x8a => {
                    let length = self.size(1)?;
                    self.long(length)?;
                }
                0x8b => {
                    let length = self.size(4)?;
                    self.long(length)?;
                }
                b'G' => {
                    self.take(8)?;
                    self.push(Node::Other);
                }
                b'X' | b'T' => self.text(4)?,
                0x8c | b'U' => self.text(1)?,
                0x8d => self.text(8)?,
                b'C' => self.skip(1)?,
                b'B' => self.skip(4)?,
                0x8e | 0x96 => self.skip(8)?,
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Node::Global(format!("{module}.{name}")));
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let text = |id| self.nodes.text(id).ok_or(Stop::Damaged);
                    let global = Node::Global(format!("{}.{}", text(module)?, text(name)?));
                    self.push(global);
                }
                b'}' => self.push(Node::Dict(vec![])),
                b']' => self.push(Node::List(vec![])),
                b')' => self.push(Node::Tuple(vec![])),
                0x8f => self.push(Node::Other),
                b'(' => self.marks.push(self.stack.len()),
                b't' => {
                    let items = self.items()?;
                    self.push(Node::Tuple(items));
                }
                0x85..=0x87 => {
                    let mut items: Vec<_> = (0x85..=code).map(|_| self.pop()).collect::<Step<_>>()?;
                    items.reverse();
                    self.push(Node::Tuple(items));
                }
                0x91 => {
                    self.items()?;
                    self.push(Node::Other);
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.put(vec![key, value])?;
                }
                b'u' => {
                    let items = self.items()?;
                    self.put(items)?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(vec![item])?;
                }
                b'e' => {
                    let items = self.items()?;
                    self.append(items)?;
                }
                0x90 => drop(self.items()?),
                b'q' => {
                    let place = self.size(1)?;
                    self.remember(place)?;
                }
                b'r' => {
                    let place = self.size(4)?;
                    self.remember(place)?;
                }
                0x94 => self.remember(self.memo.len())?,
                b'h' => {
                    let place = self.size(1)?;
                    self.recall(place)?;
                }
                b'j' => {
                    let place = self.size(4)?;
                    self.recall(place)?;
                }
                b'0' => drop(self.pop()?),
                b'1' => drop(self.items()?),
                b'2' => {
                    let top = *self.stack.last().ok_or(Stop::Damaged)?;
                    self.stack.push(top);
                }
                b'R' | 0x81 => {
                    let (arguments, callee) = (self.pop()?, self.pop()?);
                    self.call(callee, arguments);
                }
                0x92 => {
                    let (_, arguments, callee) = (self.pop()?, self.pop()?, self.pop()?);
                    self.call(callee, arguments);
                }
                // The state of an object, of which nothing is known.
                b'b' => drop(self.pop()?),
                b'Q' => {
                    let id = self.pop()?;
                    let storage = self.storage(id).ok_or(Stop::Damaged)?;
                    self.push(storage);
                }
                code => return Err(Stop::Unknown(code)),
            }
        }
    }

    fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Stop::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of so many bytes, at most 8.
    fn size(&mut self, bytes: usize) -> Step<usize> {
        let mut word = [0; 8];
        word[..bytes].copy_from_slice(self.take(bytes)?);
        usize::try_from(u64::from_le_bytes(word)).map_err(|_| Stop::Damaged)
    }

    fn line(&mut self) -> Step<String> {
        let end = self.rest.iter().position(|&byte| byte == b'\n').ok_or(Stop::Damaged)?;
        let line = self.take(end)?;
        self.take(1)?;
        Ok(String::from_utf8_lossy(line).into_owned())
    }

    fn push(&mut self, node: Node) {
        let id = self.nodes.add(node);
        self.stack.push(id);
    }

    /// The value on top, above the last mark.
    fn pop(&mut self) -> Step<Id> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        match self.stack.len() > bottom {
            true => self.stack.pop().ok_or(Stop::Damaged),
            false => Err(Stop::Damaged),
        }
    }

    /// The values above the last mark, which is gone.
    fn items(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or(Stop::Damaged)?;
        Ok(self.stack.split_off(mark))
    }

    fn int(&mut self, bytes: usize, signed: bool) -> Step<()> {
        let number = self.size(bytes)? as i64;
        let number = if signed { i64::from(number as i32) } else { number };
        self.push(Node::Int(number));
        Ok(())
    }

    /// A whole number of so many bytes, in two's complement; one that is larger than any size is of no use.
    fn long(&mut self, bytes: usize) -> Step<()> {
        let taken = self.take(bytes)?;
        let node = match taken.last() {
            None => Node::Int(0),
            Some(last) if bytes <= 8 => {
                let mut word = [if last & 0x80 == 0 { 0 } else { 0xff }; 8];
                word[..bytes].copy_from_slice(taken);
                Node::Int(i64::from_le_bytes(word))
            }
            Some(_) => Node::Other,
        };
        self.push(node);
        Ok(())
    }

    fn text(&mut self, bytes: usize) -> Step<()> {
        let length = self.size(bytes)?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Node::Text(text));
        Ok(())
    }

    fn skip(&mut self, bytes: usize) -> Step<()> {
        let length = self.size(bytes)?;
        self.take(length)?;
        self.push(Node::Other);
        Ok(())
    }

    fn remember(&mut self, place: usize) -> Step<()> {
        let top = *self.stack.last().ok_or(Stop::Damaged)?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: usize) -> Step<()> {
        let id = *self.memo.get(&place).ok_or(Stop::Damaged)?;
        self.stack.push(id);
        Ok(())
    }

    /// Keys and values in turn, for the dictionary on top.
    fn put(&mut self, items: Vec<Id>) -> Step<()> {
        let dict = *self.stack.last().ok_or(Stop::Damaged)?;
        let pairs = items.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        if let Node::Dict(all) = self.nodes.get_mut(dict) {
            all.extend(pairs);
        }
        // An object that keeps items of its own is one of which nothing is known.
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Step<()> {
        let list = *self.stack.last().ok_or(Stop::Damaged)?;
        if let Node::List(all) = self.nodes.get_mut(list) {
            all.extend(items);
        }
        Ok(())
    }

    /// What a call gives, where it is one of those that tensors are written as.
    fn call(&mut self, callee: Id, arguments: Id) {
        let name = match self.nodes.get(callee) {
            Node::Global(name) => name.clone(),
            _ => "a function".into(),
        };
        let arguments = self.nodes.tuple(arguments).unwrap_or_default().to_vec();
        let known = match (&*name, &arguments[..]) {
            ("collections.OrderedDict" | "collections.defaultdict", _) => Some(Node::Dict(vec![])),
            ("torch.Size", [sizes]) => Some(self.nodes.get(*sizes).clone()),
            (
                "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2",
                [storage, offset, size, stride, ..],
            ) => self.view([*storage, *offset, *size, *stride]),
            ("torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state", [tensor, ..]) => {
                self.stack.push(*tensor);
                return;
            }
            _ => None,
        };
        self.push(known.unwrap_or(Node::Object(name)));
    }

    fn view(&self, [storage, offset, size, stride]: [Id; 4]) -> Option<Node> {
        Some(Node::Tensor(View {
            storage: matches!(self.nodes.get(storage), Node::Storage(_)).then_some(storage)?,
            offset: self.nodes.int(offset)?,
            size: self.nodes.ints(size)?,
            stride: self.nodes.ints(stride)?,
        }))
    }

    /// `("storage", class, key, device, count)`; the older form has a sixth, which says what it is a view of.
    fn storage(&self, id: Id) -> Option<Node> {
        let [word, class, key, _device, count, ..] = *self.nodes.tuple(id)? else {
            return None;
        };
        let (Some("storage"), Node::Global(class)) = (self.nodes.text(word), self.nodes.get(class)) else {
            return None;
        };
        Some(Node::Storage(Storage::new(
            class,
            self.nodes.text(key)?,
            self.nodes.int(count)?,
        )))
    }
}
